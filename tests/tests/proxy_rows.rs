//! Rust proxies: reading rows ahead of those who ask for them, unnoticed.

mod proxy_api;

use std::future::Future;
use std::task::{Context, Waker};
use std::time::Duration;

use async_proxy::CallError;
use futures::executor::block_on;
use proxy_api::*;

async fn numbers(probe: &Probe, to: i64) -> AsyncNumbers {
    let counter = AsyncCounter::open(probe.clone(), Options::default()).await.unwrap();
    counter.numbers(0, to).await.unwrap()
}

/// Bug: rows of the chunk are lost on `break` (aiosqlite loses up to 63), or come twice.
#[test]
fn an_iteration_broken_off_and_resumed_in_any_mix_gives_each_row_once_and_in_order() {
    block_on(async {
        let probe = Probe::default();
        let mut random = Random(1);
        for _ in 0..60 {
            let numbers = numbers(&probe, 1000).await;
            let mut rows = Vec::new();
            loop {
                let before = rows.len();
                match random.below(6) {
                    0 => rows.extend(numbers.fetch_one().await.unwrap()),
                    1 => rows.extend(numbers.fetch_many(Some(random.below(100) as usize)).await.unwrap()),
                    2 => rows.extend(numbers.fetch_many(None).await.unwrap()),
                    3 if random.below(20) == 0 => rows.extend(numbers.fetch_all().await.unwrap()),
                    _ => {
                        let mut stream = numbers.rows();
                        for _ in 0..random.below(150) {
                            match stream.next().await {
                                Some(row) => rows.push(row.unwrap()),
                                None => break,
                            }
                        }
                    }
                }
                if rows.len() == before && numbers.fetch_one().await.unwrap().is_none() {
                    break;
                }
                if rows.len() == before {
                    rows.push(rows.len() as i64);
                }
            }
            assert_eq!(rows, (0..1000).collect::<Vec<i64>>());
        }
    });
}

/// Bug: a row goes to a future that is dropped, and is lost.
#[test]
fn a_fetch_that_is_dropped_at_a_random_point_loses_no_row() {
    block_on(async {
        let probe = Probe::default();
        let mut random = Random(5);
        let numbers = numbers(&probe, 5000).await;
        let mut rows = Vec::new();
        let mut dropped = 0;
        while rows.len() < 5000 {
            let wait = Duration::from_micros(random.below(80));
            let keep = random.below(2) == 0;
            match random.below(3) {
                0 => {
                    let fetch = numbers.fetch_one();
                    std::thread::sleep(wait);
                    if keep {
                        rows.extend(fetch.await.unwrap())
                    } else {
                        dropped += 1
                    }
                }
                1 => {
                    let fetch = numbers.fetch_many(Some(random.below(20) as usize));
                    std::thread::sleep(wait);
                    if keep {
                        rows.extend(fetch.await.unwrap())
                    } else {
                        dropped += 1
                    }
                }
                _ => {
                    let mut stream = numbers.rows();
                    let mut next = Box::pin(stream.next());
                    match next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                        std::task::Poll::Ready(Some(row)) => rows.push(row.unwrap()),
                        _ => dropped += 1,
                    }
                }
            }
        }
        assert_eq!(rows, (0..5000).collect::<Vec<i64>>());
        assert!(dropped > 500);
    });
}

/// Bug: rows that several futures held come back in the wrong order.
#[test]
fn rows_that_come_back_stand_in_their_old_order() {
    block_on(async {
        let numbers = numbers(&Probe::default(), 100).await;
        assert_eq!(numbers.fetch_one().await, Ok(Some(0)));
        let held = (numbers.fetch_one(), numbers.fetch_many(Some(3)), numbers.fetch_one());
        let (first, second, third) = held;
        drop(first);
        drop(third);
        drop(second);
        assert_eq!(numbers.fetch_many(Some(6)).await, Ok(vec![1, 2, 3, 4, 5, 6]));
    });
}

/// Bug: an error read ahead is raised before the rows in front of it, or swallowed.
#[test]
fn an_error_at_a_row_is_raised_at_that_row() {
    block_on(async {
        let numbers = numbers(&Probe::default(), 0).await;
        let bad = || CallError::Call(Error("bad row".into()));
        numbers.restart_badly(20, 10, Duration::ZERO).await.unwrap();
        for expected in 0..10 {
            assert_eq!(numbers.fetch_one().await, Ok(Some(expected)));
        }
        assert_eq!(numbers.fetch_one().await, Err(bad()));
        assert_eq!(numbers.fetch_one().await, Ok(Some(11)));

        numbers.restart_badly(20, 10, Duration::ZERO).await.unwrap();
        let mut rows = numbers.rows();
        let mut count = 0;
        let error = loop {
            match rows.next().await {
                Some(Ok(_)) => count += 1,
                other => break other,
            }
        };
        assert_eq!((count, error), (10, Some(Err(bad()))));
        assert_eq!(rows.next().await, None, "a stream ends with an error");

        numbers.restart_badly(20, 10, Duration::ZERO).await.unwrap();
        assert_eq!(numbers.fetch_many(Some(5)).await, Ok(vec![0, 1, 2, 3, 4]));
        assert_eq!(numbers.fetch_all().await, Err(bad()));
        assert_eq!(numbers.fetch_all().await, Ok((11..20).collect()));
    });
}

/// Bug: rows of the old result set are given for those of the new one, or lost to a `restart` that never ran.
#[test]
fn a_new_result_set_drops_the_old_rows_when_it_is_its_turn_and_not_before() {
    block_on(async {
        let probe = Probe::default();
        let numbers = numbers(&probe, 100).await;
        assert_eq!(numbers.fetch_one().await, Ok(Some(0)));
        let waiting = numbers.counter().wait();
        probe.until_waiting();
        let before = numbers.fetch_one();
        let restart = numbers.restart(50, 60);
        let behind = numbers.fetch_one();
        let never = numbers.restart(70, 80);
        let last = numbers.fetch_many(Some(2));
        drop(never);
        probe.open_gate();
        waiting.await.unwrap();
        assert_eq!(last.await, Ok(vec![51, 52]));
        assert_eq!(behind.await, Ok(Some(50)));
        assert_eq!(before.await, Ok(Some(1)));
        restart.await.unwrap();
        // One that never runs drops nothing.
        numbers.restart(0, 100).await.unwrap();
        probe.close_gate();
        let waiting = numbers.counter().wait();
        probe.until_waiting();
        drop(numbers.restart(70, 80));
        probe.open_gate();
        waiting.await.unwrap();
        assert_eq!(numbers.fetch_one().await, Ok(Some(0)));
        // A fetch of the old result set that is dropped now does not put its row among the new ones.
        let old = numbers.fetch_one();
        numbers.restart(90, 92).await.unwrap();
        drop(old);
        assert_eq!(numbers.fetch_all().await, Ok(vec![90, 91]));
    });
}

/// Bug: clones that read at the same time get the same row, or a row out of turn.
#[test]
fn clones_that_read_at_the_same_time_share_the_rows_in_order() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap();
    let numbers = runtime.block_on(numbers(&Probe::default(), 20_000));
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let numbers = numbers.clone();
            runtime.spawn(async move {
                let mut rows = Vec::new();
                if task == 0 {
                    let mut stream = numbers.rows();
                    while let Some(row) = stream.next().await {
                        rows.push(row.unwrap());
                    }
                } else {
                    while let Some(row) = numbers.fetch_one().await.unwrap() {
                        rows.push(row);
                    }
                }
                rows
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        let rows = runtime.block_on(task).unwrap();
        assert!(rows.is_sorted(), "one reader's rows come in order");
        all.extend(rows);
    }
    all.sort_unstable();
    assert_eq!(all, (0..20_000).collect::<Vec<i64>>());
}

/// Bug: reading ahead has no bound, in rows or in time.
#[test]
fn a_chunk_ends_at_its_rows_and_at_its_time() {
    block_on(async {
        let probe = Probe::default();
        let numbers = numbers(&probe, 100_000).await;
        assert_eq!(numbers.fetch_one().await, Ok(Some(0)));
        numbers.counter().increment().await.unwrap();
        numbers.add(0).await.unwrap();
        assert_eq!(numbers.read(), 64, "what was read for one row is one chunk");
        numbers.restart(0, 0).await.unwrap();
        let waiting = numbers.counter().wait();
        let begin = numbers.restart(0, 100_000);
        let fetches: Vec<_> = (0..10).map(|_| numbers.fetch_one()).collect();
        probe.open_gate();
        waiting.await.unwrap();
        begin.await.unwrap();
        for (expected, fetch) in (0..).zip(fetches) {
            assert_eq!(fetch.await, Ok(Some(expected)));
        }
        numbers.add(0).await.unwrap();
        assert_eq!(
            numbers.read(),
            128,
            "a fetch that waited takes what the one before it has read"
        );
        let started = std::time::Instant::now();
        numbers
            .restart_badly(100, 1000, Duration::from_millis(5))
            .await
            .unwrap();
        assert_eq!(numbers.fetch_one().await, Ok(Some(0)));
        assert_eq!(numbers.fetch_one().await, Ok(Some(1)));
        assert!(started.elapsed() < Duration::from_millis(200));
    });
}

/// Bug: most rows of an iteration cost a trip to the worker.
#[test]
fn most_rows_of_an_iteration_are_there_when_they_are_asked_for() {
    block_on(async {
        let numbers = numbers(&Probe::default(), 6400).await;
        let mut stream = numbers.rows();
        let mut waited = 0;
        loop {
            let mut next = Box::pin(stream.next());
            let row = match next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                std::task::Poll::Ready(row) => row,
                std::task::Poll::Pending => {
                    waited += 1;
                    next.await
                }
            };
            match row {
                Some(row) => row.unwrap(),
                None => break,
            };
        }
        assert!(waited <= 6400 / 32, "{waited} rows were waited for");
    });
}

/// Bug: the next chunk is read when the last is used up, so that each chunk is waited for.
#[test]
fn the_next_chunk_is_read_while_the_rows_of_the_last_are_consumed() {
    block_on(async {
        let chunks = 20;
        let numbers = numbers(&Probe::default(), chunks * 64).await;
        let mut stream = numbers.rows();
        let (mut waited, mut rows) = (0, 0);
        loop {
            let mut next = Box::pin(stream.next());
            let row = match next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                std::task::Poll::Ready(row) => row,
                std::task::Poll::Pending => {
                    waited += 1;
                    next.await
                }
            };
            let Some(row) = row else { break };
            assert_eq!(row, Ok(rows));
            rows += 1;
            // What is done with a row takes longer than reading it.
            std::thread::sleep(Duration::from_micros(100));
        }
        assert_eq!(rows, chunks * 64);
        assert!(waited < chunks / 2, "{waited} of {chunks} chunks were waited for");
    });
}
