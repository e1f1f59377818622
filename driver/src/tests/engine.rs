//! Where the engine differs from SQLite, shown on the engine alone. A test that fails here is good news: the engine has
//! changed, and what the driver's documentation says of it can go.

use std::sync::Arc;

use turso_core::{Connection, Database, DatabaseOpts, LimboError, OpenFlags, SqliteDialect, StepResult, Value};

fn engine() -> Arc<Connection> {
    let options = DatabaseOpts::new();
    let dialect = Arc::new(SqliteDialect);
    let opened = Database::open_new(":memory:", None::<&str>, OpenFlags::Create, options, None, dialect);
    let (_, database) = opened.expect("the database opens");
    let connection = database.connect().expect("it connects");
    connection
        .execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 1), (2, 2)")
        .expect("it runs");
    connection
}

fn rows(connection: &Arc<Connection>, sql: &str) -> Vec<Vec<Value>> {
    connection
        .prepare(sql)
        .and_then(|mut statement| statement.run_collect_rows())
        .expect("the query runs")
}

#[test]
fn an_error_in_a_query_rolls_the_whole_transaction_back() {
    let connection = engine();
    connection.execute("BEGIN; INSERT INTO t VALUES (3, 3)").unwrap();
    assert!(connection.execute("SELECT abs(-9223372036854775808)").is_err());
    assert!(
        connection.get_auto_commit(),
        "SQLite keeps the transaction open, with the row"
    );
    assert_eq!(rows(&connection, "SELECT a FROM t").len(), 2);
}

#[test]
fn an_error_in_a_statement_that_changes_one_row_rolls_the_whole_transaction_back() {
    let connection = engine();
    connection.execute("BEGIN; INSERT INTO t VALUES (3, 3)").unwrap();
    assert!(connection.execute("INSERT INTO t VALUES (4, json('{'))").is_err());
    assert!(
        connection.get_auto_commit(),
        "SQLite keeps the transaction open, with the row"
    );
}

#[test]
fn a_table_that_could_not_be_made_of_a_query_is_still_in_the_schema() {
    let connection = engine();
    connection.execute("BEGIN").unwrap();
    assert!(
        connection
            .execute("CREATE TABLE made AS SELECT json('{') AS a")
            .is_err()
    );
    connection.execute("COMMIT").unwrap();
    assert!(
        connection
            .prepare("SELECT a FROM t")
            .and_then(|mut query| query.run_collect_rows())
            .is_err(),
        "SQLite knows nothing of the table, and goes on"
    );
}

#[test]
fn the_entries_of_an_index_count_as_changes() {
    let connection = engine();
    connection.execute("CREATE INDEX t_b ON t (b)").unwrap();
    assert_eq!(
        rows(&connection, "SELECT changes()"),
        [[Value::from_i64(0)]],
        "SQLite: 2, of the INSERT"
    );
}

#[test]
fn a_function_of_constants_is_called_also_if_there_is_no_row() {
    let connection = engine();
    assert!(
        connection.execute("UPDATE t SET b = json('{') WHERE a = 7").is_err(),
        "SQLite changes no row"
    );
}

#[test]
fn text_that_is_not_unicode_is_replaced() {
    let hex = rows(&engine(), "SELECT hex(CAST(x'ff' AS TEXT))");
    assert_eq!(hex, [[Value::from_text("EFBFBD")]], "SQLite: FF");
}

#[test]
fn foreign_keys_can_be_switched_inside_a_transaction() {
    let connection = engine();
    connection.execute("BEGIN; PRAGMA foreign_keys = ON").unwrap();
    assert_eq!(
        rows(&connection, "PRAGMA foreign_keys"),
        [[Value::from_i64(1)]],
        "SQLite ignores it there"
    );
}

#[test]
fn a_window_function_changes_the_last_rowid() {
    let connection = engine();
    connection.execute("INSERT INTO t VALUES (40, 1)").unwrap();
    rows(&connection, "SELECT row_number() OVER (ORDER BY a) FROM t");
    assert_ne!(connection.last_insert_rowid(), 40, "SQLite keeps 40");
}

#[test]
fn a_table_is_dropped_while_a_statement_reads_it() {
    let connection = engine();
    let mut reader = connection.prepare("SELECT a FROM t").unwrap();
    reader.step().unwrap();
    connection
        .execute("DROP TABLE t")
        .expect("SQLite: database table is locked");
}

#[test]
fn all_semicolons_behind_a_statement_are_taken_for_its_end() {
    let sql = "SELECT 1;;";
    let (_, end) = engine().consume_stmt(sql).unwrap().unwrap();
    assert_eq!(end, sql.len(), "SQLite ends the statement behind the first");
}

#[test]
fn an_unknown_collation_is_refused_also_where_nothing_is_compared() {
    assert!(engine().prepare("SELECT 1 COLLATE missing").is_err(), "SQLite runs it");
}

#[test]
fn whoever_opens_a_file_first_decides_for_the_process_whether_it_can_be_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let path = path.to_str().unwrap();
    let open = |flags| {
        let dialect = Arc::new(SqliteDialect);
        let (_, database) = Database::open_new(path, None::<&str>, flags, DatabaseOpts::new(), None, dialect).unwrap();
        database.connect().unwrap()
    };
    open(OpenFlags::Create).execute("CREATE TABLE t (a)").unwrap();
    let reader = open(OpenFlags::ReadOnly);
    let writer = open(OpenFlags::Create);
    assert!(
        writer.execute("INSERT INTO t VALUES (1)").is_err(),
        "SQLite opens it for writing"
    );
    drop(reader);
}

/// Two connections to one file, the first of which has made and filled the table.
fn two_connections(directory: &tempfile::TempDir) -> (Arc<Connection>, Arc<Connection>) {
    let path = directory.path().join("test.db");
    let path = path.to_str().expect("the path is text");
    let dialect = Arc::new(SqliteDialect);
    let options = DatabaseOpts::new();
    let opened = Database::open_new(path, None::<&str>, OpenFlags::Create, options, None, dialect);
    let (_, database) = opened.expect("the database opens");
    let (one, other) = (database.connect().unwrap(), database.connect().unwrap());
    one.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 1), (2, 2)")
        .unwrap();
    (one, other)
}

#[test]
fn a_reader_that_is_left_ends_the_transaction_begun_behind_it() {
    let connection = engine();
    let mut reader = connection.prepare("SELECT a FROM t").unwrap();
    reader.step().unwrap();
    connection.execute("BEGIN; INSERT INTO t VALUES (3, 3)").unwrap();
    drop(reader);
    assert!(connection.get_auto_commit(), "SQLite keeps the transaction open");
    assert_eq!(rows(&connection, "SELECT a FROM t").len(), 2, "SQLite keeps the row");
}

#[test]
fn a_query_with_a_window_function_counts_as_a_write() {
    let statement = engine()
        .prepare("SELECT row_number() OVER (ORDER BY a) FROM t")
        .unwrap();
    assert!(
        !statement.get_program().is_readonly(),
        "SQLite: sqlite3_stmt_readonly is true"
    );
}

#[test]
fn a_rollback_ends_the_queries_that_are_half_read() {
    let connection = engine();
    connection.execute("CREATE TABLE other (a)").unwrap();
    let mut reader = connection.prepare("SELECT a FROM t").unwrap();
    assert!(matches!(reader.step(), Ok(StepResult::Row)));
    connection
        .execute("BEGIN; INSERT INTO other VALUES (3); ROLLBACK")
        .unwrap();
    let step = reader.step();
    assert!(matches!(step, Ok(StepResult::Done)), "SQLite gives the second row");
}

#[test]
fn a_renamed_table_is_written_without_quotes() {
    let connection = engine();
    connection.execute("ALTER TABLE t RENAME TO renamed").unwrap();
    let sql = rows(&connection, "SELECT sql FROM sqlite_schema");
    assert_eq!(
        sql,
        [[Value::from_text("CREATE TABLE renamed (a INTEGER PRIMARY KEY, b)")]],
        "SQLite: CREATE TABLE \"renamed\""
    );
}

#[test]
fn rows_before_the_error_of_or_fail_are_not_counted() {
    let connection = engine();
    connection.execute("BEGIN").unwrap();
    let before = connection.total_changes();
    assert!(
        connection
            .execute("INSERT OR FAIL INTO t VALUES (20, 1), (1, 1)")
            .is_err()
    );
    assert_eq!(rows(&connection, "SELECT a FROM t").len(), 3);
    assert_eq!(connection.total_changes(), before, "SQLite counts one row");
}

#[test]
fn a_table_that_is_there_is_not_made_without_the_lock_of_writers() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = two_connections(&directory);
    one.execute("BEGIN IMMEDIATE").unwrap();
    for sql in ["CREATE TABLE IF NOT EXISTS t (a)", "DROP TABLE IF EXISTS missing"] {
        assert!(
            matches!(other.execute(sql), Err(LimboError::Busy)),
            "SQLite does nothing: {sql}"
        );
    }
}

#[test]
fn what_takes_the_lock_of_writers_for_nothing_keeps_it_in_a_transaction() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = two_connections(&directory);
    one.execute("BEGIN; CREATE TABLE IF NOT EXISTS t (a)").unwrap();
    assert!(
        matches!(other.execute("INSERT INTO t VALUES (3, 3)"), Err(LimboError::Busy)),
        "SQLite has written nothing in the transaction, and lets others write"
    );
}

#[test]
fn a_savepoint_takes_its_snapshot_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = two_connections(&directory);
    one.execute("SAVEPOINT s").unwrap();
    other.execute("INSERT INTO t VALUES (3, 3)").unwrap();
    assert_eq!(
        rows(&one, "SELECT a FROM t").len(),
        2,
        "SQLite: 3, the transaction has read nothing before"
    );
    assert!(matches!(
        one.execute("INSERT INTO t VALUES (4, 4)"),
        Err(LimboError::BusySnapshot)
    ));
}

#[test]
fn a_quote_in_the_name_of_a_table_with_autoincrement_is_a_syntax_error() {
    let connection = engine();
    connection
        .execute("CREATE TABLE \"a\"\"b\" (id INTEGER PRIMARY KEY)")
        .unwrap();
    assert!(
        connection
            .execute("CREATE TABLE \"c\"\"d\" (id INTEGER PRIMARY KEY AUTOINCREMENT)")
            .is_err(),
        "SQLite makes it"
    );
}

#[test]
fn a_schema_changed_by_another_connection_is_seen_at_prepare() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = two_connections(&directory);
    rows(&other, "SELECT * FROM t");
    one.execute("ALTER TABLE t RENAME TO renamed").unwrap();
    assert!(
        other.prepare("SELECT * FROM t").is_err(),
        "SQLite sees it at the first step"
    );
}

#[test]
fn a_half_read_pragma_holds_no_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = two_connections(&directory);
    let mut pragma = one.prepare("PRAGMA table_info(t)").unwrap();
    assert!(matches!(pragma.step(), Ok(StepResult::Row)));
    other.execute("INSERT INTO t VALUES (3, 3)").unwrap();
    one.execute("INSERT INTO t VALUES (4, 4)")
        .expect("SQLite: database is locked");
}

#[test]
fn minus_zero_keeps_its_sign_in_a_column_of_reals() {
    let connection = engine();
    connection
        .execute("CREATE TABLE r (a REAL); INSERT INTO r VALUES (-0.0)")
        .unwrap();
    let Value::Numeric(turso_core::Numeric::Float(stored)) = rows(&connection, "SELECT a FROM r")[0][0] else {
        panic!("a real is expected");
    };
    assert!(f64::from(stored).is_sign_negative(), "SQLite: 0.0");
}

#[test]
fn a_snapshot_ends_with_one_of_the_statements_that_share_it() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = two_connections(&directory);
    let mut first = one.prepare("SELECT a FROM t").unwrap();
    assert!(matches!(first.step(), Ok(StepResult::Row)));
    let mut second = one.prepare("SELECT a FROM t").unwrap();
    assert!(matches!(second.step(), Ok(StepResult::Row)));
    drop(first);
    other.execute("INSERT INTO t VALUES (3, 3)").unwrap();
    assert_eq!(
        rows(&one, "SELECT a FROM t").len(),
        3,
        "SQLite: 2, `second` is half read"
    );
}

#[test]
fn a_union_has_read_its_rows_before_the_first() {
    let connection = engine();
    let sql = "SELECT a FROM t UNION SELECT b FROM t ORDER BY 1";
    let mut union = connection.prepare(sql).unwrap();
    assert!(matches!(union.step(), Ok(StepResult::Row)));
    connection.execute("INSERT INTO t VALUES (3, 3)").unwrap();
    let mut rest = 0;
    while let Ok(StepResult::Row) = union.step() {
        rest += 1;
    }
    assert_eq!(rest, 1, "SQLite gives the new row too");
}

#[test]
fn a_statement_that_is_undone_in_a_transaction_ends_the_queries_that_are_half_read() {
    let connection = engine();
    connection.execute("CREATE UNIQUE INDEX t_b ON t (b)").unwrap();
    let mut reader = connection.prepare("SELECT a FROM t").unwrap();
    assert!(matches!(reader.step(), Ok(StepResult::Row)));
    connection.execute("BEGIN").unwrap();
    let mut update = connection.prepare("UPDATE t SET a = a + 1").unwrap();
    let is_undone_alone = &update.get_program().needs_stmt_subtransactions;
    assert!(is_undone_alone.load(std::sync::atomic::Ordering::Relaxed));
    assert!(update.run_collect_rows().is_err());
    drop(update);
    let step = reader.step();
    assert!(matches!(step, Ok(StepResult::Done)), "SQLite gives the second row");
}

#[test]
fn a_query_that_has_come_to_its_window_function_panics_when_it_is_left_beside_a_write() {
    let connection = engine();
    connection.execute("INSERT INTO t VALUES (3, 3)").unwrap();
    let mut reader = connection
        .prepare("SELECT a FROM t UNION ALL SELECT row_number() OVER (ORDER BY a) FROM t")
        .unwrap();
    for _ in 0..4 {
        assert!(matches!(reader.step(), Ok(StepResult::Row)));
    }
    assert!(reader.n_change() > 0, "SQLite counts no change");
    let mut writer = connection.prepare("INSERT INTO t VALUES (4, 4) RETURNING a").unwrap();
    assert!(matches!(writer.step(), Ok(StepResult::Row)));
    let left = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reader.reset()));
    assert!(left.is_err(), "SQLite ends the query");
}

#[test]
fn a_query_of_no_table_takes_a_snapshot_in_a_transaction() {
    for sql in [
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT x FROM n",
        "SELECT row_number() OVER ()",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let (one, other) = two_connections(&directory);
        other.execute("BEGIN").unwrap();
        rows(&other, sql);
        one.execute("INSERT INTO t VALUES (3, 3)").unwrap();
        let refused = other.execute("INSERT INTO t VALUES (4, 4)");
        assert!(
            matches!(refused, Err(LimboError::BusySnapshot)),
            "SQLite has read nothing, and inserts the row: {refused:?}"
        );
    }
}
