use std::sync::Barrier;
use std::time::{Duration, Instant};

use super::{Scratch, assert_programming, integers, value};
use crate::{ConnectOptions, Connection, Error, IsolationLevel, Result, Value};

/// Runs for minutes if nobody stops it.
const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// Interrupts what a task does on a connection, as often as it takes until the task has ended.
fn interrupted<T: Send>(connection: &Connection, task: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let task = scope.spawn(task);
        while !task.is_finished() {
            std::thread::sleep(Duration::from_millis(20));
            connection.interrupt().unwrap();
        }
        task.join().expect("no panic")
    })
}

fn assert_interrupted<T>(result: Result<T>) {
    match result {
        Ok(_) => panic!("it was not interrupted"),
        Err(error) => {
            assert!(matches!(error, Error::Operational(_)), "{error:?}");
            assert_eq!(error.to_string(), "interrupted");
            assert_eq!(error.sqlite_errorcode(), Some(9));
        }
    }
}

#[test]
fn an_interrupt_ends_a_long_query_soon() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let started = Instant::now();
    assert_interrupted(interrupted(&connection, || connection.execute(ENDLESS, ())));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(value(&connection, "SELECT 1"), Value::Integer(1));
}

#[test]
fn an_interrupt_when_nothing_runs_is_forgotten_also_beside_a_half_read_cursor() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let mut half_read = connection
        .execute("SELECT value FROM generate_series(1, 100000)", ())
        .unwrap();
    half_read.fetchone().unwrap();
    connection.interrupt().unwrap();
    assert_eq!(
        value(&connection, "SELECT sum(value) FROM generate_series(1, 10000)"),
        Value::Integer(50_005_000)
    );
    assert_eq!(half_read.fetchall().unwrap().len(), 99_999);
}

#[test]
fn an_interrupted_statement_takes_no_innocent_one_with_it_while_a_cursor_is_half_read() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let mut half_read = connection
        .execute("SELECT value FROM generate_series(1, 100000)", ())
        .unwrap();
    half_read.fetchone().unwrap();
    assert_interrupted(interrupted(&connection, || connection.execute(ENDLESS, ())));
    for _ in 0..3 {
        let sum = value(&connection, "SELECT sum(value) FROM generate_series(1, 10000)");
        assert_eq!(sum, Value::Integer(50_005_000));
    }
    assert_eq!(half_read.fetchall().unwrap().len(), 99_999);
}

#[test]
fn an_interrupt_of_a_fetch_ends_that_result_set_alone() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let mut cursor = connection
        .execute("SELECT value FROM generate_series(1, 1000000000)", ())
        .unwrap();
    assert_interrupted(interrupted(&connection, || {
        cursor.fetchmany(Some(1_000_000_000)).map(|rows| rows.len())
    }));
    assert!(cursor.fetchone().unwrap().is_none());
    assert_eq!(value(&connection, "SELECT 1"), Value::Integer(1));
}

#[test]
fn an_interrupted_write_rolls_the_whole_transaction_back_also_beside_a_half_read_cursor() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .executemany("INSERT INTO t (a) VALUES (?)", [(-1,), (-2,), (-3,)])
        .unwrap();
    connection.commit().unwrap();
    let mut half_read = connection.execute("SELECT a FROM t", ()).unwrap();
    half_read.fetchone().unwrap();
    connection.execute("INSERT INTO t (a) VALUES (-4)", ()).unwrap();
    let write = "INSERT INTO t (b) SELECT value FROM generate_series(1, 1000000000)";
    assert_interrupted(interrupted(&connection, || connection.execute(write, ())));
    assert!(!connection.in_transaction().unwrap());
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [3]);
    connection.execute("INSERT INTO t (a) VALUES (-5)", ()).unwrap();
    connection.commit().unwrap();
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [4]);
    // It is cut off by the rollback, and says so.
    assert!(half_read.fetchall().unwrap_err().to_string().contains("ROLLBACK"));
}

#[test]
fn an_interrupted_query_leaves_its_transaction_open() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    assert_interrupted(interrupted(&connection, || connection.execute(ENDLESS, ())));
    assert!(connection.in_transaction().unwrap());
    connection.commit().unwrap();
    assert_eq!(integers(&scratch.connect(), "SELECT a FROM t"), [1]);
}

#[test]
fn an_interrupted_write_outside_of_a_transaction_leaves_nothing_of_itself() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.set_isolation_level(None).unwrap();
    let write = "INSERT INTO t (b) SELECT value FROM generate_series(1, 1000000000)";
    assert_interrupted(interrupted(&connection, || connection.execute(write, ())));
    assert!(!connection.in_transaction().unwrap());
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [0]);
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    assert_eq!(integers(&scratch.connect(), "SELECT count(*) FROM t"), [1]);
}

#[test]
fn an_interrupt_ends_executemany_and_its_transaction() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let endless = crate::ParamsSequence::new((0..).map(|number: i64| (number,)));
    assert_interrupted(interrupted(&connection, || {
        connection.executemany("INSERT INTO t (b) VALUES (?)", endless)
    }));
    assert!(!connection.in_transaction().unwrap());
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [0]);
}

#[test]
fn an_interrupt_finds_executemany_also_while_it_asks_for_parameters() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let source = connection.clone();
    let sequence = crate::ParamsSequence::new((1..=5).map(move |number| {
        if number == 3 {
            source.interrupt().unwrap();
        }
        // The source's own statements are not what was interrupted.
        (value(&source, "SELECT 1"), number)
    }));
    assert_interrupted(connection.executemany("INSERT INTO t (b, a) VALUES (?, ?)", sequence));
    assert!(!connection.in_transaction().unwrap());
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [0]);
}

#[test]
fn an_interrupt_ends_the_wait_for_a_lock() {
    let scratch = Scratch::new();
    let holder = scratch.with_table();
    holder.set_isolation_level(Some(IsolationLevel::Immediate)).unwrap();
    holder.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    let waiting = scratch.connect_with(ConnectOptions::default().timeout(60.0));
    let started = Instant::now();
    assert_interrupted(interrupted(&waiting, || {
        waiting.execute("INSERT INTO t (a) VALUES (2)", ())
    }));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_lock_is_waited_for_as_long_as_the_timeout_says_and_asleep() {
    let scratch = Scratch::new();
    let holder = scratch.with_table();
    holder.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    let waiting = scratch.connect_with(ConnectOptions::default().timeout(0.3));
    let started = Instant::now();
    let awake = time_awake();
    let error = waiting.execute("INSERT INTO t (a) VALUES (2)", ()).unwrap_err();
    assert_eq!(error.to_string(), "database is locked");
    let waited = started.elapsed();
    assert!(
        (Duration::from_millis(250)..Duration::from_secs(3)).contains(&waited),
        "{waited:?}"
    );
    if let (Some(before), Some(after)) = (awake, time_awake()) {
        let asleep = waited.saturating_sub(after - before);
        assert!(asleep > waited / 10, "it was asleep for {asleep:?} of {waited:?}");
    }
}

#[test]
fn a_lock_that_is_let_go_in_time_is_taken() {
    let scratch = Scratch::new();
    let holder = scratch.with_table();
    holder.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    let waiting = scratch.connect();
    let both_ready = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            both_ready.wait();
            std::thread::sleep(Duration::from_millis(100));
            holder.commit().unwrap();
        });
        both_ready.wait();
        waiting.execute("INSERT INTO t (a) VALUES (2)", ()).unwrap();
        waiting.commit().unwrap();
    });
    assert_eq!(integers(&waiting, "SELECT a FROM t"), [1, 2]);
}

#[test]
fn a_query_timeout_ends_a_call_that_takes_too_long_and_no_other() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    assert_eq!(connection.get_query_timeout().unwrap(), None);
    connection.set_query_timeout(Some(0.1)).unwrap();
    assert_eq!(connection.get_query_timeout().unwrap(), Some(0.1));
    let mut half_read = connection
        .execute("SELECT value FROM generate_series(1, 1000)", ())
        .unwrap();
    let error = connection.execute(ENDLESS, ()).unwrap_err();
    assert!(matches!(error, Error::Operational(_)));
    assert!(error.to_string().contains("query timeout of 0.1 s"), "{error}");
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(half_read.fetchall().unwrap().len(), 1_000);
    connection.set_query_timeout(None).unwrap();
    assert_programming(
        connection.set_query_timeout(Some(-1.0)),
        "the query timeout can't be -1: cannot convert float seconds to Duration: value is negative; None is no limit",
    );
}

#[test]
fn a_query_timeout_rolls_back_a_write_inside_a_transaction() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.set_query_timeout(Some(0.1)).unwrap();
    let write = "INSERT INTO t (b) SELECT value FROM generate_series(1, 1000000000)";
    assert!(connection.execute(write, ()).is_err());
    assert!(!connection.in_transaction().unwrap());
    connection.set_query_timeout(None).unwrap();
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [0]);
}

#[test]
fn what_is_read_without_running_a_statement_does_not_wait_for_one() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    std::thread::scope(|scope| {
        let query = scope.spawn(|| connection.execute(ENDLESS, ()).map(drop));
        std::thread::sleep(Duration::from_millis(50));
        let started = Instant::now();
        assert!(!connection.in_transaction().unwrap());
        assert_eq!(connection.total_changes().unwrap(), 0);
        assert!(connection.isolation_level().unwrap().is_some());
        connection.autocommit().unwrap();
        assert!(started.elapsed() < Duration::from_millis(20));
        assert!(!query.is_finished());
        connection.interrupt().unwrap();
        assert_interrupted(query.join().unwrap());
    });
}

/// For how long this thread ran or wanted to, where the system tells it. One that spins does so all the while, however little
/// of the processor a busy machine gives it.
fn time_awake() -> Option<Duration> {
    let status = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let mut nanoseconds = status.split_whitespace().map(str::parse);
    let (running, waiting): (u64, u64) = (nanoseconds.next()?.ok()?, nanoseconds.next()?.ok()?);
    Some(Duration::from_nanos(running + waiting))
}

/// Bug: a statement that was stopped when it had just come to its end, beside a half-read query, left the transaction around
/// it open. What was written from then on looked committed, and was lost.
#[test]
fn a_statement_that_is_stopped_at_any_moment_beside_a_half_read_query_leaves_no_transaction() {
    const STATEMENTS: [&str; 4] = [
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t SELECT value FROM generate_series(1, 3)",
        "INSERT INTO t VALUES (1) RETURNING a",
        "UPDATE t SET a = 2 WHERE a = 7",
    ];
    let scratch = Scratch::new();
    let connection = scratch.connect_with(ConnectOptions {
        isolation_level: None,
        ..ConnectOptions::default()
    });
    let other = scratch.connect();
    connection.execute("CREATE TABLE t (a)", ()).unwrap();
    let run = |sql: &str, is_script: bool| {
        if is_script {
            connection.executescript(&format!("{sql}; SELECT 1")).map(drop)
        } else {
            connection.execute(sql, ()).map(drop)
        }
    };
    let mut stopped = 0;
    for (sql, is_script) in STATEMENTS.iter().flat_map(|sql| [(sql, false), (sql, true)]) {
        for look in 0.. {
            connection.execute("DELETE FROM t", ()).unwrap();
            connection.execute("INSERT INTO t VALUES (7)", ()).unwrap();
            let before = integers(&connection, "SELECT a FROM t");
            let mut half_read = connection
                .execute("SELECT value FROM generate_series(1, 1000)", ())
                .unwrap();
            half_read.fetchone().unwrap();
            let (outcome, came_to_it) = crate::interrupt::moments::interrupt_at(look, || run(sql, is_script));
            assert!(!connection.in_transaction().unwrap(), "{sql}, stopped at look {look}");
            let changed = integers(&other, "SELECT a FROM t") != before;
            // The first statement of a script may be committed when the second one is stopped.
            assert!(
                changed || outcome.is_err(),
                "{sql}, stopped at look {look}: it was lost"
            );
            assert!(
                !changed || outcome.is_ok() || is_script,
                "{sql}, stopped at look {look}: {outcome:?}"
            );
            stopped += u32::from(outcome.is_err());
            if !came_to_it {
                break;
            }
        }
    }
    assert!(stopped >= 8, "{stopped} were stopped");
}

/// Bug: the engine rolled the transaction back with the query, where the interrupt came between two rows that are far apart.
#[test]
fn a_query_that_began_before_the_transaction_is_interrupted_without_it() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    connection.execute("CREATE TABLE t (a)", ()).unwrap();
    let mut half_read = connection
        .execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 4 OR i > 300000",
            (),
        )
        .unwrap();
    half_read.fetchone().unwrap();
    connection.execute("INSERT INTO t VALUES (1)", ()).unwrap();
    assert_interrupted(interrupted(&connection, || half_read.fetchall()));
    assert!(connection.in_transaction().unwrap());
    connection.commit().unwrap();
    assert_eq!(integers(&scratch.connect(), "SELECT a FROM t"), [1]);
}
