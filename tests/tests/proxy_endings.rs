//! Rust proxies: how calls end: cancelled, interrupted, panicking. Each test names the bug that it guards against.

mod proxy_api;

use std::future::Future;
use std::sync::Arc;
use std::task::Context;
use std::time::{Duration, Instant};

use async_proxy::CallError;
use futures::executor::block_on;
use proxy_api::*;

/// Bug: a dropped call is taken out of nothing, and runs all the same.
#[test]
fn a_call_whose_future_is_dropped_before_it_has_begun_never_runs() {
    block_on(async {
        let probe = Probe::default();
        let counter = open_counter(&probe).await;
        let waiting = counter.wait();
        probe.until_waiting();
        let mut polled = Box::pin(counter.note("polled"));
        assert!(poll_once(polled.as_mut()).is_pending());
        drop(polled);
        drop(counter.note("never polled"));
        let kept = counter.note("kept");
        probe.open_gate();
        waiting.await.unwrap();
        kept.await.unwrap();
        assert_eq!(probe.log(), ["kept"]);
    });
}

/// Bugs: a running call is not interrupted; it does not run to its end; its result goes to somebody.
#[test]
fn a_call_whose_future_is_dropped_while_it_runs_is_interrupted_and_the_next_one_is_not() {
    block_on(async {
        let probe = Probe::default();
        let station = station_async(&probe, "here").await.unwrap();
        for round in 0..200 {
            let running = station.work(Duration::from_secs(10));
            let next = station.work(Duration::ZERO);
            wait_until("it runs", || probe.begun() == 2 * round + 1);
            let started = Instant::now();
            drop(running);
            assert_eq!(next.await, Ok("done"));
            assert!(started.elapsed() < Duration::from_secs(1));
        }
        assert_eq!(probe.interrupts(), 200);
    });
}

/// Bug: an interrupt that comes when its call is over hits the one that runs by then.
///
/// Futures are dropped at random points around the end of their calls. The call that follows each lasts long enough to be
/// hit by an interrupt that is late.
#[test]
fn an_interrupt_never_hits_another_call_at_whatever_moment_its_own_is_dropped() {
    block_on(async {
        let probe = Probe::default();
        let station = station_async(&probe, "here").await.unwrap();
        let mut random = Random(7);
        let (mut rounds, mut running, mut done) = (0, 0, 0);
        while rounds < 3000 || running * 5 < rounds {
            rounds += 1;
            let begun = probe.begun();
            let mut call = Box::pin(station.work(Duration::from_micros(random.below(60))));
            let next = station.work(Duration::from_micros(60));
            let wait = Duration::from_micros(random.below(100));
            while rounds % 2 == 0 && probe.begun() == begun {
                std::thread::yield_now();
            }
            let started = Instant::now();
            while started.elapsed() < wait {
                std::hint::spin_loop();
            }
            let before = probe.interrupts();
            if poll_once(call.as_mut()).is_ready() {
                done += 1;
            }
            drop(call);
            running += probe.interrupts() - before;
            assert_eq!(next.await, Ok("done"));
            assert!(
                rounds < 100_000,
                "at least a fifth is to be interrupted while running, not {running} of {rounds}"
            );
        }
        let queued = rounds - running - done;
        println!("of {rounds}: {queued} dropped while queued or just done, {running} while running, {done} when done");
    });
}

/// Bug: the next call begins while the interrupt of the one before is under way, and is hit by its end.
#[test]
fn the_next_call_does_not_begin_before_the_interrupt_of_the_last_is_over() {
    block_on(async {
        let probe = Probe::default();
        let station = station_async(&probe, "here").await.unwrap();
        station.set_interrupt_takes(Duration::from_millis(10)).unwrap();
        for round in 1..=10 {
            let running = station.work_until_cancelled();
            let next = station.work(Duration::from_millis(20));
            wait_until("it runs", || {
                probe.log().iter().filter(|line| *line == "running").count() == round
            });
            // Its token ends the call at once; the member that interrupts takes longer.
            drop(running);
            assert_eq!(next.await, Ok("done"));
        }
        assert_eq!(probe.interrupts(), 10);
    });
}

/// Bug: a driver that looks at the token of its call is told of another's cancellation, or never.
#[test]
fn a_token_tells_a_running_call_and_a_childs_call_that_they_were_dropped() {
    block_on(async {
        let probe = Probe::default();
        let station = station_async(&probe, "here").await.unwrap();
        let running = station.work_until_cancelled();
        wait_until("it runs", || probe.log().contains(&"running".to_owned()));
        drop(running);
        station.note("next").await.unwrap();
        let slow = station.numbers_of_station().await.unwrap();
        let running = slow.work();
        wait_until("it runs", || probe.log().contains(&"slow running".to_owned()));
        let before = probe.interrupts();
        drop(running);
        assert_eq!(
            probe.interrupts(),
            before + 1,
            "a child's call is interrupted by its station's member"
        );
        assert_eq!(slow.is_slow().await, Ok(true));
        assert_eq!(
            probe.log(),
            ["running", "cancelled", "next", "slow running", "slow cancelled"]
        );
        assert!(async_proxy::CallToken::current().is_none());
    });
}

/// Bugs: a panic ends the thread, or is told to somebody else; its payload's drop ends the thread; so does the drop of an
/// argument or a result.
#[test]
fn a_panic_is_the_error_of_its_call_and_the_worker_goes_on() {
    block_on(async {
        let probe = Probe::default();
        let counter = open_counter(&probe).await;
        let after = (counter.panic("oh".into()), counter.increment());
        assert_eq!(after.0.await, Err(CallError::Panicked("oh".into())));
        assert_eq!(after.1.await, Ok(1));
        assert!(matches!(counter.panic_badly().await, Err(CallError::Panicked(_))));
        let waiting = counter.wait();
        probe.until_waiting();
        let bomb = counter.bomb();
        let mut bomb = Box::pin(bomb);
        assert!(poll_once(bomb.as_mut()).is_pending());
        probe.open_gate();
        waiting.await.unwrap();
        std::mem::forget(bomb.await);
        assert_eq!(counter.increment().await, Ok(2));
    });
}

/// Bug: the result of a call that was dropped while it ran goes off in the worker and takes it along.
#[test]
fn a_result_that_panics_when_it_is_dropped_on_the_worker_does_not_end_it() {
    block_on(async {
        let probe = Probe::default();
        let counter = open_counter(&probe).await;
        let inner = probe.clone();
        let bomb = counter.apply(move |_| {
            inner.wait_at_gate();
            Some(Bomb)
        });
        probe.until_waiting();
        drop(bomb);
        probe.open_gate();
        assert_eq!(counter.increment().await, Ok(1));
    });
}

/// Bug: cancelling a lane's call interrupts the other lane.
#[test]
fn a_cancelled_call_interrupts_its_own_lane_only() {
    block_on(async {
        let probe = Probe::default();
        let station = station_async(&probe, "here").await.unwrap();
        for _ in 0..50 {
            let main = station.work(Duration::from_millis(3));
            let network = station.transfer(Duration::from_secs(10));
            std::thread::sleep(Duration::from_millis(1));
            drop(network);
            assert_eq!(main.await, Ok("done"));
            let main = station.work(Duration::from_secs(10));
            let network = station.transfer(Duration::from_millis(3));
            std::thread::sleep(Duration::from_millis(1));
            drop(main);
            assert_eq!(network.await.unwrap(), "Station/network");
        }
    });
}

/// Bug: a waker that panics takes the worker along.
#[test]
fn a_waker_that_panics_does_not_end_the_worker() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a waker panicked");
        }
    }
    let probe = Probe::default();
    let counter = block_on(open_counter(&probe));
    let mut call = Box::pin(counter.wait());
    assert!(
        call.as_mut()
            .poll(&mut Context::from_waker(&Arc::new(Panics).into()))
            .is_pending()
    );
    probe.open_gate();
    assert_eq!(block_on(counter.increment()), Ok(1));
    assert_eq!(block_on(call), Ok(()));
}

/// Bug: results go astray when calls around them are dropped at random points.
#[test]
fn what_is_not_dropped_is_right_among_thousands_that_are() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap();
    let probe = Probe::default();
    let station = runtime.block_on(station_async(&probe, "here")).unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let station = station.clone();
            runtime.spawn(async move {
                let mut random = Random(task);
                let mut dropped = 0;
                for number in 0..1000 {
                    let text = format!("t{task}-{number}");
                    if random.below(3) == 0 {
                        let limit = Duration::from_micros(random.below(100));
                        let work = station.work(Duration::from_micros(random.below(100)));
                        if tokio::time::timeout(limit, work).await.is_err() {
                            dropped += 1;
                        }
                    } else {
                        assert_eq!(station.second_block(&text).await, Ok(text.to_uppercase()));
                    }
                }
                dropped
            })
        })
        .collect();
    let mut dropped = 0;
    for task in tasks {
        dropped += runtime.block_on(task).unwrap();
    }
    println!(
        "{dropped} of about 2667 were dropped, {} interrupted",
        probe.interrupts()
    );
    assert!(dropped > 0);
    runtime.block_on(station.close()).unwrap();
    assert_eq!(probe.alive(), 0);
}
