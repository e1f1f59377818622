//! Rust proxies: every kind of member, under several executors.

mod proxy_api;

use std::borrow::Cow;
use std::future::Future;
use std::path::Path;

use async_proxy::CallError;
use futures::executor::block_on;
use proxy_api::*;

fn assert_send<T: Send>(value: T) -> T {
    value
}

async fn every_kind() {
    let probe = Probe::default();
    let counter = assert_send(AsyncCounter::open(probe.clone(), Options::default()))
        .await
        .unwrap();
    assert_eq!(counter.count(), 0);
    let first = counter.increment();
    let second = counter.increment();
    assert_eq!(assert_send(second).await, Ok(2));
    assert_eq!(first.await, Ok(1));
    assert_eq!(counter.count(), 2, "a snapshot comes with the result");
    assert_eq!(counter.read().await, Ok(2));
    assert_eq!(counter.note("hello").await, Ok(5));
    assert_eq!(
        counter.fail().await,
        Err(CallError::Call(Error("asked to fail".into())))
    );
    let described = counter.describe(
        Path::new("a"),
        &[1, 2],
        Some("name"),
        "title",
        "b",
        [1, 2, 3],
        Cow::Borrowed("cow"),
        Some(&Options::default()),
        Box::new(|number| number * 2),
    );
    assert_eq!(
        described.await.unwrap(),
        r#""a" [1, 2] Some("name") title "b" 12 cow false"#
    );
    assert_eq!(counter.apply(|count| format!("{count}!")).await.unwrap(), "2!");
    #[allow(deprecated)]
    let old = counter.old().await;
    assert_eq!(old, Ok(7));

    counter.set_arraysize(5).await.unwrap();
    assert_eq!(counter.arraysize(), 5);
    assert!(matches!(counter.set_arraysize(0).await, Err(CallError::Call(_))));
    assert_eq!(counter.arraysize(), 5);

    let numbers = assert_send(counter.numbers(0, 10)).await.unwrap();
    assert!(matches!(counter.numbers(1, 0).await, Err(CallError::Call(_))));
    assert_eq!(numbers.add(5).await, Ok(7));
    assert_eq!(numbers.counter().read().await, Ok(7));
    assert_eq!(numbers.fetch_one().await, Ok(Some(0)));
    assert_eq!(numbers.fetch_many(None).await, Ok(vec![1, 2, 3]));
    assert_eq!(numbers.fetch_many(Some(2)).await, Ok(vec![4, 5]));
    let mut rows = assert_send(numbers.rows());
    assert_eq!(assert_send(rows.next()).await, Some(Ok(6)));
    drop(rows);
    assert_eq!(numbers.fetch_all().await, Ok(vec![7, 8, 9]));
    assert_eq!(numbers.fetch_one().await, Ok(None));
    let same = numbers.restart(3, 5).await.unwrap();
    assert_eq!(same.fetch_all().await, Ok(vec![3, 4]));
    assert_eq!(numbers.rewind().await.unwrap().fetch_one().await, Ok(Some(0)));
    numbers.close().await.unwrap();
    assert_eq!(numbers.add(1).await, Err(CallError::Closed));
    assert_eq!(numbers.fetch_one().await, Err(CallError::Closed));
    numbers.close().await.unwrap();
    assert_eq!(counter.increment().await, Ok(8), "closing a child leaves the rest open");
    assert_send(counter.close()).await.unwrap();
    assert_eq!(probe.alive(), 0, "close resolves when the objects are dropped");
    assert_eq!(counter.increment().await, Err(CallError::Closed));
    counter.close().await.unwrap();
}

#[test]
fn every_kind_works_on_a_simple_executor() {
    block_on(every_kind());
}

#[tokio::test(flavor = "current_thread")]
async fn every_kind_works_on_tokio_with_one_thread() {
    assert_send(every_kind()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_works_on_tokio_with_several_threads() {
    tokio::spawn(every_kind()).await.unwrap();
}

/// Guards against shared members that are queued, or lanes that wait for each other.
#[test]
fn members_of_a_shared_class_run_where_they_should() {
    block_on(async {
        let probe = Probe::default();
        assert!(matches!(station_async(&probe, "").await, Err(CallError::Call(_))));
        let station = station_async(&probe, "here").await.unwrap();
        let waiting = station.wait();
        probe.until_waiting();
        // The worker is busy: none of these waits for it.
        assert_eq!(station.thread("in ").unwrap(), format!("in {}", thread_name()));
        assert_eq!(station.level(), Ok(1));
        assert_eq!(
            station.transfer(std::time::Duration::ZERO).await.unwrap(),
            "Station/network"
        );
        assert_eq!(station.direct_panic(), Err(CallError::Panicked("in place".into())));
        let set = station.set_level(57);
        assert!(
            matches!(station.set_level(-1).await, Err(CallError::Call(_))),
            "refused without the worker"
        );
        probe.open_gate();
        waiting.await.unwrap();
        set.await.unwrap();
        assert_eq!(station.level(), Ok(50), "the check's normal form is what is set");
        assert_eq!(station.second_block("abc").await.unwrap(), "ABC");
        station.close().await.unwrap();
        assert_eq!(station.thread(""), Err(CallError::Closed));
        assert_eq!(station.level(), Err(CallError::Closed));
        assert_eq!(
            station.transfer(std::time::Duration::ZERO).await,
            Err(CallError::Closed)
        );
        assert_eq!(probe.alive(), 0);
        assert_eq!(probe.log().last().unwrap(), "dropped station in Station");
    });
}

/// Guards against a base's members that run on another worker or another object than the derived one's.
#[test]
fn a_class_that_extends_another_is_one_object_on_one_worker() {
    block_on(async {
        let probe = Probe::default();
        let relay = AsyncRelay::open(probe.clone()).await.unwrap();
        relay.forward("a").await.unwrap();
        relay.note("b").await.unwrap();
        let base: &AsyncStation = &relay;
        let base = base.clone();
        relay.forward("c").await.unwrap();
        assert_eq!(probe.log(), ["forward a", "b", "forward c"]);
        assert_eq!(relay.radio().await.unwrap(), "Relay/radio");
        assert_eq!(base.level(), Ok(1));
        drop(relay);
        base.note("the base keeps it open").await.unwrap();
        base.close().await.unwrap();
        assert_eq!(probe.alive(), 0);

        let fine = FineProxy::open().await.unwrap();
        assert!(matches!(fine.add_half().await, Err(MyError::Base(_))));
        assert!(fine.half());
        assert_eq!(fine.add_half().await.unwrap(), 1);
        assert_eq!(
            fine.count(),
            1,
            "a call of the derived class publishes the base's snapshot"
        );
        assert_eq!(fine.increment().await, Ok(2));
        assert!(!fine.half());
        assert_eq!(fine.close().await, Ok(2));
        assert!(matches!(fine.add_half().await, Err(MyError::Worker)));
    });
}

/// Guards against a call that is queued when its future is first polled.
#[test]
fn calls_run_in_the_order_in_which_they_were_made_however_they_are_polled() {
    block_on(async {
        let probe = Probe::default();
        let counter = AsyncCounter::open(probe.clone(), Options::default()).await.unwrap();
        let calls: Vec<_> = (0..100).map(|number| counter.note(&number.to_string())).collect();
        for call in calls.into_iter().rev() {
            call.await.unwrap();
        }
        let expected: Vec<_> = (0..100).map(|number| number.to_string()).collect();
        assert_eq!(probe.log(), expected);
    });
}

/// Guards against a future that keeps the waker of the task that polled it first.
#[test]
fn a_future_that_moves_to_another_task_wakes_that_one() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake, Waker};
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let probe = Probe::default();
    let counter = block_on(AsyncCounter::open(probe.clone(), Options::default())).unwrap();
    let mut call = Box::pin(counter.wait());
    let mut close = Box::pin(counter.close());
    probe.until_waiting();
    let counts: Vec<_> = (0..4).map(|_| Arc::new(Count(AtomicUsize::new(0)))).collect();
    let wakers: Vec<Waker> = counts.iter().map(|count| count.clone().into()).collect();
    assert!(call.as_mut().poll(&mut Context::from_waker(&wakers[0])).is_pending());
    assert!(close.as_mut().poll(&mut Context::from_waker(&wakers[2])).is_pending());
    assert!(call.as_mut().poll(&mut Context::from_waker(&wakers[1])).is_pending());
    assert!(close.as_mut().poll(&mut Context::from_waker(&wakers[3])).is_pending());
    probe.open_gate();
    let woken = |index: usize| counts[index].0.load(Ordering::SeqCst);
    wait_until("both are woken", || woken(1) == 1 && woken(3) == 1);
    assert_eq!((woken(0), woken(2)), (0, 0));
    assert!(matches!(
        call.as_mut().poll(&mut Context::from_waker(&wakers[0])),
        Poll::Ready(Ok(()))
    ));
    assert!(matches!(
        close.as_mut().poll(&mut Context::from_waker(&wakers[0])),
        Poll::Ready(Ok(()))
    ));
}
