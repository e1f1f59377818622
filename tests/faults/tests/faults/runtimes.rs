//! Runtimes that end, that are not there yet, that are two.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use turso_driver::{ConnectOptions, connect_async};

use crate::executor::{EACH, Executor, ONCE, tokio_one_thread, tokio_threads};
use crate::matrix::{DRIVER, Fault, hanging};
use crate::scratch::{ENDLESS, Scratch, number};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "runtime shut down with calls under way",
        bug: "a waker of a runtime that is gone ends the worker; what runs is not interrupted",
        worker: DRIVER,
        executors: ONCE,
        run: runtime_shut_down,
    },
    Fault {
        name: "made outside of any runtime",
        bug: "a connection belongs to the runtime in which it was made",
        worker: DRIVER,
        executors: EACH,
        run: made_outside,
    },
    Fault {
        name: "two runtimes at once",
        bug: "a result goes to the runtime that happens to be there",
        worker: DRIVER,
        executors: ONCE,
        run: two_runtimes,
    },
];

fn runtime_shut_down(_: Executor) -> String {
    let scratch = Scratch::new();
    let connection = futures::executor::block_on(scratch.with_table());
    let mut longest = Duration::ZERO;
    for round in 0..12 {
        let runtime = if round % 2 == 0 {
            tokio_one_thread()
        } else {
            tokio_threads()
        };
        for _ in 0..5 {
            let connection = connection.clone();
            // The first runs, the others wait behind it.
            runtime.spawn(async move { connection.execute(ENDLESS, ()).await.map(drop) });
        }
        runtime.block_on(tokio::task::yield_now());
        std::thread::sleep(Duration::from_millis(round));
        match round % 3 {
            0 => runtime.shutdown_background(),
            1 => runtime.shutdown_timeout(Duration::from_secs(1)),
            _ => drop(runtime),
        }
        let started = Instant::now();
        let one = tokio_one_thread()
            .block_on(async { tokio::time::timeout(hanging(), number(&connection, "SELECT 1")).await });
        assert_eq!(one.expect("the connection is free"), 1);
        longest = longest.max(started.elapsed());
    }
    tokio_threads().block_on(connection.close()).expect("it closes");
    format!("12 runtimes; next result at most {} ms later", longest.as_millis())
}

fn made_outside(executor: Executor) -> String {
    let scratch = Scratch::new();
    let opening = connect_async(scratch.path("faults.db"), ConnectOptions::default());
    let connection = executor.run(opening).expect("it opens");
    // Made here, awaited there.
    let table = connection.execute("CREATE TABLE t (a INTEGER)", ());
    executor.run(table).expect("a table");
    let commit = connection.commit();
    executor.run(commit).expect("a commit");
    let close = connection.close();
    executor.run(close).expect("it closes");
    assert_eq!(scratch.count(), 0);
    String::new()
}

fn two_runtimes(_: Executor) -> String {
    let scratch = Scratch::new();
    let connection = futures::executor::block_on(scratch.with_table());
    std::thread::scope(|scope| {
        for (index, runtime) in [tokio_one_thread(), tokio_threads()].into_iter().enumerate() {
            let connection = connection.clone();
            scope.spawn(move || {
                for wanted in 0..300 {
                    let wanted = wanted * 2 + index as i64;
                    let asked = pin!(async {
                        let cursor = connection.execute("SELECT ?", (wanted,)).await.expect("no error");
                        cursor.fetchone().await.expect("no error").expect("a row")
                    });
                    let row = runtime.block_on(async {
                        // The time first: when it is over, a result that nobody was told of is none.
                        let time = pin!(tokio::time::sleep(hanging()));
                        match select(time, asked).await {
                            Either::Left(_) => panic!("a result may be there, and nobody was told"),
                            Either::Right((row, _)) => row,
                        }
                    });
                    assert_eq!(row.get::<i64>(0).expect("a number"), wanted);
                }
            });
        }
    });
    futures::executor::block_on(connection.close()).expect("it closes");
    "600 results right".to_owned()
}
