//! Queries that are tried where they are called, in place of a trip to a worker.

use super::{Scratch, integers};
use crate::{Autocommit, ConnectOptions, Connection, Cursor, Params, Value};

const QUERY: &str = "SELECT b FROM t WHERE a = ?";
const QUERY_OF_FIRST: &str = "SELECT b FROM t WHERE a = 1";
/// Some hundred pages.
const MANY: &str = "WITH RECURSIVE n (a) AS (SELECT 10 UNION ALL SELECT a + 1 FROM n WHERE a < 500) \
                    INSERT INTO t SELECT a, zeroblob(3000) FROM n";

/// A connection with five rows, on which the query was run before.
fn prepared(scratch: &Scratch) -> Connection {
    let connection = scratch.with_table();
    for a in 1..=5 {
        let b = format!("row {a}");
        connection.execute("INSERT INTO t VALUES (?, ?)", (a, b)).unwrap();
    }
    connection.commit().unwrap();
    rows_of(connection.execute(QUERY, (1,)).unwrap());
    connection
}

fn rows_of(mut cursor: Cursor) -> Vec<Vec<Value>> {
    let rows = cursor.fetchall().unwrap();
    rows.into_iter().map(|row| row.values().to_vec()).collect()
}

fn is_tried(connection: &Connection, sql: &str, parameters: impl Into<Params>) -> bool {
    connection.try_execute(sql, &parameters.into(), 64).is_some()
}

/// Runs a query, so that it is kept, and then tries it.
fn is_tried_again(connection: &Connection, sql: &str) -> bool {
    connection.execute(sql, ()).unwrap().fetchall().unwrap();
    is_tried(connection, sql, ())
}

/// Bug: what a query gives depends on where it was run.
#[test]
fn a_query_that_is_tried_gives_what_it_gives_otherwise() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    for a in [1, 5, 6] {
        let tried = connection.try_execute(QUERY, &Params::from((a,)), 64).unwrap();
        let run = connection.execute(QUERY, (a,)).unwrap();
        assert_eq!(tried.description(), run.description());
        assert_eq!(tried.rowcount(), run.rowcount());
        assert_eq!(tried.lastrowid(), run.lastrowid());
        assert_eq!(rows_of(tried), rows_of(run));
    }
}

/// Bug: a cursor keeps rows, or a count, of the statement before.
#[test]
fn a_cursor_that_tries_a_query_has_its_rows_alone() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    let mut cursor = connection.cursor().unwrap();
    cursor.execute("DELETE FROM t WHERE a > 3 RETURNING a", ()).unwrap();
    connection.commit().unwrap();
    assert!(cursor.try_execute(QUERY, &Params::from((2,)), 64));
    assert_eq!(cursor.rowcount(), -1);
    assert_eq!(rows_of(cursor), [[Value::from("row 2")]]);
}

/// Bug: a query in the thread of an event loop runs for long, waits, or takes part in what others have begun.
#[test]
fn what_could_take_long_is_not_tried() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    assert!(is_tried_again(
        &connection,
        "SELECT a, b FROM t WHERE a BETWEEN 2 AND 4 ORDER BY a"
    ));
    assert!(
        !is_tried(&connection, "SELECT b, a FROM t WHERE a = ?", (1,)),
        "never run"
    );
    for slow in [
        "SELECT count(*) FROM t",
        "SELECT hex(zeroblob(9))",
        "SELECT upper(b) FROM t",
        "SELECT b FROM t ORDER BY b",
        "SELECT value FROM generate_series(1, 3)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
        "SELECT DISTINCT b FROM t",
        "PRAGMA user_version",
    ] {
        assert!(!is_tried_again(&connection, slow), "{slow}");
    }
    let long = "x".repeat(10_000);
    assert!(!is_tried(&connection, QUERY, (long,)), "a long parameter");
    connection.set_query_timeout(Some(10.0)).unwrap();
    assert!(!is_tried(&connection, QUERY, (1,)), "a time limit");
    connection.set_query_timeout(None).unwrap();
    assert!(is_tried(&connection, QUERY, (1,)));
    connection.close().unwrap();
    assert!(!is_tried(&connection, QUERY, (1,)), "closed");
}

/// Bug: a statement that changes data runs twice, or in the thread of an event loop.
#[test]
fn what_changes_data_is_not_tried() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    let update = "UPDATE t SET b = b || '!' WHERE a = 1 RETURNING b";
    connection.execute(update, ()).unwrap();
    connection.commit().unwrap();
    assert!(!is_tried(&connection, update, ()));
    assert!(!connection.in_transaction().unwrap());
    assert_eq!(
        rows_of(connection.execute(QUERY, (1,)).unwrap()),
        [[Value::from("row 1!")]]
    );
}

/// Bug: a query that is given up inside of a transaction takes that along; one beside a half-read one ends it.
#[test]
fn nothing_is_tried_beside_what_is_under_way() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    connection.execute("INSERT INTO t VALUES (6, 'six')", ()).unwrap();
    assert!(!is_tried(&connection, QUERY, (6,)), "in a transaction");
    connection.commit().unwrap();
    let mut half_read = connection.execute("SELECT a FROM t", ()).unwrap();
    half_read.fetchone().unwrap();
    assert!(!is_tried(&connection, QUERY, (6,)), "beside a half-read query");
    half_read.fetchall().unwrap();
    assert!(is_tried(&connection, QUERY, (6,)));
    let always = scratch.connect_with(ConnectOptions::default().autocommit(Autocommit::Disabled));
    rows_of(always.execute(QUERY, (6,)).unwrap());
    assert!(
        !is_tried(&always, QUERY, (6,)),
        "in a transaction that was begun by itself"
    );
}

/// Bug: a query that is given up leaves something behind: a part of its rows, a count of changes, a lock.
#[test]
fn a_query_that_is_given_up_has_done_nothing() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    let all = "SELECT a FROM t WHERE a > ?";
    rows_of(connection.execute(all, (0,)).unwrap());
    let mut cursor = connection.execute("SELECT 'before'", ()).unwrap();
    assert!(
        !cursor.try_execute(all, &Params::from((0,)), 4),
        "five rows, of which four are wanted"
    );
    assert_eq!(rows_of(cursor), [[Value::from("before")]]);
    assert!(!is_tried(&connection, QUERY, ()), "the wrong number of parameters");
    assert_eq!(connection.total_changes().unwrap(), 5);
    assert_eq!(integers(&connection, "SELECT changes()"), [1]);
    let other = scratch.connect();
    other.execute("INSERT INTO t VALUES (7, 'seven')", ()).unwrap();
    other.commit().unwrap();
    assert_eq!(
        rows_of(connection.execute(QUERY, (7,)).unwrap()),
        [[Value::from("seven")]]
    );
    assert!(is_tried(&connection, QUERY, (7,)));
}

/// Bug: each try of a query that takes long costs the event loop its time.
#[test]
fn a_query_that_was_given_up_is_not_tried_for_some_time() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    let all = "SELECT a FROM t";
    rows_of(connection.execute(all, ()).unwrap());
    assert!(connection.try_execute(all, &Params::None, 4).is_none());
    let runs_until_tried = || {
        (0..1000).position(|_| {
            let is_tried = is_tried(&connection, all, ());
            rows_of(connection.execute(all, ()).unwrap());
            is_tried
        })
    };
    assert_eq!(runs_until_tried(), Some(64));
    assert!(connection.try_execute(all, &Params::None, 4).is_none());
    assert_eq!(runs_until_tried(), Some(64), "in between it was tried with success");
    for _ in 0..=65 {
        // The first is given up, and the last.
        assert!(connection.try_execute(all, &Params::None, 4).is_none());
        rows_of(connection.execute(all, ()).unwrap());
    }
    assert_eq!(runs_until_tried(), Some(128));
}

/// Bug: an event loop copies long values.
#[test]
fn a_query_that_gives_a_long_value_is_given_up() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    connection
        .execute("UPDATE t SET b = zeroblob(20000) WHERE a = 1", ())
        .unwrap();
    connection.commit().unwrap();
    assert!(is_tried_again(&connection, "SELECT b FROM t WHERE a = 2"));
    assert!(!is_tried_again(&connection, "SELECT b FROM t WHERE a = 1"));
}

/// Bug: a query that reads many rows and gives none holds the event loop until it is at its end.
#[test]
fn a_long_search_is_given_up() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    let rows = (10..3_000).map(|a| Params::from((a, "some"))).collect::<Vec<_>>();
    connection.executemany("INSERT INTO t VALUES (?, ?)", rows).unwrap();
    connection.commit().unwrap();
    let search = "SELECT x.a FROM t x, t y WHERE x.a + y.a = ? LIMIT 1";
    rows_of(connection.execute(search, (20,)).unwrap());
    assert!(is_tried(&connection, search, (2,)), "its first rows fit");
    assert!(!is_tried(&connection, search, (-1,)));
    // That it took too long is not held against the next one.
    assert_eq!(
        rows_of(connection.execute(search, (2,)).unwrap()),
        [[Value::Integer(1)]]
    );
}

/// Bug: a query that compares long values holds the event loop each time, since it is done before anybody asks how long it took.
#[test]
fn a_query_that_takes_long_twice_is_not_tried_for_some_time() {
    let connection = crate::connect(":memory:", ConnectOptions::default()).unwrap();
    connection.execute("PRAGMA cache_size = -100000", ()).unwrap();
    connection
        .execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)", ())
        .unwrap();
    connection
        .execute(
            "INSERT INTO t SELECT value, zeroblob(1000000) FROM generate_series(1, 12)",
            (),
        )
        .unwrap();
    connection.commit().unwrap();
    let search = "SELECT a FROM t WHERE b = x'01'";
    assert!(is_tried_again(&connection, search), "nobody knows that it takes long");
    assert!(is_tried(&connection, search, ()), "the machine may have been busy");
    assert!(!is_tried(&connection, search, ()));
    rows_of(connection.execute(QUERY_OF_FIRST, ()).unwrap());
}

/// Bug: an event loop waits for the disk.
#[test]
fn a_page_that_is_not_in_memory_is_left_to_the_worker() {
    let scratch = Scratch::new();
    let writer = scratch.with_table();
    let rows = (1..=3_000)
        .map(|a| Params::from((a, "long ".repeat(100))))
        .collect::<Vec<_>>();
    writer.executemany("INSERT INTO t VALUES (?, ?)", rows).unwrap();
    writer.commit().unwrap();
    let reader = scratch.connect();
    let text = [[Value::from("long ".repeat(100))]];
    assert_eq!(rows_of(reader.execute(QUERY, (1,)).unwrap()), text);
    assert!(is_tried(&reader, QUERY, (1,)), "the page that was just read");
    assert!(!is_tried(&reader, QUERY, (2_900,)), "one that nobody has read");
    assert_eq!(rows_of(reader.execute(QUERY, (2_900,)).unwrap()), text);
    let other = "SELECT a, b FROM t WHERE a = ?";
    rows_of(reader.execute(other, (1,)).unwrap());
    assert!(is_tried(&reader, other, (2_900,)), "now somebody has");
    assert_eq!(integers(&reader, "SELECT count(*) FROM t"), [3_000]);
}

/// Bug: a query is tried after a function has come to stand where a column was, or on a table that is gone.
#[test]
fn a_change_of_the_schema_is_noticed() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    connection.execute("CREATE VIEW v AS SELECT a FROM t", ()).unwrap();
    let query = "SELECT a FROM v WHERE a = 1";
    assert!(is_tried_again(&connection, query));
    connection.execute("DROP VIEW v", ()).unwrap();
    connection
        .execute("CREATE VIEW v AS SELECT length(b) AS a FROM t", ())
        .unwrap();
    rows_of(connection.execute(query, ()).unwrap());
    assert!(!is_tried(&connection, query, ()));
    rows_of(connection.execute(QUERY, (1,)).unwrap());
    connection.execute("DROP VIEW v", ()).unwrap();
    connection.execute("DROP TABLE t", ()).unwrap();
    assert!(!is_tried(&connection, QUERY, (1,)));
    assert!(connection.execute(QUERY, (1,)).is_err());
}

/// Bug: the engine prepares a query anew in the thread of an event loop, and runs what has become of it, however long that takes.
#[test]
fn a_query_that_has_become_another_is_not_tried() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    let other = scratch.connect();
    let query = "SELECT a FROM v";
    for (by, number) in [(&connection, 1), (&other, 2)] {
        connection
            .execute("CREATE VIEW v AS SELECT a FROM t WHERE a = 1", ())
            .unwrap();
        assert!(is_tried_again(&connection, query));
        by.execute("DROP VIEW v", ()).unwrap();
        let slow = format!("CREATE VIEW v AS SELECT {number} AS a, length(hex(randomblob(100)))");
        by.execute(&slow, ()).unwrap();
        assert!(!is_tried(&connection, query, ()));
        assert_eq!(integers(&connection, query), [number]);
        connection.execute("DROP VIEW v", ()).unwrap();
    }
    // What is not of the schema counts too.
    assert!(is_tried_again(&connection, QUERY_OF_FIRST));
    connection.execute("PRAGMA foreign_keys = ON", ()).unwrap();
    assert!(!is_tried(&connection, QUERY_OF_FIRST, ()));
}

/// Bug: an event loop waits for the file of a temporary or an attached database, whose reads nobody refuses.
#[test]
fn other_databases_than_the_main_one_are_not_tried() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    connection.execute("CREATE TEMP TABLE u (a)", ()).unwrap();
    connection.execute("INSERT INTO u VALUES (1)", ()).unwrap();
    connection.commit().unwrap();
    assert!(!is_tried_again(&connection, "SELECT a FROM u WHERE a = 1"));
    let memory = crate::connect(":memory:", ConnectOptions::default().experimental_features("attach")).unwrap();
    memory
        .execute("ATTACH ? AS file", (scratch.path().to_str().unwrap(),))
        .unwrap();
    assert!(!is_tried_again(&memory, "SELECT b FROM file.t WHERE a = 1"));
}

/// Bug: an event loop lets go of all pages that a connection has in memory, since another connection has committed.
#[test]
fn behind_a_commit_of_another_connection_nothing_is_tried() {
    let scratch = Scratch::new();
    let connection = prepared(&scratch);
    let other = scratch.connect();
    for change in ["UPDATE t SET b = 'new' WHERE a = 1", "PRAGMA wal_checkpoint(PASSIVE)"] {
        assert!(is_tried_again(&connection, QUERY_OF_FIRST));
        other.execute(change, ()).unwrap().fetchall().unwrap();
        other.commit().unwrap();
        assert!(!is_tried(&connection, QUERY_OF_FIRST, ()), "{change}");
    }
    assert!(is_tried_again(&connection, QUERY_OF_FIRST));
    // Its own commit is no reason.
    connection.execute("UPDATE t SET b = 'newer' WHERE a = 1", ()).unwrap();
    connection.commit().unwrap();
    assert!(is_tried(&connection, QUERY_OF_FIRST, ()));
    // What was begun and taken back is none either.
    other.execute("PRAGMA cache_size = 20", ()).unwrap();
    other.execute(MANY, ()).unwrap();
    other.rollback().unwrap();
    assert!(is_tried_again(&connection, QUERY_OF_FIRST));
    // Nor is one that has gone.
    other.execute("UPDATE t SET b = 'newest'", ()).unwrap();
    other.commit().unwrap();
    other.close().unwrap();
    assert!(!is_tried(&connection, QUERY_OF_FIRST, ()));
    assert!(is_tried_again(&connection, QUERY_OF_FIRST));
}

/// Bug: of a file that was opened by another I/O, it is believed that its reads are refused.
#[test]
fn with_another_io_nothing_is_tried() {
    let scratch = Scratch::new();
    prepared(&scratch).close().unwrap();
    let other = scratch.connect_with(ConnectOptions::default().vfs("syscall"));
    rows_of(other.execute(QUERY, (1,)).unwrap());
    assert!(!is_tried(&other, QUERY, (1,)));
    // The engine gives both the I/O of the first.
    let second = scratch.connect();
    rows_of(second.execute(QUERY, (1,)).unwrap());
    assert!(!is_tried(&second, QUERY, (1,)));
}

/// Bug: a database in memory that others share is taken for one that nobody else changes.
#[test]
fn a_shared_database_in_memory_is_not_tried() {
    let name = "file:shared-and-not-tried?mode=memory&cache=shared";
    let connection = crate::connect(name, ConnectOptions::default().uri(true)).unwrap();
    connection
        .execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)", ())
        .unwrap();
    assert!(!is_tried_again(&connection, QUERY_OF_FIRST));
}

/// Bug: only files are fast.
#[test]
fn a_database_in_memory_is_tried() {
    let connection = crate::connect(":memory:", ConnectOptions::default()).unwrap();
    connection
        .execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)", ())
        .unwrap();
    rows_of(connection.execute(QUERY, (1,)).unwrap());
    assert!(is_tried(&connection, QUERY, (1,)));
}
