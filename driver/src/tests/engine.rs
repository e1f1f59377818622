//! Where the engine differs from SQLite, shown on the engine alone. A test that fails here is good news: the engine has
//! changed, and what the driver's documentation says of it can go.

use std::sync::Arc;

use turso_core::{Connection, Database, DatabaseOpts, OpenFlags, SqliteDialect, Value};

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
