//! Connections that never come to be.

use std::future::Future;
use std::task::{Context, Waker};
use std::time::Duration;

use async_proxy::CallError;
use turso_driver::{Autocommit, ConnectOptions, connect_async};

use crate::desk::{AsyncDesk, Watch, wait_until};
use crate::executor::{EACH, Executor};
use crate::matrix::{DESK, DRIVER, Fault};
use crate::random::Random;
use crate::scratch::Scratch;

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "open that fails",
        bug: "each failed open leaves a thread or a file",
        worker: DRIVER,
        executors: EACH,
        run: open_that_fails,
    },
    Fault {
        name: "open that is dropped",
        bug: "an open that nobody waits for leaves a thread or an open file",
        worker: DRIVER,
        executors: EACH,
        run: open_that_is_dropped,
    },
    Fault {
        name: "open that is never awaited",
        bug: "an object whose proxy nobody took is never dropped",
        worker: DESK,
        executors: EACH,
        run: open_that_is_never_awaited,
    },
];

fn open_that_fails(executor: Executor) -> String {
    executor.run(async move {
        let scratch = Scratch::new();
        std::fs::write(
            scratch.path("text"),
            "no database at all, but long enough to be looked at ".repeat(50),
        )
        .expect("a file");
        let missing = scratch.path("missing").join("a.db");
        let folder = scratch.path("");
        for _ in 0..25 {
            for path in [&missing, &folder, &scratch.path("text")] {
                let connection = match connect_async(path, ConnectOptions::default()).await {
                    Err(CallError::Call(_)) => continue,
                    Err(other) => panic!("{}: {other}", path.display()),
                    Ok(connection) => connection,
                };
                // As in sqlite3, that a file is no database may be found out by the first statement.
                let read = connection.execute("SELECT * FROM sqlite_schema", ()).await;
                assert!(matches!(read, Err(CallError::Call(_))), "{}", path.display());
                connection.close().await.expect("it closes");
            }
        }
        let left = std::fs::read_dir(scratch.path("")).expect("a folder").count();
        assert_eq!(left, 1, "a failed open left a file");
        "75 failed".to_owned()
    })
}

fn open_that_is_dropped(executor: Executor) -> String {
    executor.run(async move {
        let scratch = Scratch::new();
        drop(scratch.with_table().await);
        let mut random = Random(29);
        for round in 0..200 {
            let options = if round % 2 == 0 {
                ConnectOptions::default()
            } else {
                // It begins a transaction at once.
                ConnectOptions::default().autocommit(Autocommit::Disabled)
            };
            let mut open = Box::pin(connect_async(scratch.path("faults.db"), options));
            std::thread::sleep(Duration::from_micros(random.below(4_000)));
            if round % 3 == 0 {
                let _ = open.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            drop(open);
        }
        "200 dropped".to_owned()
    })
}

fn open_that_is_never_awaited(executor: Executor) -> String {
    let watch = Watch::default();
    let inside = watch.clone();
    executor.run(async move {
        for _ in 0..100 {
            drop(AsyncDesk::open(inside.clone()));
        }
        let kept: Vec<_> = (0..10).map(|_| AsyncDesk::open(inside.clone())).collect();
        wait_until("they are open", || inside.alive() >= 10);
        drop(kept);
    });
    wait_until("all are dropped", || watch.alive() == 0);
    "110 given up".to_owned()
}
