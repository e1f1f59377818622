use super::{Scratch, value};
use crate::{ConnectOptions, Connection, Error, Value};

fn cached(connection: &Connection) -> Vec<String> {
    connection
        .shared
        .operate(|engine, _| Ok(engine.cached().into_iter().map(str::to_owned).collect()))
        .unwrap()
}

#[test]
fn the_statements_last_used_are_kept_and_no_more_than_asked_for() {
    let scratch = Scratch::new();
    let connection = scratch.connect_with(ConnectOptions::default().cached_statements(2));
    for sql in ["SELECT 1", "SELECT 2", "SELECT 1", "SELECT 3"] {
        connection.execute(sql, ()).unwrap().fetchall().unwrap();
    }
    assert_eq!(cached(&connection), ["SELECT 1", "SELECT 3"]);
    let connection = scratch.connect_with(ConnectOptions::default().cached_statements(0));
    connection.execute("SELECT 1", ()).unwrap().fetchall().unwrap();
    assert!(cached(&connection).is_empty());
}

#[test]
fn a_kept_statement_is_taken_and_not_prepared_again() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let statement_of = |sql: &str| {
        connection
            .shared
            .operate(|engine, work| {
                let statement = engine.statement(sql, work)?.unwrap();
                let address = std::ptr::from_ref(&*statement).addr();
                engine.give_back(statement)?;
                Ok(address)
            })
            .unwrap()
    };
    let first = statement_of("SELECT 1");
    assert_ne!(statement_of("SELECT 2"), first);
    assert_eq!(statement_of("SELECT 1"), first);
}

#[test]
fn two_cursors_with_the_same_sql_do_not_share_a_statement() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let sql = "SELECT value FROM generate_series(1, ?)";
    let mut first = connection.execute(sql, (3,)).unwrap();
    first.fetchone().unwrap();
    let mut second = connection.execute(sql, (2,)).unwrap();
    assert!(cached(&connection).is_empty());
    assert_eq!(second.fetchall().unwrap().len(), 2);
    assert_eq!(first.fetchall().unwrap().len(), 2);
    assert_eq!(cached(&connection), [sql]);
}

#[test]
fn a_kept_statement_notices_that_the_schema_changed() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("INSERT INTO t VALUES (1, 'b')", ()).unwrap();
    let mut cursor = connection.execute("SELECT * FROM t", ()).unwrap();
    assert_eq!(cursor.fetchall().unwrap()[0].len(), 2);
    connection
        .execute("ALTER TABLE t ADD COLUMN c DEFAULT 'c'", ())
        .unwrap();
    assert!(cached(&connection).contains(&"SELECT * FROM t".to_owned()));
    cursor.execute("SELECT * FROM t", ()).unwrap();
    assert_eq!(
        cursor.description().unwrap().names().collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
    assert_eq!(cursor.fetchall().unwrap()[0]["c"], Value::from("c"));
}

#[test]
fn a_kept_statement_notices_that_another_connection_changed_the_schema() {
    let scratch = Scratch::new();
    let first = scratch.with_table();
    let second = scratch.connect();
    first.execute("INSERT INTO t VALUES (1, 'old')", ()).unwrap();
    first.commit().unwrap();
    assert_eq!(value(&second, "SELECT b FROM t"), Value::from("old"));
    first
        .executescript("DROP TABLE t; CREATE TABLE t (b, a); INSERT INTO t VALUES ('new', 1)")
        .unwrap();
    assert_eq!(value(&second, "SELECT b FROM t"), Value::from("new"));
    first.execute("DROP TABLE t", ()).unwrap();
    assert!(
        second
            .execute("SELECT b FROM t", ())
            .unwrap_err()
            .to_string()
            .contains("no such table")
    );
}

#[test]
fn a_kept_statement_is_planned_anew_when_an_index_comes_or_goes() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let sql = "INSERT INTO t (b) VALUES (?)";
    connection.execute(sql, (1,)).unwrap();
    connection.execute("CREATE UNIQUE INDEX unique_b ON t (b)", ()).unwrap();
    assert!(
        connection.execute(sql, (1,)).is_err(),
        "a stale plan would not look at the index"
    );
    connection.execute("DROP INDEX unique_b", ()).unwrap();
    connection.execute(sql, (1,)).unwrap();
}

#[test]
fn a_statement_that_failed_is_kept_and_what_is_wrong_with_its_values_is_told_first() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    for (sql, spoil) in [
        ("CREATE TABLE other (a)", ""),
        ("INSERT INTO t (a) VALUES (1)", "DROP TABLE t"),
        ("SELECT * FROM other", "DROP TABLE other"),
    ] {
        connection.execute(sql, ()).unwrap().fetchall().unwrap();
        connection.executescript(spoil).unwrap();
        assert!(matches!(
            connection.execute(sql, ()).unwrap_err(),
            Error::Operational(_)
        ));
        assert!(cached(&connection).contains(&sql.to_owned()), "{sql}");
        assert!(matches!(
            connection.execute(sql, (5,)).unwrap_err(),
            Error::Programming(_)
        ));
    }
    connection
        .executescript("CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 1)")
        .unwrap();
    let sql = "INSERT INTO t (a) VALUES (?)";
    for (value, is_refused) in [(1, true), (2, false), (1, true), (3, false)] {
        assert_eq!(connection.execute(sql, (value,)).is_err(), is_refused);
    }
    connection.commit().unwrap();
    assert_eq!(
        value(&connection, "SELECT group_concat(a) FROM t"),
        Value::from("1,2,3")
    );
}
