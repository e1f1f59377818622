//! Code of the user's that runs on the worker: it panics, and it calls back.

use std::panic::panic_any;
use std::time::Duration;

use async_proxy::CallError;

use crate::desk::{AsyncDesk, Watch};
use crate::executor::{EACH, Executor};
use crate::matrix::{DESK, DRIVER, Fault, hanging};
use crate::scratch::{Scratch, number};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "panic in a call",
        bug: "a panic ends the worker, or is told to somebody else",
        worker: DESK,
        executors: EACH,
        run: panic_in_a_call,
    },
    Fault {
        name: "parameters that panic",
        bug: "a panic in the middle of executemany leaves the engine locked, or half a statement that can't be undone",
        worker: DRIVER,
        executors: EACH,
        run: parameters_that_panic,
    },
    Fault {
        name: "callback on its own connection",
        bug: "code on the worker that uses its own connection deadlocks",
        worker: DESK,
        executors: EACH,
        run: callback_on_its_own_connection,
    },
    Fault {
        name: "parameters whose call is cancelled",
        bug: "an iterator that goes on for ever is asked for more when nobody waits",
        worker: DRIVER,
        executors: EACH,
        run: parameters_whose_call_is_cancelled,
    },
];

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a bomb went off");
    }
}

fn panic_in_a_call(executor: Executor) -> String {
    executor.run(async move {
        let desk = AsyncDesk::open(Watch::default()).await.expect("it opens");
        for round in 0..100 {
            let panicking = match round % 3 {
                0 => desk.call_back(Box::new(|_| panic!("text"))),
                1 => desk.call_back(Box::new(|_| panic_any(7))),
                _ => desk.call_back(Box::new(|_| panic_any(Bomb))),
            };
            let next = desk.ask("SELECT ?", round);
            assert!(matches!(panicking.await, Err(CallError::Panicked(_))));
            assert_eq!(next.await.expect("the worker lives"), round);
        }
        desk.close().await.expect("it closes");
        "100 panics".to_owned()
    })
}

fn parameters_that_panic(executor: Executor) -> String {
    executor.run(async move {
        let scratch = Scratch::new();
        let connection = scratch.with_table().await;
        for round in 0..30_i64 {
            connection
                .execute("INSERT INTO t VALUES (-1)", ())
                .await
                .expect("no error");
            let parameters = (0..).map(move |number: i64| {
                assert!(number < round, "no more parameters");
                (number,)
            });
            let parameters = turso_driver::ParamsSequence::new(parameters);
            let result = connection.executemany("INSERT INTO t VALUES (?)", parameters).await;
            assert!(matches!(result, Err(CallError::Panicked(message)) if message == "no more parameters"));
            // As after any error in the middle of executemany: the transaction is open, and can be rolled back.
            assert!(connection.in_transaction().expect("it is open"));
            assert_eq!(number(&connection, "SELECT count(*) FROM t").await, round + 1);
            connection.rollback().await.expect("a rollback");
            assert_eq!(number(&connection, "SELECT count(*) FROM t").await, 0);
        }
        connection.close().await.expect("it closes");
        assert_eq!(scratch.count(), 0);
        "30 panics".to_owned()
    })
}

fn callback_on_its_own_connection(executor: Executor) -> String {
    executor.run(async move {
        let desk = AsyncDesk::open(Watch::default()).await.expect("it opens");
        for round in 0..30 {
            let inner = desk.clone();
            let answer = desk.call_back(Box::new(move |connection| {
                // In place, by the blocking API; and queued, by its own proxy, which is dropped here.
                drop(inner.ask("SELECT ?", 1));
                drop(inner);
                let mut cursor = connection.execute("SELECT ?", [round]).expect("no error");
                cursor
                    .fetchone()
                    .expect("no error")
                    .expect("a row")
                    .get(0)
                    .expect("a number")
            }));
            let answer = executor.timeout(hanging(), answer).await;
            assert_eq!(answer.expect("it does not wait for itself"), Ok(round));
        }
        // An iterator of parameters that reads what executemany has inserted so far.
        let inner = desk.clone();
        let numbers = (0..3).inspect(move |_| drop(inner.in_transaction()));
        assert_eq!(desk.insert(Box::new(numbers)).await.expect("no error"), 3);
        assert!(desk.in_transaction().await.expect("it is open"));
        desk.close().await.expect("it closes");
        String::new()
    })
}

fn parameters_whose_call_is_cancelled(executor: Executor) -> String {
    executor.run(async move {
        let scratch = Scratch::new();
        let connection = scratch.with_table().await;
        for _ in 0..10 {
            let endless = turso_driver::ParamsSequence::new((0..).map(|number: i64| (number,)));
            let call = connection.executemany("INSERT INTO t VALUES (?)", endless);
            assert!(executor.timeout(Duration::from_millis(10), call).await.is_none());
            let left = executor.timeout(hanging(), number(&connection, "SELECT count(*) FROM t"));
            assert_eq!(left.await.expect("nobody waits for it, and it goes on"), 0);
            assert!(!connection.in_transaction().expect("it is open"));
        }
        connection.close().await.expect("it closes");
        "10 endless sequences".to_owned()
    })
}
