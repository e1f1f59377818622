//! Rust proxies: how objects and workers end: closed, dropped, never opened. Each test names the bug that it guards against.

mod proxy_api;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_proxy::CallError;
use futures::executor::block_on;
use proxy_api::*;

/// Bug: a `Drop` of the object that panics leaves those hanging who wait for the close.
#[test]
fn an_object_that_panics_when_it_is_dropped_is_closed_all_the_same() {
    block_on(async {
        let probe = Probe::default();
        let station = station_async(&probe, "bomb").await.unwrap();
        station.close().await.unwrap();
        assert_eq!(station.note("late").await, Err(CallError::Closed));
        assert_eq!(probe.alive(), 0);
        drop(station_async(&probe, "bomb").await.unwrap());
        wait_until("it is dropped", || probe.alive() == 0);
    });
}

/// Bug: each failed open leaves a thread (the published Python driver does).
#[test]
fn a_failed_open_leaves_no_thread_and_no_object() {
    let probe = Probe::default();
    block_on(async {
        for round in 0..50 {
            let options = Options {
                fail: round % 2 == 0,
                panic: round % 2 == 1,
                wait: false,
            };
            match AsyncCounter::open(probe.clone(), options).await {
                Err(CallError::Call(_)) if round % 2 == 0 => {}
                Err(CallError::Panicked(message)) if message == "opening panicked" => {}
                other => panic!("{other:?}"),
            }
        }
    });
    assert_eq!(probe.alive(), 0);
    no_threads_are_left("Counter");
}

/// Bug: an open that is dropped leaves an open object, or its thread.
#[test]
fn an_open_that_is_dropped_leaves_no_thread_and_no_object() {
    let probe = Probe::default();
    let mut random = Random(11);
    for _ in 0..200 {
        let open = AsyncCounter::open(probe.clone(), Options::default());
        std::thread::sleep(Duration::from_micros(random.below(200)));
        drop(open);
    }
    let waiting = AsyncCounter::open(
        probe.clone(),
        Options {
            wait: true,
            ..Options::default()
        },
    );
    probe.until_waiting();
    drop(waiting);
    probe.open_gate();
    wait_until("all are dropped", || probe.alive() == 0);
    no_threads_are_left("Counter");
    let elsewhere = |line: &String| line.starts_with("dropped") && !line.ends_with("in Counter");
    assert!(
        !probe.log().iter().any(elsewhere),
        "an object was dropped outside of its worker"
    );
}

/// Other tests of this file open counters at the same time; they come and go.
fn no_threads_are_left(name: &str) {
    wait_until("no thread is left", || threads_named(name) == 0);
}

/// Bug: dropping the last proxy forgets what was queued, drops the object in the wrong thread, or leaves the thread.
#[test]
fn dropping_all_proxies_runs_what_is_queued_and_ends_the_worker() {
    let probe = Probe::default();
    block_on(async {
        let counter = open_counter(&probe).await;
        let numbers = counter.numbers(0, 3).await.unwrap();
        let waiting = counter.wait();
        probe.until_waiting();
        let queued = counter.note("queued");
        drop(counter);
        let row = numbers.fetch_one();
        drop(numbers);
        probe.open_gate();
        waiting.await.unwrap();
        assert_eq!(queued.await, Ok(6));
        assert_eq!(row.await, Ok(Some(0)));
        wait_until("both are dropped", || probe.alive() == 0);
        assert_eq!(
            probe.log(),
            ["queued", "dropped numbers in Counter", "dropped counter in Counter"]
        );
    });
}

/// Bug: a child's object stays until the connection is closed.
#[test]
fn a_dropped_child_is_dropped_on_the_worker_at_once() {
    block_on(async {
        let probe = Probe::default();
        let counter = open_counter(&probe).await;
        for _ in 0..1000 {
            drop(counter.numbers(0, 1).await.unwrap());
            let mut dropped_half_way = Box::pin(counter.numbers(0, 1));
            let _ = poll_once(dropped_half_way.as_mut());
        }
        counter.increment().await.unwrap();
        counter.increment().await.unwrap();
        assert_eq!(probe.alive(), 1);
    });
}

/// Bugs: an item left behind the one that stops the worker (half of the calls hang in the published Python driver); a call
/// that is told nothing; a second close that hangs.
#[test]
fn no_call_hangs_when_it_races_with_close() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap();
    let (ran, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut made = 0;
    for round in 0..40 {
        let probe = Probe::default();
        let counter = runtime.block_on(open_counter(&probe));
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let (counter, ran, refused) = (counter.clone(), ran.clone(), refused.clone());
                runtime.spawn(async move {
                    for call in 0..50 {
                        if call == 25 && task < 2 {
                            counter.close().await.unwrap();
                        }
                        match counter.increment().await {
                            Ok(_) => ran.fetch_add(1, Ordering::Relaxed),
                            Err(CallError::Closed) => refused.fetch_add(1, Ordering::Relaxed),
                            Err(other) => panic!("round {round}: {other}"),
                        };
                    }
                })
            })
            .collect();
        made += 8 * 50;
        runtime.block_on(async {
            for task in tasks {
                tokio::time::timeout(Duration::from_secs(20), task)
                    .await
                    .expect("a call hangs")
                    .unwrap();
            }
            counter.close().await.unwrap();
        });
        assert_eq!(probe.alive(), 0);
        assert_eq!(
            probe.log().iter().filter(|line| *line == "closed").count(),
            1,
            "close ran more than once"
        );
    }
    let (ran, refused) = (ran.load(Ordering::Relaxed), refused.load(Ordering::Relaxed));
    println!("{made} calls: {ran} ran, {refused} refused");
    assert_eq!(ran + refused, made);
    assert!(ran > 0 && refused > 0);
}

/// Bug: close does not run what was queued before it, or runs what came after.
#[test]
fn close_runs_what_was_queued_before_it_and_refuses_the_rest_at_once() {
    block_on(async {
        let probe = Probe::default();
        let counter = open_counter(&probe).await;
        let numbers = counter.numbers(0, 3).await.unwrap();
        let waiting = counter.wait();
        probe.until_waiting();
        let before = counter.note("before");
        let mut close = Box::pin(counter.close());
        let mut second = Box::pin(counter.close());
        assert_eq!(
            counter.note("after").await,
            Err(CallError::Closed),
            "refused while the close still waits"
        );
        assert_eq!(numbers.add(1).await, Err(CallError::Closed));
        assert!(poll_once(close.as_mut()).is_pending());
        assert!(
            poll_once(second.as_mut()).is_pending(),
            "a second close is done when the first is"
        );
        probe.open_gate();
        waiting.await.unwrap();
        before.await.unwrap();
        second.await.unwrap();
        assert_eq!(probe.alive(), 0);
        close.await.unwrap();
        numbers.close().await.unwrap();
        assert_eq!(
            probe.log(),
            [
                "before",
                "closed",
                "dropped counter in Counter",
                "dropped numbers in Counter"
            ]
        );
    });
}

/// Bug: an error of close leaves the object open.
#[test]
fn a_close_that_fails_says_so_and_is_a_close() {
    block_on(async {
        let probe = Probe::default();
        let counter = open_counter(&probe).await;
        for _ in 0..999 {
            counter.increment().await.unwrap();
        }
        assert_eq!(
            counter.close().await,
            Err(CallError::Call(Error("can't close at 999".into())))
        );
        assert_eq!(counter.close().await, Ok(()));
        assert_eq!(probe.alive(), 0);
    });
}

/// Bug: a close whose future is dropped leaves an object that is neither open nor closed.
#[test]
fn a_close_is_not_undone_by_dropping_its_future() {
    block_on(async {
        let probe = Probe::default();
        let counter = open_counter(&probe).await;
        drop(counter.close());
        assert_eq!(counter.increment().await, Err(CallError::Closed));
        counter.close().await.unwrap();
        assert_eq!(probe.alive(), 0);
    });
}

/// Bugs: close waits for a lane's long call; a lane's queued call hangs; a lane's worker outlives the close.
#[test]
fn close_drains_the_main_lane_and_cancels_the_others() {
    block_on(async {
        let probe = Probe::default();
        let station = station_async(&probe, "here").await.unwrap();
        let running = station.transfer(Duration::from_secs(60));
        let queued = station.transfer(Duration::from_secs(60));
        wait_until("the lane works", || probe.begun() == 1);
        let main = station.work(Duration::from_millis(20));
        let started = Instant::now();
        let close = station.close();
        assert_eq!(station.transfer(Duration::ZERO).await, Err(CallError::Closed));
        assert_eq!(main.await, Ok("done"));
        assert_eq!(running.await, Err(CallError::Call(Error("interrupted".into()))));
        assert_eq!(queued.await, Err(CallError::Closed));
        close.await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(5));
        assert_eq!(probe.alive(), 0);
        assert_eq!(probe.log(), ["station closed", "dropped station in Station"]);
    });
}

/// Bug: the last proxy dropped while a lane works drops the object under it, or in its thread.
#[test]
fn dropping_all_proxies_lets_the_lanes_finish_and_drops_the_object_on_its_worker() {
    block_on(async {
        let probe = Probe::default();
        for _ in 0..50 {
            let station = station_async(&probe, "here").await.unwrap();
            let network = station.transfer(Duration::from_millis(2));
            drop(station);
            assert_eq!(network.await.unwrap(), "Station/network");
        }
        wait_until("all are dropped", || probe.alive() == 0);
        assert!(
            probe.log().iter().all(|line| line == "dropped station in Station"),
            "{:?}",
            probe.log()
        );
    });
}
