//! Rust proxies: rare combinations. Each test names the bug that it guards against.

mod proxy_api;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_proxy::CallError;
use futures::executor::block_on;
use proxy_api::*;

/// Bug: opening panics where no thread can be had, or hangs.
///
/// It is tried in a process of its own in which every thread asks for more stack than there is address space.
#[test]
fn an_open_for_which_no_thread_can_be_started_is_an_error() {
    const INSIDE: &str = "ASYNC_PROXY_TEST_WITHOUT_THREADS";
    if std::env::var_os(INSIDE).is_some() {
        let probe = Probe::default();
        let opened = block_on(AsyncCounter::open(probe.clone(), Options::default()));
        assert!(matches!(opened, Err(CallError::Gone)), "{opened:?}");
        assert_eq!(probe.alive(), 0);
        println!("it was an error");
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "an_open_for_which_no_thread_can_be_started_is_an_error",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(INSIDE, "1")
        .env("RUST_MIN_STACK", (1u64 << 52).to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("it was an error"),
        "{output:?}"
    );
}

/// Bug: a member that answers when the object is closed does not, or the object is never dropped.
#[test]
fn a_member_that_answers_when_closed_does_so_as_long_as_there_is_a_proxy() {
    block_on(async {
        let probe = Probe::default();
        let library = AsyncLibrary::open(&probe, -1).await.unwrap();
        assert_eq!(library.is_closed(), Ok(false));
        library.close().await.unwrap();
        assert_eq!(library.is_closed(), Ok(true));
        assert_eq!(library.book().await, Err(CallError::Closed));
        drop(library);
        wait_until("it is dropped", || probe.alive() == 0);
        drop(AsyncLibrary::open(&probe, -1).await.unwrap());
        wait_until("one that was not closed is dropped too", || probe.alive() == 0);
    });
}

/// Bug: a panic while reading ahead is given to who asked for the rows before it, or loses them.
#[test]
fn a_panic_while_reading_ahead_is_raised_at_its_row() {
    block_on(async {
        let library = AsyncLibrary::open(&Probe::default(), 5).await.unwrap();
        assert_eq!(library.book().await, Ok(Some(0)));
        assert_eq!(library.books(4).await, Ok(vec![1, 2, 3, 4]));
        assert!(matches!(library.book().await, Err(CallError::Panicked(message)) if message.contains("missing")));
        assert_eq!(library.book().await, Ok(Some(6)));
        assert_eq!(library.books(200).await, Ok((7..100).collect()));
        assert_eq!(library.books(200).await, Ok(vec![]));
    });
}

/// Bug: an object that a derived class hands out has another parent, or none; the two views have different buffers.
#[test]
fn an_object_handed_out_by_a_derived_class_knows_it_as_its_base() {
    block_on(async {
        let probe = Probe::default();
        let archive = AsyncArchive::open(&probe).await.unwrap();
        let readers = [
            archive.archivist(probe.clone()).await.unwrap(),
            archive.reader(probe.clone()).await.unwrap(),
        ];
        assert_eq!(archive.book().await, Ok(Some(0)));
        for (number, reader) in (1..).zip(&readers) {
            assert_eq!(reader.library().book().await, Ok(Some(number)));
        }
        drop(archive);
        let [reader, other] = readers;
        drop(other);
        assert_eq!(
            reader.library().book().await,
            Ok(Some(3)),
            "an object that was handed out keeps its parent open"
        );
        drop(reader);
        wait_until("all are dropped", || probe.alive() == 0);
    });
}

/// Bug: an object that was handed out is left without its worker when the one that it comes from goes.
#[test]
fn an_object_that_was_handed_out_keeps_the_one_that_it_comes_from_open() {
    block_on(async {
        let probe = Probe::default();
        let station = station_async(&probe, "here").await.unwrap();
        let slow = station.numbers_of_station().await.unwrap();
        drop(station);
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert_eq!(slow.is_slow().await, Ok(true));
        drop(slow);
        wait_until("both are dropped", || probe.alive() == 0);
        assert_eq!(probe.log(), ["dropped slow in Station", "dropped station in Station"]);
    });
}

/// Bug: a callback that makes calls on its own worker deadlocks, or finds itself in the middle of a list.
#[test]
fn a_callback_on_the_worker_may_queue_calls_and_drop_proxies() {
    block_on(async {
        let probe = Probe::default();
        let library = AsyncLibrary::open(&probe, -1).await.unwrap();
        let reader = library.reader(probe.clone()).await.unwrap();
        let sum = Arc::new(AtomicI64::new(0));
        let (inner, inner_probe, inner_sum) = (library.clone(), probe.clone(), sum.clone());
        let queued = Arc::new(std::sync::Mutex::new(None));
        let inner_queued = queued.clone();
        let callback = move || {
            let call = inner.book();
            *inner_queued.lock().unwrap() = Some(call);
            drop(inner.reader(inner_probe));
            drop(inner);
            inner_sum.fetch_add(1, Ordering::SeqCst);
        };
        reader.call_back(Box::new(callback)).await.unwrap();
        let call = queued.lock().unwrap().take().unwrap();
        assert_eq!(call.await, Ok(Some(0)));
        assert_eq!(sum.load(Ordering::SeqCst), 1);
        // The last proxy dropped on the worker itself.
        let last = reader.clone();
        drop(library);
        let call = reader.call_back(Box::new(move || drop(last)));
        drop(reader);
        call.await.unwrap();
        wait_until("all are dropped", || probe.alive() == 0);
    });
}

/// Bug: a future of results is not Send because of what the object is.
#[test]
fn every_future_and_proxy_is_send_whatever_the_object_is() {
    fn is_send<T: Send>() {}
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<AsyncCounter>();
    is_send_and_sync::<AsyncNumbers>();
    is_send_and_sync::<FineProxy>();
    is_send::<async_proxy::Call<Result<i64>>>();
    is_send::<async_proxy::Open<Result<Counter>>>();
    is_send::<async_proxy::Child<Result<Numbers>, MyError>>();
    is_send::<async_proxy::Close<Result<()>>>();
    is_send::<async_proxy::RowStream<Result<Option<i64>>>>();
}

/// Bug: the last result goes to nobody because its sender is gone first.
#[test]
fn a_thousand_objects_opened_used_and_closed_at_once_leave_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap();
    let probe = Probe::default();
    let tasks: Vec<_> = (0..1000)
        .map(|number| {
            let probe = probe.clone();
            runtime.spawn(async move {
                let counter = AsyncCounter::open(probe, Options::default()).await.unwrap();
                let numbers = counter.numbers(0, number % 100).await.unwrap();
                assert_eq!(numbers.fetch_all().await.unwrap().len() as i64, number % 100);
                if number % 2 == 0 {
                    counter.close().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    wait_until("all are dropped", || probe.alive() == 0);
    wait_until("no thread is left", || threads_named("Counter") == 0);
}

/// Bug: errors of one's own are made of the wrong things, and messages do not say what to do.
#[test]
fn an_error_says_what_to_do() {
    let closed = CallError::<Error>::Closed.to_string();
    let gone = CallError::<Error>::Gone.to_string();
    let panicked = CallError::<Error>::Panicked("oh".into()).to_string();
    assert!(closed.contains("open another one"));
    assert!(gone.contains("open another object"));
    assert!(panicked.contains("oh"));
    let call = CallError::Call(Error("mine".into()));
    assert_eq!(call.to_string(), "mine");
    assert_eq!(call.clone().into_call(), Some(Error("mine".into())));
    assert_eq!(call.map(|error| error.0), CallError::Call("mine".to_owned()));
    let as_error: Box<dyn std::error::Error> = Box::new(CallError::<Error>::Closed);
    assert!(as_error.source().is_none());
}
