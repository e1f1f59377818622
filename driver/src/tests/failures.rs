//! What a statement that fails leaves of the transaction that it runs in: all but itself, as in SQLite. The engine alone would roll
//! the transaction back, in silence, or refuse all that follows; see `engine.rs`.

use super::{Scratch, integers, message, value};
use crate::{ConnectOptions, Connection, Value};

/// Statements that a function makes fail while they run, each in its own way.
const FAILING: &[&str] = &[
    "SELECT json('{')",
    "SELECT sum(b) FROM big",
    "SELECT json(CASE a WHEN 1 THEN '{' END) FROM t",
    "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT json('{') FROM n) SELECT sum(x) FROM n",
    "SELECT row_number() OVER (ORDER BY json('{')) FROM t",
    "INSERT INTO t (b) VALUES (json('{'))",
    "INSERT INTO t (b) SELECT sum(b) FROM big",
    "UPDATE t SET b = json('{') WHERE a = 1",
    "DELETE FROM t WHERE a = 1 AND json('{')",
    "INSERT INTO t (b) VALUES (3) RETURNING json('{')",
    "CREATE TABLE made AS SELECT json('{') AS a",
];

fn with_tables(scratch: &Scratch) -> Connection {
    let connection = scratch.with_table();
    connection
        .executescript(
            "CREATE TABLE big (b); INSERT INTO big VALUES (9223372036854775807), (9223372036854775807); \
             INSERT INTO t VALUES (1, 1)",
        )
        .unwrap();
    connection
}

#[test]
fn a_statement_that_fails_keeps_the_transaction_and_what_was_done_in_it() {
    for sql in FAILING {
        let scratch = Scratch::new();
        let connection = with_tables(&scratch);
        connection.execute("INSERT INTO t VALUES (2, 2)", ()).unwrap();
        let result = connection.execute(sql, ()).and_then(|mut cursor| cursor.fetchall());
        message(result);
        assert!(connection.in_transaction().unwrap(), "{sql}");
        assert_eq!(integers(&connection, "SELECT a FROM t"), [1, 2], "{sql}");
        connection.commit().unwrap();
        assert_eq!(integers(&scratch.connect(), "SELECT a FROM t"), [1, 2], "{sql}");
    }
}

#[test]
fn a_statement_that_was_prepared_for_another_schema_keeps_the_transaction_when_it_fails() {
    let scratch = Scratch::new();
    let connection = with_tables(&scratch);
    let sql = "INSERT INTO t (b) VALUES (json(?))";
    connection.execute(sql, ["1"]).unwrap();
    for change in [
        "ALTER TABLE big ADD COLUMN more",
        "CREATE TABLE other (a)",
        "PRAGMA query_only = OFF",
    ] {
        connection.execute("UPDATE t SET b = 2", ()).unwrap();
        connection.execute(change, ()).unwrap();
        message(connection.execute(sql, ["{"]));
        assert!(connection.in_transaction().unwrap(), "{change}");
        connection.commit().unwrap();
        connection.execute(sql, ["1"]).unwrap();
        connection.commit().unwrap();
    }
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [5]);
}

#[test]
fn a_script_that_fails_keeps_the_transaction_and_what_was_done_in_it() {
    for sql in FAILING {
        let scratch = Scratch::new();
        let connection = with_tables(&scratch);
        message(connection.executescript(&format!("BEGIN; INSERT INTO t VALUES (2, 2); {sql}")));
        assert!(connection.in_transaction().unwrap(), "{sql}");
        assert_eq!(integers(&connection, "SELECT a FROM t"), [1, 2], "{sql}");
    }
}

#[test]
fn a_query_that_fails_in_the_middle_keeps_what_was_done_since_it_began() {
    let scratch = Scratch::new();
    let connection = with_tables(&scratch);
    connection.executescript("INSERT INTO t VALUES (2, 2), (3, 3)").unwrap();
    let sql = "SELECT json(CASE a WHEN 3 THEN '{' ELSE '1' END) FROM t ORDER BY a";
    let mut half_read = connection.execute(sql, ()).unwrap();
    connection.execute("INSERT INTO big VALUES (1)", ()).unwrap();
    assert!(message(half_read.fetchall()).contains("JSON"));
    assert!(connection.in_transaction().unwrap());
    half_read.close().unwrap();
    connection.commit().unwrap();
    assert_eq!(integers(&connection, "SELECT count(*) FROM big"), [3]);
}

#[test]
fn a_query_that_fails_first_in_a_transaction_leaves_it_its_snapshot() {
    let scratch = Scratch::new();
    let other = with_tables(&scratch);
    let connection = scratch.connect_with(ConnectOptions::default().timeout(0.0));
    for begin in ["BEGIN", "BEGIN IMMEDIATE"] {
        connection.execute(begin, ()).unwrap();
        message(connection.execute("SELECT json('{') FROM t", ()));
        assert!(connection.in_transaction().unwrap(), "{begin}");
        let before = integers(&connection, "SELECT count(*) FROM t");
        if begin == "BEGIN" {
            other.execute("INSERT INTO t (b) VALUES (2)", ()).unwrap();
            other.commit().unwrap();
        }
        assert_eq!(integers(&connection, "SELECT count(*) FROM t"), before, "{begin}");
        connection.commit().unwrap();
    }
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [2]);
}

#[test]
fn a_statement_that_fails_in_a_savepoint_keeps_it() {
    let scratch = Scratch::new();
    let connection = with_tables(&scratch);
    for sql in FAILING {
        connection
            .executescript("BEGIN; INSERT INTO t VALUES (2, 2); SAVEPOINT s; INSERT INTO t VALUES (3, 3)")
            .unwrap();
        message(connection.execute(sql, ()).and_then(|mut cursor| cursor.fetchall()));
        connection.execute("ROLLBACK TO s", ()).unwrap();
        assert_eq!(integers(&connection, "SELECT a FROM t"), [1, 2], "{sql}");
        connection.rollback().unwrap();
    }
}

#[test]
fn a_table_that_could_not_be_made_is_in_nobodys_way() {
    let scratch = Scratch::new();
    let connection = with_tables(&scratch);
    connection.execute("BEGIN", ()).unwrap();
    message(connection.execute("CREATE TABLE made AS SELECT json('{') AS a", ()));
    connection.execute("CREATE TABLE made AS SELECT 7 AS a", ()).unwrap();
    assert_eq!(integers(&connection, "SELECT a FROM made"), [7]);
    connection.commit().unwrap();
    assert_eq!(integers(&scratch.connect(), "SELECT a FROM made"), [7]);
}

#[test]
fn an_index_leaves_the_number_of_changes_as_it_is() {
    let scratch = Scratch::new();
    let connection = with_tables(&scratch);
    connection.execute("INSERT INTO t VALUES (2, 1), (3, 1)", ()).unwrap();
    for (sql, is_made) in [
        ("CREATE INDEX t_b ON t (b)", true),
        ("CREATE UNIQUE INDEX t_c ON t (b)", false),
    ] {
        assert_eq!(connection.execute(sql, ()).is_ok(), is_made);
        assert_eq!(integers(&connection, "SELECT changes()"), [2], "{sql}");
    }
    connection.commit().unwrap();
    message(connection.execute("SELECT 'a' LIKE 'b' ESCAPE 'cc'", ()));
    assert_eq!(
        integers(&connection, "SELECT changes()"),
        [2],
        "the engine counts 0 behind some errors"
    );
    message(connection.execute("UPDATE t SET b = json('{')", ()));
    assert_eq!(
        integers(&connection, "SELECT changes()"),
        [0],
        "what failed has changed nothing"
    );
}

#[test]
fn foreign_keys_are_not_switched_inside_a_transaction() {
    let scratch = Scratch::new();
    let connection = with_tables(&scratch);
    let is_on = || value(&connection, "PRAGMA foreign_keys") == Value::Integer(1);
    for sql in ["PRAGMA foreign_keys = ON", "PRAGMA foreign_keys(1)"] {
        connection.execute("BEGIN", ()).unwrap();
        connection.execute(sql, ()).unwrap();
        connection.commit().unwrap();
        connection
            .executescript("BEGIN; PRAGMA foreign_keys = ON; COMMIT")
            .unwrap();
        assert!(!is_on(), "{sql}");
        connection.execute(sql, ()).unwrap();
        assert!(is_on(), "outside of one it is: {sql}");
        connection.execute("BEGIN", ()).unwrap();
        connection.execute("PRAGMA foreign_keys = OFF", ()).unwrap();
        connection.commit().unwrap();
        assert!(is_on(), "{sql}");
        connection.execute("PRAGMA foreign_keys = OFF", ()).unwrap();
        assert!(!is_on(), "{sql}");
    }
}
