//! Processes that end: by themselves with a connection open, by a limit on their files, by a signal.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use async_proxy::CallError;
use futures::executor::block_on;
use turso_driver::{AsyncConnection, ConnectOptions, connect, connect_async};

use crate::executor::{Executor, ONCE, sleep};
use crate::matrix::{DRIVER, Fault, hanging};
use crate::process::{DATABASE, Process, TASK};
use crate::random::Random;
use crate::scratch::{ENDLESS, ENDLESS_WRITE, Scratch, number};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "process exit with the connection open",
        bug: "a process does not end, or not with its status, or loses what was committed",
        worker: DRIVER,
        executors: ONCE,
        run: exit_with_the_connection_open,
    },
    #[cfg(unix)]
    Fault {
        name: "full disk in a transaction",
        bug: "an I/O error panics, hangs, or damages what was committed",
        worker: DRIVER,
        executors: ONCE,
        run: full_disk,
    },
    Fault {
        name: "process killed while it writes",
        bug: "a committed row is gone, or half a transaction is there",
        worker: DRIVER,
        executors: ONCE,
        run: killed_while_it_writes,
    },
];

/// How processes end that have a connection open, and with which status.
const EXITS: &[(&str, i32)] = &[
    ("exit in a static", 7),
    ("exit while a query runs", 8),
    ("exit while a write runs", 9),
    ("exit with a transaction open", 10),
    ("exit with a result half read", 11),
    ("return from main", 0),
    ("return from main while a query runs", 3),
];

/// Rows of each transaction that the process which is killed makes.
const BATCH: i64 = 5;

/// Does what the environment says, in a process that was started for it.
pub(crate) fn run_as_child() -> Option<ExitCode> {
    let task = std::env::var(TASK).ok()?;
    let database = std::env::var_os(DATABASE).expect("a database");
    let database = Path::new(&database);
    Some(match task.as_str() {
        "write" => write_for_ever(database),
        "fill" => fill(database),
        exit => leave(exit, database),
    })
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")
        .and_then(|()| output.flush())
        .expect("somebody listens");
}

/// Leaves with the connection open.
fn leave(how: &str, database: &Path) -> ExitCode {
    static CONNECTION: OnceLock<AsyncConnection> = OnceLock::new();
    let connection = block_on(connect_async(database, ConnectOptions::default())).expect("it opens");
    let connection = CONNECTION.get_or_init(|| connection);
    block_on(async {
        connection
            .execute("INSERT INTO t VALUES (1)", ())
            .await
            .expect("no error");
        connection.commit().await.expect("a commit");
    });
    let status = EXITS.iter().find(|(name, _)| *name == how).expect("a known way").1;
    let running = match how {
        "exit while a query runs" | "return from main while a query runs" => Some(connection.execute(ENDLESS, ())),
        "exit while a write runs" => Some(connection.execute(ENDLESS_WRITE, ())),
        "exit with a transaction open" => {
            drop(block_on(connection.execute("INSERT INTO t VALUES (2)", ())).expect("no error"));
            None
        }
        "exit with a result half read" => {
            let rows = block_on(connection.execute("SELECT value FROM generate_series(1, 100000)", ()));
            let rows = rows.expect("no error");
            block_on(rows.fetchone()).expect("no error");
            std::mem::forget(rows);
            None
        }
        _ => None,
    };
    if running.is_some() {
        block_on(sleep(Duration::from_millis(30)));
    }
    say("leaving");
    if how.starts_with("exit") {
        // Nothing is dropped.
        std::process::exit(status);
    }
    drop(running);
    ExitCode::from(u8::try_from(status).expect("a small status"))
}

fn exit_with_the_connection_open(_: Executor) -> String {
    let mut longest = Duration::ZERO;
    for (how, wanted) in EXITS {
        let scratch = Scratch::new();
        drop(block_on(async {
            let connection = scratch.with_table().await;
            connection.close().await
        }));
        let mut process = Process::start(how, &scratch.path("faults.db"));
        let line = process.line();
        let (status, took, said) = process.end();
        assert_eq!(line.as_deref(), Some("leaving"), "{how}: {said}");
        assert_eq!(status.code(), Some(*wanted), "{how}: {said}");
        assert!(said.is_empty(), "{how}: it said {said}");
        assert!(took < hanging(), "{how}: it took {took:?}");
        longest = longest.max(took);
        assert_eq!(scratch.count(), 1, "{how}: rows that were committed, and no others");
    }
    format!("{} ways, at most {} ms", EXITS.len(), longest.as_millis())
}

/// Writes until the limit on its files is reached, inside of a transaction; says what it finds then.
fn fill(database: &Path) -> ExitCode {
    block_on(async {
        let connection = connect_async(database, ConnectOptions::default())
            .await
            .expect("it opens");
        let mut error = None;
        for _ in 0..10_000 {
            let insert = "INSERT INTO t (a) SELECT value FROM generate_series(1, 2000)";
            match connection.execute(insert, ()).await.map(drop) {
                Ok(()) => {}
                Err(found) => {
                    error = Some(found);
                    break;
                }
            }
            // Some of it is committed on the way.
            match connection.commit().await {
                Ok(()) => say("committed"),
                Err(found) => {
                    error = Some(found);
                    break;
                }
            }
        }
        match error {
            Some(CallError::Call(error)) => say(&format!("error {}", error.to_string().replace('\n', " "))),
            Some(other) => say(&format!("wrong {other}")),
            None => say("wrong no error"),
        }
        let rolled_back = connection.rollback().await;
        // Usable, or cleanly dead: an answer or an error, and no hang.
        let counted = match connection.execute("SELECT count(*) FROM t", ()).await {
            Ok(cursor) => match cursor.fetchone().await {
                Ok(row) => row.expect("a row").get::<i64>(0).expect("a number").to_string(),
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        say(&format!(
            "then {} {counted}",
            if rolled_back.is_ok() {
                "rolled back"
            } else {
                "not rolled back"
            }
        ));
        match connection.close().await {
            Ok(()) => say("closed"),
            Err(error) => say(&format!("closed {error}")),
        }
    });
    ExitCode::SUCCESS
}

#[cfg(unix)]
fn full_disk(_: Executor) -> String {
    let mut remarks = Vec::new();
    for blocks in [200, 400, 1_000] {
        let scratch = Scratch::new();
        drop(block_on(async {
            let connection = scratch.with_table().await;
            connection.close().await
        }));
        let mut process = Process::start_with_small_files("fill", &scratch.path("faults.db"), blocks);
        let mut lines = Vec::new();
        while let Some(line) = process.line() {
            let last = line.starts_with("closed");
            lines.push(line);
            if last {
                break;
            }
        }
        let (status, _, said) = process.end();
        let committed = lines.iter().filter(|line| *line == "committed").count() as i64;
        assert!(status.success(), "{lines:?} {said}");
        let error = lines
            .iter()
            .find_map(|line| line.strip_prefix("error "))
            .map(str::to_owned);
        let error = error.unwrap_or_else(|| panic!("no DB-API error: {lines:?} {said}"));
        assert!(lines.iter().any(|line| line.starts_with("closed")), "{lines:?}");
        let found = scratch.count();
        // A commit whose file could not grow further may have been told as failed and be there all the same.
        assert!(
            found == committed * 2_000 || found == (committed + 1) * 2_000,
            "{committed} transactions were committed and {found} rows are there: {lines:?}"
        );
        let then = lines
            .iter()
            .find(|line| line.starts_with("then "))
            .cloned()
            .unwrap_or_default();
        remarks.push(format!("{committed} committed, \"{error}\", {then}"));
    }
    remarks.swap_remove(0)
}

/// Writes transactions of several rows each, and says the number of each that is committed.
fn write_for_ever(database: &Path) -> ExitCode {
    block_on(async {
        let connection = connect_async(database, ConnectOptions::default())
            .await
            .expect("it opens");
        let first = number(&connection, "SELECT coalesce(max(a), 0) FROM t").await;
        for transaction in first + 1.. {
            let rows: Vec<_> = (0..BATCH).map(|_| (transaction,)).collect();
            connection
                .executemany("INSERT INTO t VALUES (?)", rows)
                .await
                .expect("no error");
            connection.commit().await.expect("a commit");
            say(&transaction.to_string());
        }
    });
    ExitCode::FAILURE
}

fn killed_while_it_writes(_: Executor) -> String {
    let kills: u64 = std::env::var("ASYNC_PROXY_KILLS")
        .ok()
        .and_then(|kills| kills.parse().ok())
        .unwrap_or(300);
    // Two processes at a time, each with a database of its own.
    let transactions: i64 = thread::scope(|scope| {
        let lanes = [31, 32].map(|seed| scope.spawn(move || kill_again_and_again(seed, kills.div_ceil(2))));
        let whole = lanes.map(|lane| lane.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        whole.iter().sum()
    });
    format!("{} kills, {transactions} transactions whole", 2 * kills.div_ceil(2))
}

/// Kills a process that writes so many times; how many transactions are whole then.
fn kill_again_and_again(seed: u64, kills: u64) -> i64 {
    let scratch = Scratch::new();
    drop(block_on(async {
        let connection = scratch.with_table().await;
        connection.close().await
    }));
    let mut random = Random(seed);
    let mut transactions = 0;
    for round in 0..kills {
        let mut process = Process::start("write", &scratch.path("faults.db"));
        let first = process.line().expect("it writes");
        thread::sleep(Duration::from_micros(random.below(30_000)));
        process.kill();
        let last = process.last_line().unwrap_or(first);
        let told: i64 = last.parse().expect("a number");
        let rows = scratch.count();
        assert!(
            rows >= told * BATCH,
            "round {round}: {told} transactions were committed, {rows} rows are there"
        );
        assert!(
            rows <= (told + 1) * BATCH,
            "round {round}: {rows} rows after {told} transactions"
        );
        assert_eq!(rows % BATCH, 0, "round {round}: half a transaction is there");
        let connection = connect(scratch.path("faults.db"), ConnectOptions::default()).expect("it opens");
        let uneven = format!("SELECT count(*) FROM (SELECT a FROM t GROUP BY a HAVING count(*) <> {BATCH})");
        let mut cursor = connection.execute(&uneven, ()).expect("no error");
        let uneven: i64 = cursor
            .fetchone()
            .expect("no error")
            .expect("a row")
            .get(0)
            .expect("a number");
        assert_eq!(uneven, 0, "round {round}: a transaction is not whole");
        drop(cursor);
        connection.close().expect("it closes");
        transactions = rows / BATCH;
    }
    transactions
}
