//! What happens to a cursor that is half read when a transaction, or a statement beside it, ends badly.

use super::{Scratch, integers};
use crate::{ConnectOptions, Connection, Error, IsolationLevel};

#[test]
fn a_rollback_cuts_off_what_is_half_read_and_says_so() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .executescript("INSERT INTO t (a) VALUES (1), (2), (3), (4)")
        .unwrap();
    for roll_back in [
        (|connection| connection.rollback().unwrap()) as fn(&Connection),
        |connection| drop(connection.execute("/* all */ ROLLBACK", ()).unwrap()),
    ] {
        for sql in ["SELECT a FROM t ORDER BY a DESC", "SELECT a FROM t"] {
            let mut before = connection.execute(sql, ()).unwrap();
            connection.execute("INSERT INTO t (b) VALUES (5)", ()).unwrap();
            let mut inside = connection.execute(sql, ()).unwrap();
            let mut at_its_end = connection.execute("SELECT count(*) FROM t", ()).unwrap();
            roll_back(&connection);
            assert!(!connection.in_transaction().unwrap());
            assert_eq!(at_its_end.fetchall().unwrap().len(), 1, "it had no further rows");
            for cursor in [&mut before, &mut inside] {
                assert!(cursor.fetchone().unwrap().is_some(), "it was read before");
                assert!(matches!(cursor.fetchone().unwrap_err(), Error::Operational(_)));
                assert!(cursor.fetchone().unwrap().is_none());
                assert_eq!(cursor.execute(sql, ()).unwrap().fetchall().unwrap().len(), 4);
            }
        }
    }
}

#[test]
fn a_statement_that_fails_outside_of_a_transaction_ends_no_query_that_is_half_read() {
    let scratch = Scratch::new();
    let connection = scratch.connect_with(ConnectOptions::default().isolation_level(None));
    connection
        .executescript(
            "CREATE TABLE t (a INTEGER PRIMARY KEY, b NOT NULL); \
             INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
        )
        .unwrap();
    for sql in ["INSERT INTO t VALUES (9, NULL)", "INSERT INTO t VALUES (1, 1)"] {
        for order in ["", "DESC"] {
            let query = format!("SELECT a FROM t ORDER BY a {order}");
            let mut half_read = connection.execute(&query, ()).unwrap();
            assert!(matches!(connection.execute(sql, ()).unwrap_err(), Error::Integrity(_)));
            assert!(connection.executescript(sql).is_err());
            assert!(!connection.in_transaction().unwrap());
            assert_eq!(half_read.fetchall().unwrap().len(), 4, "{sql}; {query}");
        }
    }
    let mut half_read = connection.execute("SELECT a FROM t", ()).unwrap();
    let mut cursor = connection.execute("INSERT INTO t VALUES (5, 5), (6, 6)", ()).unwrap();
    assert_eq!((cursor.rowcount(), cursor.lastrowid()), (2, Some(6)));
    assert!(
        cursor
            .execute("INSERT OR FAIL INTO t VALUES (7, 7), (1, 1)", ())
            .is_err()
    );
    assert!(!connection.in_transaction().unwrap());
    assert_eq!(half_read.fetchall().unwrap().len(), 7);
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [7]);
}

#[test]
fn an_endless_query_is_read_row_by_row() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let sql = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";
    // Would `execute` look for the end of the query, it would fail here and not run on.
    connection.set_query_timeout(Some(5.0)).unwrap();
    let mut endless = connection.execute(sql, ()).unwrap();
    let first: Vec<i64> = endless
        .fetchmany(Some(3))
        .unwrap()
        .iter()
        .map(|row| row.get(0).unwrap())
        .collect();
    assert_eq!(first, [1, 2, 3]);
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    connection.set_query_timeout(Some(0.05)).unwrap();
    assert!(matches!(endless.fetchall().unwrap_err(), Error::Operational(_)));
    assert!(
        connection.in_transaction().unwrap(),
        "it was begun behind the query, and goes on"
    );
    connection.commit().unwrap();
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [1]);
}

#[test]
fn a_statement_that_the_engine_undoes_cuts_off_what_is_half_read_and_says_so() {
    for isolation_level in [None, Some(IsolationLevel::Deferred)] {
        let scratch = Scratch::new();
        let connection = scratch.connect_with(ConnectOptions::default().isolation_level(isolation_level));
        connection
            .executescript(
                "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE); INSERT INTO t (a) VALUES (1), (2), (3), (4)",
            )
            .unwrap();
        for order in ["", "DESC"] {
            let mut half_read = connection
                .execute(&format!("SELECT a FROM t ORDER BY a {order}"), ())
                .unwrap();
            assert!(connection.execute("UPDATE t SET a = a + 1", ()).is_err());
            assert!(half_read.fetchone().unwrap().is_some(), "it was read before");
            // The engine ends the rows here, or panics.
            let error = half_read.fetchone().unwrap_err();
            assert!(matches!(error, Error::Operational(_)), "{error:?}");
            connection.rollback().unwrap();
        }
        assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [4]);
    }
}

#[test]
fn a_query_that_fails_while_it_is_read_is_no_longer_in_the_way() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .executescript("INSERT INTO t (a, b) VALUES (1, '{}'), (2, '{}'), (3, '{')")
        .unwrap();
    let mut cursor = connection.execute("SELECT json(b) FROM t ORDER BY a", ()).unwrap();
    assert!(cursor.fetchall().is_err());
    let half_read = connection.shared.operate(|engine, _| Ok(engine.half_read_count()));
    assert_eq!(half_read.unwrap(), 0);
    connection.execute("DROP TABLE t", ()).unwrap();
}

#[test]
fn a_kept_statement_that_the_schema_has_outdated_ends_no_query_that_is_half_read() {
    for sql in [
        "BEGIN IMMEDIATE",
        "PRAGMA user_version = 3",
        "CREATE TABLE IF NOT EXISTS t (a)",
        "INSERT INTO t (b) VALUES (5)",
    ] {
        let scratch = Scratch::new();
        let options = ConnectOptions::default().isolation_level(Some(IsolationLevel::Immediate));
        drop(scratch.with_table());
        let connection = scratch.connect_with(options);
        connection
            .executescript("INSERT INTO t (a) VALUES (1), (2), (3), (4)")
            .unwrap();
        connection.execute(sql, ()).unwrap();
        connection.rollback().unwrap();
        connection.execute("CREATE TABLE other (a)", ()).unwrap();
        let mut half_read = connection.execute("SELECT a FROM t WHERE a < 5", ()).unwrap();
        connection.execute(sql, ()).unwrap();
        assert_eq!(half_read.fetchall().unwrap().len(), 4, "{sql}");
    }
}

#[test]
fn what_is_wrong_with_the_values_of_a_kept_statement_is_told_first_also_beside_a_half_read_query() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .executescript("INSERT INTO t (a) VALUES (1), (2), (3), (4)")
        .unwrap();
    let sql = "CREATE TABLE other AS SELECT ? AS a";
    connection.execute(sql, (5,)).unwrap();
    for is_beside in [false, true] {
        let mut half_read = connection.execute("SELECT a FROM t", ()).unwrap();
        if !is_beside {
            half_read.close().unwrap();
        }
        for _ in 0..2 {
            let error = connection.execute(sql, (1, 2)).unwrap_err();
            assert!(matches!(error, Error::Programming(_)), "{error:?}");
            let error = connection.executemany(sql, [(1, 2)]).unwrap_err();
            assert!(matches!(error, Error::Programming(_)), "{error:?}");
        }
        if is_beside {
            assert_eq!(half_read.fetchall().unwrap().len(), 4);
        }
    }
    let half_read = connection.execute("SELECT a FROM t", ()).unwrap();
    let error = connection.execute(sql, (5,)).unwrap_err();
    assert!(matches!(error, Error::Operational(_)), "it is there already: {error:?}");
    drop(half_read);
    connection.execute("DROP TABLE other", ()).unwrap();
    let half_read = connection.execute("SELECT a FROM t", ()).unwrap();
    connection.execute(sql, (5,)).unwrap();
    drop(half_read);
    assert_eq!(
        integers(&connection, "SELECT a FROM other"),
        [5],
        "its value is bound anew"
    );
}

#[test]
fn what_a_half_read_query_writes_down_for_its_window_function_counts_for_no_change() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .executescript("INSERT INTO t (a) VALUES (1), (2), (3), (4)")
        .unwrap();
    let sql = "SELECT a FROM t UNION ALL SELECT row_number() OVER (ORDER BY a) FROM t";
    let mut half_read = connection.execute(sql, ()).unwrap();
    for _ in 0..6 {
        half_read.fetchone().unwrap().unwrap();
        // The engine panics when such a query is left beside a write.
        let changes = connection.shared.operate(|engine, _| Ok(engine.half_read_changes()));
        assert_eq!(changes.unwrap(), [0]);
    }
    // One that has written before its first row is read to its end.
    let first = "SELECT row_number() OVER (ORDER BY a) FROM t";
    let mut read = connection.execute(first, ()).unwrap();
    let count = connection.shared.operate(|engine, _| Ok(engine.half_read_count()));
    assert_eq!(count.unwrap(), 1);
    assert_eq!(read.fetchall().unwrap().len(), 4);
}
