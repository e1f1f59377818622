//! Ends of connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_proxy::CallError;

use crate::executor::{EACH, Executor, sleep};
use crate::matrix::{DRIVER, Fault, hanging};
use crate::random::Random;
use crate::scratch::{ENDLESS, Scratch};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "close races with calls and closes",
        bug: "a call left behind the one that ends the worker hangs; a second close hangs or fails",
        worker: DRIVER,
        executors: EACH,
        run: close_races,
    },
    Fault {
        name: "close while a query runs",
        bug: "close waits for a statement that nobody waits for; a dropped close leaves the file open",
        worker: DRIVER,
        executors: EACH,
        run: close_while_a_query_runs,
    },
    Fault {
        name: "calls after close",
        bug: "a call on a closed connection hangs, or is told something else",
        worker: DRIVER,
        executors: EACH,
        run: calls_after_close,
    },
    Fault {
        name: "dropped without close",
        bug: "the thread, the file or the open transaction outlives the last proxy",
        worker: DRIVER,
        executors: EACH,
        run: dropped_without_close,
    },
];

fn close_races(executor: Executor) -> String {
    executor.run(async move {
        let scratch = Arc::new(Scratch::new());
        let (ran, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut random = Random(3);
        for _ in 0..25 {
            let connection = scratch.with_table().await;
            let mut tasks: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>> = Vec::new();
            for task in 0..6_i64 {
                let (connection, ran, refused) = (connection.clone(), ran.clone(), refused.clone());
                let pause = Duration::from_micros(random.below(3_000));
                tasks.push(Box::pin(async move {
                    if task < 2 {
                        // Two close, at about the same time.
                        sleep(pause).await;
                        connection.close().await.expect("it closes");
                    }
                    for call in 0..20 {
                        match connection.execute("SELECT ?", (task * 100 + call,)).await {
                            Ok(cursor) => {
                                match cursor.fetchone().await {
                                    Ok(row) => {
                                        let number: i64 = row.expect("a row").get(0).expect("a number");
                                        assert_eq!(number, task * 100 + call);
                                    }
                                    Err(CallError::Closed) => {}
                                    Err(other) => panic!("a fetch gave {other}"),
                                }
                                ran.fetch_add(1, Ordering::SeqCst)
                            }
                            Err(CallError::Closed) => refused.fetch_add(1, Ordering::SeqCst),
                            Err(other) => panic!("a call gave {other}"),
                        };
                    }
                }));
            }
            let all = executor.timeout(hanging(), executor.together(tasks)).await;
            assert!(all.is_some(), "a call or a close hangs");
        }
        let (ran, refused) = (ran.load(Ordering::SeqCst), refused.load(Ordering::SeqCst));
        assert!(ran > 0 && refused > 0, "{ran} ran, {refused} refused: not a race");
        assert_eq!(ran + refused, 25 * 6 * 20);
        format!("{ran} calls ran, {refused} refused, 50 closes")
    })
}

fn close_while_a_query_runs(executor: Executor) -> String {
    executor.run(async move {
        let scratch = Scratch::new();
        let mut longest = Duration::ZERO;
        for round in 0..12 {
            let connection = scratch.with_table().await;
            let victim = connection.execute(ENDLESS, ());
            sleep(Duration::from_millis(round)).await;
            let close = connection.close();
            let started = Instant::now();
            if round % 2 == 0 {
                drop(victim);
                let closed = executor.timeout(hanging(), close).await;
                closed.expect("it does not wait for the statement").expect("it closes");
            } else {
                // The close that is given up is a close all the same, and the query that runs is not cut short by it.
                drop(close);
                assert!(matches!(connection.commit().await, Err(CallError::Closed)));
                drop(victim);
                let closed = executor.timeout(hanging(), connection.close()).await;
                closed
                    .expect("it does not wait for the statement")
                    .expect("the second waits for the first");
            }
            longest = longest.max(started.elapsed());
        }
        format!("closed at most {} ms later", longest.as_millis())
    })
}

fn calls_after_close(executor: Executor) -> String {
    executor.run(async move {
        let scratch = Scratch::new();
        let connection = scratch.with_table().await;
        let cursor = connection.cursor().await.expect("a cursor");
        connection.close().await.expect("it closes");
        let closed = |result: Result<(), CallError<turso_driver::Error>>| {
            assert!(matches!(result, Err(CallError::Closed)), "{result:?}");
        };
        for _ in 0..100 {
            closed(connection.cursor().await.map(drop));
            closed(connection.execute("SELECT 1", ()).await.map(drop));
            closed(connection.executescript("SELECT 1").await.map(drop));
            closed(connection.commit().await);
            closed(connection.rollback().await);
            closed(cursor.execute("SELECT 1", ()).await.map(drop));
            closed(cursor.fetchone().await.map(drop));
            closed(cursor.fetchall().await.map(drop));
            closed(connection.interrupt());
            closed(connection.in_transaction().map(drop));
            connection.close().await.expect("closing again does nothing");
            cursor.close().await.expect("so does closing what was closed with it");
        }
        "1000 calls refused at once".to_owned()
    })
}

fn dropped_without_close(executor: Executor) -> String {
    executor.run(async move {
        let scratch = Scratch::new();
        for round in 0..20 {
            let connection = scratch.with_table().await;
            connection
                .execute("INSERT INTO t VALUES (1)", ())
                .await
                .expect("no error");
            connection.commit().await.expect("a commit");
            let half_read = connection
                .execute("SELECT value FROM generate_series(1, 1000)", ())
                .await
                .expect("no error");
            half_read.fetchone().await.expect("no error");
            let open = connection
                .execute("INSERT INTO t VALUES (2)", ())
                .await
                .expect("no error");
            let running = (round % 2 == 0).then(|| connection.execute(ENDLESS, ()));
            drop(connection);
            drop(open);
            drop(half_read);
            drop(running);
        }
        crate::desk::wait_until("what was dropped is closed", || {
            let connection = turso_driver::connect(scratch.path("faults.db"), Default::default()).expect("it opens");
            connection
                .execute("INSERT INTO t VALUES (3)", ())
                .and_then(|_| connection.rollback())
                .is_ok()
        });
        assert_eq!(scratch.count(), 20);
        "20 open transactions rolled back".to_owned()
    })
}
