//! Many connections, and a long time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use turso_driver::{ConnectOptions, connect_async};

use crate::executor::{Executor, ONCE, tokio_threads};
use crate::matrix::{DRIVER, Fault, hanging};
use crate::random::Random;
use crate::resources::{Resources, memory};
use crate::scratch::{ENDLESS, ENDLESS_WRITE, Scratch, number};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "a thousand connections at once",
        bug: "a result goes to another connection; a thread or a file is left",
        worker: DRIVER,
        executors: &[Executor::TokioThreads, Executor::Smol],
        run: a_thousand_connections,
    },
    Fault {
        name: "soak",
        bug: "memory, threads or files grow with use",
        worker: DRIVER,
        executors: ONCE,
        run: soak,
    },
];

/// How long the soak lasts.
pub(crate) fn soak_time() -> Duration {
    let seconds = std::env::var("ASYNC_PROXY_SOAK_SECONDS").ok();
    Duration::from_secs(seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(10))
}

fn a_thousand_connections(executor: Executor) -> String {
    executor.run(async move {
        let started = Instant::now();
        let mut connections = Vec::new();
        let openings: Vec<_> = (0..1_000)
            .map(|_| connect_async(":memory:", ConnectOptions::default()))
            .collect();
        for opening in openings {
            connections.push(opening.await.expect("it opens"));
        }
        let threads = Resources::now().threads;
        let tasks = (0_i64..)
            .zip(&connections)
            .map(|(index, connection)| {
                let connection = connection.clone();
                let task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
                    connection
                        .execute("CREATE TABLE t (a INTEGER)", ())
                        .await
                        .expect("a table");
                    connection
                        .execute("INSERT INTO t VALUES (?)", (index,))
                        .await
                        .expect("a row");
                    assert_eq!(number(&connection, "SELECT a FROM t").await, index);
                    if index % 2 == 0 {
                        connection.close().await.expect("it closes");
                    }
                });
                task
            })
            .collect();
        executor.together(tasks).await;
        drop(connections);
        format!("{threads} threads, {:.1} s", started.elapsed().as_secs_f64())
    })
}

fn soak(_: Executor) -> String {
    let scratch = Arc::new(Scratch::new());
    let runtime = tokio_threads();
    let end = Instant::now() + soak_time();
    let warm = Instant::now() + soak_time() / 3;
    let mut memory_before = None;
    // The runtime's own threads have started when the first round is over.
    runtime.block_on(soak_round(scratch.clone(), 0));
    let before = settled();
    let mut rounds = 1;
    while Instant::now() < end {
        runtime.block_on(soak_round(scratch.clone(), rounds));
        rounds += 1;
        if memory_before.is_none() && Instant::now() >= warm {
            memory_before = memory();
        }
    }
    before.check_restored().unwrap_or_else(|left| panic!("{left}"));
    let remark = match (memory_before, memory()) {
        (Some(before), Some(after)) => {
            let grown = after.saturating_sub(before) / 1024;
            assert!(grown < 24 * 1024, "memory has grown by {grown} KiB");
            format!(", memory +{grown} KiB")
        }
        _ => String::new(),
    };
    drop(runtime);
    format!("{rounds} rounds in {} s{remark}", soak_time().as_secs())
}

/// What is held when threads that are about to end have ended: the least that was seen within a second.
fn settled() -> Resources {
    (0..50)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(20));
            Resources::now()
        })
        .min_by_key(|seen| (seen.threads, seen.files))
        .expect("it looked")
}

/// One of everything, in tasks beside each other.
async fn soak_round(scratch: Arc<Scratch>, round: u64) {
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let scratch = scratch.clone();
            tokio::spawn(async move {
                let mut random = Random(round * 4 + task);
                let connection = scratch.with_table().await;
                for _ in 0..10 {
                    match random.below(6) {
                        0 => drop(connection.execute(ENDLESS, ())),
                        1 => {
                            let limit = Duration::from_micros(random.below(3_000));
                            let _ = tokio::time::timeout(limit, connection.execute(ENDLESS_WRITE, ())).await;
                            connection.rollback().await.expect("a rollback");
                        }
                        2 => {
                            let path = scratch.path("missing").join("a.db");
                            assert!(connect_async(path, ConnectOptions::default()).await.is_err());
                        }
                        3 => {
                            let rows = connection
                                .execute("SELECT value FROM generate_series(1, 500)", ())
                                .await
                                .expect("no error");
                            for wanted in 1..=random.below(100) as i64 {
                                let row = rows.fetchone().await.expect("no error").expect("a row");
                                assert_eq!(row.get::<i64>(0).expect("a number"), wanted);
                            }
                        }
                        4 => assert_eq!(number(&connection, "SELECT 42").await, 42),
                        _ => {
                            // Others may hold the lock: that is an error here, never a hang.
                            let parameters = [(1,), (2,), (3,)];
                            let _ = connection.executemany("INSERT INTO t VALUES (?)", parameters).await;
                            let _ = connection.rollback().await;
                        }
                    }
                }
                if random.below(2) == 0 {
                    connection.close().await.expect("it closes");
                }
            })
        })
        .collect();
    for task in tasks {
        tokio::time::timeout(hanging() * 3, task)
            .await
            .expect("nothing hangs")
            .expect("no panic");
    }
}
