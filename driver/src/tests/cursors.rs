use super::{Scratch, assert_programming, integers, message, value};
use crate::{Error, Params, ParamsSequence, Value};

#[test]
fn the_columns_are_described_before_the_first_row_is_read_and_without_any() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let cursor = connection.execute("SELECT a, b AS other FROM t", ()).unwrap();
    assert_eq!(
        cursor.description().unwrap().names().collect::<Vec<_>>(),
        ["a", "other"]
    );
    let cursor = connection.execute("CREATE TABLE u (a)", ()).unwrap();
    assert!(cursor.description().is_none());
    let cursor = connection.execute("INSERT INTO u VALUES (1)", ()).unwrap();
    assert!(cursor.description().is_none());
    let cursor = connection.execute("EXPLAIN SELECT 1", ()).unwrap();
    assert_eq!(cursor.description().unwrap()[0].name(), "addr");
}

#[test]
fn rows_are_counted_for_statements_that_change_data_and_for_no_others() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let mut cursor = connection.cursor().unwrap();
    assert_eq!(cursor.rowcount(), -1);
    for (sql, count) in [
        ("INSERT INTO t (b) VALUES (1), (2), (3)", 3),
        ("UPDATE t SET b = 0 WHERE a > 1", 2),
        ("UPDATE t SET b = 0 WHERE a > 100", 0),
        ("SELECT * FROM t", -1),
        ("DELETE FROM t WHERE a = 1", 1),
        ("DELETE FROM t", 2),
        ("DELETE FROM t", 0),
        ("CREATE TABLE u (a)", -1),
        ("REPLACE INTO u VALUES (1)", 1),
        ("WITH x AS (SELECT 1) INSERT INTO u SELECT * FROM x", -1),
        ("-- nothing", -1),
    ] {
        cursor.execute(sql, ()).unwrap();
        assert_eq!(cursor.rowcount(), count, "{sql}");
    }
}

#[test]
fn the_last_rowid_is_taken_at_execute_alone() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let mut cursor = connection.cursor().unwrap();
    assert_eq!(cursor.lastrowid(), None);
    cursor.execute("INSERT INTO t (a) VALUES (41), (42)", ()).unwrap();
    assert_eq!(cursor.lastrowid(), Some(42));
    cursor
        .executemany("INSERT INTO t (a) VALUES (?)", [(50,), (51,)])
        .unwrap();
    assert_eq!(cursor.lastrowid(), Some(42));
    cursor.execute("SELECT 1", ()).unwrap();
    assert_eq!(cursor.lastrowid(), Some(51));
}

#[test]
fn rows_that_the_engine_inserts_for_itself_do_not_become_the_last_rowid() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let mut cursor = connection.execute("INSERT INTO t (a) VALUES (41), (42)", ()).unwrap();
    for sql in [
        "SELECT row_number() OVER (ORDER BY a) FROM t",
        "CREATE INDEX i ON t (b)",
        "ANALYZE",
        "CREATE TABLE copy AS SELECT * FROM t",
        "WITH x AS (SELECT 0) DELETE FROM copy",
        "INSERT OR IGNORE INTO t (a) VALUES (41)",
        "UPDATE t SET b = 1",
    ] {
        cursor.execute(sql, ()).unwrap().fetchall().unwrap();
        assert_eq!(cursor.lastrowid(), Some(42), "{sql}");
    }
    cursor
        .execute("WITH x AS (SELECT 50) INSERT INTO t (a) SELECT * FROM x", ())
        .unwrap();
    assert_eq!(cursor.lastrowid(), Some(50));
    cursor.execute("; INSERT INTO t (a) VALUES (55)", ()).unwrap();
    assert_eq!(cursor.lastrowid(), Some(55));
    cursor.executescript("INSERT INTO t (a) VALUES (60)").unwrap();
    assert_eq!(cursor.execute("SELECT 1", ()).unwrap().lastrowid(), Some(60));
}

#[test]
fn a_function_that_refuses_its_arguments_breaks_no_constraint() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    for sql in [
        "SELECT 'a' LIKE 'b' ESCAPE 'xx'",
        "SELECT json('{')",
        "SELECT json_object('a')",
    ] {
        assert!(
            matches!(connection.execute(sql, ()).unwrap_err(), Error::Operational(_)),
            "{sql}"
        );
    }
    connection
        .execute("CREATE TABLE strict_one (id INTEGER PRIMARY KEY, a INTEGER) STRICT", ())
        .unwrap();
    for sql in [
        "INSERT INTO strict_one (a) VALUES ('x')",
        "INSERT INTO strict_one (id) VALUES ('x')",
    ] {
        assert!(
            matches!(connection.execute(sql, ()).unwrap_err(), Error::Integrity(_)),
            "{sql}"
        );
    }
}

#[test]
fn a_table_is_not_dropped_while_a_cursor_is_half_read() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("CREATE INDEX i ON t (b)", ()).unwrap();
    connection
        .executemany("INSERT INTO t (a) VALUES (?)", [(1,), (2,), (3,)])
        .unwrap();
    connection.commit().unwrap();
    let mut half_read = connection.execute("SELECT a FROM t", ()).unwrap();
    for sql in ["DROP TABLE t", "DROP INDEX i"] {
        for error in [
            connection.execute(sql, ()).unwrap_err(),
            connection.executescript(sql).unwrap_err(),
        ] {
            assert!(matches!(error, Error::Operational(_)), "{error:?}");
            assert_eq!(error.to_string(), "database table is locked");
        }
    }
    connection.execute("DROP TABLE IF EXISTS missing", ()).unwrap();
    assert_eq!(half_read.fetchall().unwrap().len(), 3);
    let pragma = connection.execute("PRAGMA table_info(t)", ()).unwrap();
    assert!(connection.execute("DROP TABLE t", ()).is_err());
    drop(pragma);
    let _of_a_setting = connection.execute("PRAGMA foreign_keys", ()).unwrap();
    let _of_no_table = connection.execute("SELECT 1 UNION ALL SELECT 2", ()).unwrap();
    connection.execute("DROP TABLE t", ()).unwrap();
}

#[test]
fn a_table_is_dropped_beside_a_query_that_reads_only_what_the_engine_keeps_for_it() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("INSERT INTO t (a) VALUES (1), (2)", ()).unwrap();
    connection.execute("CREATE TABLE u (x)", ()).unwrap();
    connection.commit().unwrap();
    let counting = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT x FROM n";
    for sql in [
        &format!("{counting}, t"),
        "SELECT a FROM t UNION SELECT 1",
        "SELECT value FROM generate_series(1, 3)",
    ] {
        let _half_read = connection.execute(sql, ()).unwrap();
        let error = connection.execute("DROP TABLE u", ()).unwrap_err();
        assert_eq!(error.to_string(), "database table is locked", "{sql}");
    }
    for sql in [
        counting,
        &format!("{counting} ORDER BY x DESC"),
        "SELECT 1 UNION SELECT 2",
        "SELECT DISTINCT x FROM (SELECT 1 AS x UNION ALL SELECT 2)",
        "VALUES (1), (2)",
    ] {
        let mut half_read = connection.execute(sql, ()).unwrap();
        connection.execute("DROP TABLE u", ()).expect(sql);
        connection.execute("CREATE TABLE u (x)", ()).unwrap();
        // What is half read goes on as if nothing had been dropped.
        let undisturbed = connection.execute(sql, ()).unwrap().fetchall().unwrap();
        assert_eq!(half_read.fetchall().unwrap(), undisturbed, "{sql}");
    }
}

#[test]
fn the_ways_to_fetch_share_one_result_set() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let mut cursor = connection
        .execute("SELECT value FROM generate_series(1, 10)", ())
        .unwrap();
    assert_eq!(cursor.fetchone().unwrap().unwrap()[0], Value::Integer(1));
    assert_eq!(cursor.fetchmany(None).unwrap().len(), 1);
    cursor.set_arraysize(2);
    assert_eq!(cursor.arraysize(), 2);
    assert_eq!(cursor.fetchmany(None).unwrap().len(), 2);
    assert_eq!(cursor.fetchmany(Some(3)).unwrap()[2][0], Value::Integer(7));
    assert_eq!(cursor.rows().next().unwrap().unwrap()[0], Value::Integer(8));
    assert_eq!(cursor.fetchall().unwrap().len(), 2);
    assert!(cursor.fetchone().unwrap().is_none());
    assert!(cursor.fetchmany(Some(5)).unwrap().is_empty());
    assert!(cursor.fetchall().unwrap().is_empty());
    assert!(cursor.rows().next().is_none());
}

#[test]
fn a_size_of_zero_reads_all_that_remains_as_in_sqlite3() {
    let scratch = Scratch::new();
    let mut cursor = scratch
        .connect()
        .execute("SELECT value FROM generate_series(1, 5)", ())
        .unwrap();
    assert_eq!(cursor.fetchmany(Some(0)).unwrap().len(), 5);
}

#[test]
fn only_one_statement_is_executed_at_a_time() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let refused = "You can only execute one statement at a time.";
    assert_programming(connection.execute("SELECT 1; SELECT 2", ()), refused);
    assert_programming(connection.execute("SELECT 1;;", ()), refused);
    assert_programming(
        connection.execute("INSERT INTO t (a) VALUES (1); gibberish", ()),
        refused,
    );
    assert!(!connection.in_transaction().unwrap(), "nothing was begun or run");
    assert!(integers(&connection, "SELECT a FROM t").is_empty());
    for sql in [
        "SELECT 1; -- end",
        "SELECT 1; /* open",
        "; SELECT 1",
        " /* c */ SELECT 1 ;\n",
    ] {
        assert_eq!(value(&connection, sql), Value::Integer(1), "{sql}");
    }
}

#[test]
fn nothing_but_comments_runs_and_gives_nothing() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    for sql in ["", " ", "-- end", "/* open", ";"] {
        let mut cursor = connection.execute(sql, ()).unwrap();
        assert!(cursor.description().is_none(), "{sql}");
        assert!(cursor.fetchone().unwrap().is_none(), "{sql}");
    }
}

#[test]
fn sql_that_is_wrong_is_an_operational_error() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let error = connection.execute("sel", ()).unwrap_err();
    assert!(matches!(error, Error::Operational(_)), "{error:?}");
    let error = connection.execute("SELECT * FROM missing", ()).unwrap_err();
    assert!(matches!(error, Error::Operational(_)), "{error:?}");
    assert!(error.to_string().contains("no such table: missing"), "{error}");
    assert_programming(
        connection.execute("SELECT 1\0", ()),
        "the query contains a null character",
    );
    assert_programming(
        connection.executescript("SELECT 1;\0 SELECT 2"),
        "the script contains a null character",
    );
}

#[test]
fn constraints_are_integrity_errors() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    connection.executescript("CREATE TABLE u (a UNIQUE, b NOT NULL, c CHECK (c > 0)); PRAGMA foreign_keys = ON; CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE k (p REFERENCES p (id))").unwrap();
    connection.execute("INSERT INTO u VALUES (1, 1, 1)", ()).unwrap();
    for (sql, told) in [
        ("INSERT INTO u VALUES (1, 1, 1)", "UNIQUE constraint failed: u.a"),
        ("INSERT INTO u VALUES (2, NULL, 1)", "NOT NULL constraint failed: u.b"),
        ("INSERT INTO u VALUES (2, 1, 0)", "CHECK constraint failed"),
        ("INSERT INTO k VALUES (7)", "FOREIGN KEY constraint failed"),
    ] {
        let error = connection.execute(sql, ()).unwrap_err();
        assert!(matches!(error, Error::Integrity(_)), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(error.sqlite_errorcode(), Some(19));
    }
}

#[test]
fn returning_runs_to_its_end_at_execute_and_counts_when_its_rows_are_read() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let mut cursor = connection
        .execute("INSERT INTO t (b) VALUES (5), (6) RETURNING a, b", ())
        .unwrap();
    assert_eq!(cursor.rowcount(), 0);
    assert_eq!(cursor.description().unwrap().len(), 2);
    connection.commit().unwrap();
    assert_eq!(integers(&connection, "SELECT b FROM t"), [5, 6]);
    assert_eq!(cursor.fetchone().unwrap().unwrap()[1], Value::Integer(5));
    assert_eq!(cursor.rowcount(), 0);
    assert_eq!(cursor.fetchone().unwrap().unwrap()[1], Value::Integer(6));
    assert_eq!(cursor.rowcount(), 2);
    assert!(cursor.fetchone().unwrap().is_none());
}

#[test]
fn executemany_sums_its_rows_and_refuses_what_changes_nothing() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let mut cursor = connection
        .executemany("INSERT INTO t (b) VALUES (?)", [(1,), (2,), (3,)])
        .unwrap();
    assert_eq!(cursor.rowcount(), 3);
    cursor
        .executemany("UPDATE t SET b = b + :n", [[("n", 1)], [("n", 2)]])
        .unwrap();
    assert_eq!(cursor.rowcount(), 6);
    cursor
        .executemany("INSERT INTO t (b) VALUES (?)", Vec::<Params>::new())
        .unwrap();
    assert_eq!(cursor.rowcount(), 0);
    let refused = "executemany() can only execute DML statements.";
    assert_programming(connection.executemany("SELECT ?", [(1,)]), refused);
    assert_programming(connection.executemany("", [(1,)]), refused);
}

#[test]
fn executemany_keeps_what_ran_before_its_error() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let mut cursor = connection.cursor().unwrap();
    let error = cursor
        .executemany("INSERT INTO t (a) VALUES (?)", [(1,), (2,), (1,), (3,)])
        .unwrap_err();
    assert!(matches!(error, Error::Integrity(_)));
    assert_eq!(cursor.rowcount(), -1);
    assert!(connection.in_transaction().unwrap());
    assert_eq!(integers(&connection, "SELECT a FROM t"), [1, 2]);
}

#[test]
fn executemany_drops_the_rows_of_returning() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let mut cursor = connection
        .executemany("INSERT INTO t (b) VALUES (?) RETURNING a", [(1,), (2,)])
        .unwrap();
    assert_eq!(cursor.rowcount(), 0);
    assert!(cursor.fetchall().unwrap().is_empty());
    assert_eq!(integers(&connection, "SELECT b FROM t"), [1, 2]);
}

#[test]
fn the_source_of_executemany_may_use_the_same_connection() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .executemany("INSERT INTO t (a) VALUES (?)", [(1,), (2,), (3,)])
        .unwrap();
    connection.execute("CREATE TABLE copy (a)", ()).unwrap();
    let mut reader = connection.execute("SELECT a FROM t", ()).unwrap();
    let rows = std::iter::from_fn(move || reader.fetchone().transpose());
    let sequence = ParamsSequence::from_results(rows.map(|row| Ok(Params::Positional(row?.into_values()))));
    let cursor = connection.executemany("INSERT INTO copy VALUES (?)", sequence).unwrap();
    assert_eq!(cursor.rowcount(), 3);
    assert_eq!(integers(&connection, "SELECT a FROM copy"), [1, 2, 3]);
}

#[test]
fn an_error_of_the_source_of_executemany_ends_it_and_keeps_what_ran_before() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let source = vec![
        Ok(Params::from((1,))),
        Err(Error::interface("dry")),
        Ok(Params::from((2,))),
    ];
    let sequence = ParamsSequence::from_results(source);
    assert_eq!(
        message(connection.executemany("INSERT INTO t (a) VALUES (?)", sequence)),
        "dry"
    );
    assert_eq!(integers(&connection, "SELECT a FROM t"), [1]);
}

#[test]
fn a_script_leaves_the_cursors_result_set_as_it_is() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let mut cursor = connection.execute("SELECT 1", ()).unwrap();
    cursor.executescript("SELECT 2; SELECT 3").unwrap();
    assert_eq!(cursor.fetchall().unwrap().len(), 1);
    let error = cursor
        .executescript("CREATE TABLE v (a); gibberish; CREATE TABLE w (a)")
        .unwrap_err();
    assert!(matches!(error, Error::Operational(_)));
    assert_eq!(integers(&connection, "SELECT count(*) FROM sqlite_schema"), [1]);
}

#[test]
fn a_row_behind_which_reading_fails_is_lost_with_the_error_as_in_sqlite3() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    connection.execute("CREATE TABLE j (a)", ()).unwrap();
    connection
        .executemany("INSERT INTO j VALUES (?)", [("1",), ("2",), ("{",), ("4",)])
        .unwrap();
    let mut cursor = connection.execute("SELECT json(a) FROM j ORDER BY rowid", ()).unwrap();
    assert!(cursor.fetchone().unwrap().is_some());
    assert!(matches!(cursor.fetchone().unwrap_err(), Error::Operational(_)));
    assert!(cursor.fetchone().unwrap().is_none());
}

#[test]
fn the_next_execute_drops_what_was_not_read() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let mut cursor = connection
        .execute("SELECT value FROM generate_series(1, 100)", ())
        .unwrap();
    cursor.fetchone().unwrap();
    cursor.execute("SELECT 'new'", ()).unwrap();
    assert_eq!(cursor.fetchall().unwrap().len(), 1);
    cursor.fetchall().unwrap();
    assert!(cursor.execute("gibberish", ()).is_err());
    assert!(cursor.fetchone().unwrap().is_none());
    assert_eq!(cursor.rowcount(), -1);
    assert!(cursor.description().is_none());
}

#[test]
fn the_last_rowid_is_also_that_of_a_row_that_was_inserted_before_an_error() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let mut cursor = connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    for (sql, rowid) in [
        ("INSERT INTO t (a) VALUES (20), (1)", 20),
        ("INSERT OR ROLLBACK INTO t (a) VALUES (30), (30)", 30),
        ("INSERT INTO t (a) VALUES (20), (20)", 20),
    ] {
        assert!(cursor.execute(sql, ()).is_err());
        assert_eq!(
            cursor.execute("SELECT 1", ()).unwrap().lastrowid(),
            Some(rowid),
            "{sql}"
        );
    }
    assert!(cursor.executescript("INSERT INTO t (a) VALUES (40), (40)").is_err());
    assert_eq!(cursor.execute("SELECT 1", ()).unwrap().lastrowid(), Some(40));
}

#[test]
fn a_query_with_a_window_function_is_a_query() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .execute("INSERT INTO t (a) VALUES (1), (2), (3)", ())
        .unwrap();
    let sql = "SELECT row_number() OVER (ORDER BY a) FROM t";
    for sql in [sql.to_owned(), format!("WITH x AS ({sql}) SELECT * FROM x")] {
        assert_programming(
            connection.executemany(&sql, [()]),
            "executemany() can only execute DML statements.",
        );
        let mut half_read = connection.execute(&sql, ()).unwrap();
        let mut beside = connection.execute("SELECT a FROM t", ()).unwrap();
        half_read.fetchone().unwrap();
        half_read.execute(&sql, ()).unwrap();
        beside.close().unwrap();
        assert_eq!(half_read.fetchall().unwrap().len(), 3);
    }
    connection
        .executemany("WITH x AS (SELECT 1) INSERT INTO t (b) SELECT * FROM x", [()])
        .unwrap();
}

#[test]
fn an_upsert_that_updates_leaves_the_last_rowid_also_behind_a_window_function() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .execute("INSERT INTO t (a) VALUES (1), (2), (-1)", ())
        .unwrap();
    let upsert = "INSERT INTO t (a, b) VALUES (?, 'b') ON CONFLICT (a) DO UPDATE SET b = excluded.b";
    for (rowid, expected) in [(-1, -1), (2, -1), (70, 70), (1, 70)] {
        // The engine takes a rowid of its own table for the last one.
        connection
            .execute("SELECT row_number() OVER (ORDER BY a) FROM t", ())
            .unwrap()
            .fetchall()
            .unwrap();
        assert_eq!(
            connection.execute(upsert, (rowid,)).unwrap().lastrowid(),
            Some(expected)
        );
    }
}

#[test]
fn a_byte_order_mark_before_a_statement_is_a_blank() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .executescript("\u{feff}INSERT INTO t (b) VALUES (1); INSERT INTO t (b) VALUES (2)")
        .unwrap();
    let cursor = connection.execute("\u{feff}INSERT INTO t VALUES (7, 3)", ()).unwrap();
    assert_eq!(cursor.lastrowid(), Some(7));
    assert_eq!(
        cursor.rowcount(),
        -1,
        "CPython's module does not take it for a statement that changes data"
    );
    assert!(!connection.in_transaction().unwrap());
    assert_eq!(integers(&connection, "\u{feff}SELECT a FROM t"), [1, 2, 7]);
}
