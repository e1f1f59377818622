use super::{Scratch, assert_programming, integers};
use crate::{Connection, Cursor};

fn assert_send_and_sync<T: Send + Sync>() {}
fn assert_send<T: Send>() {}

const CLOSED_DATABASE: &str = "Cannot operate on a closed database.";
const CLOSED_CURSOR: &str = "Cannot operate on a closed cursor.";

#[test]
fn a_connection_is_shared_between_threads_and_a_cursor_moves_between_them() {
    assert_send_and_sync::<Connection>();
    assert_send::<Cursor>();
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    std::thread::scope(|scope| {
        for start in 0..4 {
            let connection = connection.clone();
            scope.spawn(move || {
                for offset in 0..50 {
                    connection
                        .execute("INSERT INTO t (a) VALUES (?)", (start * 50 + offset,))
                        .unwrap();
                }
            });
        }
    });
    connection.commit().unwrap();
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [200]);
}

#[test]
fn a_closed_connection_refuses_everything_but_closing_again() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let mut cursor = connection
        .execute("SELECT value FROM generate_series(1, 3)", ())
        .unwrap();
    let copy = connection.clone();
    connection.close().unwrap();
    connection.close().unwrap();
    assert_programming(copy.cursor(), CLOSED_DATABASE);
    assert_programming(copy.execute("SELECT 1", ()), CLOSED_DATABASE);
    assert_programming(copy.commit(), CLOSED_DATABASE);
    assert_programming(copy.rollback(), CLOSED_DATABASE);
    assert_programming(copy.interrupt(), CLOSED_DATABASE);
    assert_programming(copy.in_transaction(), CLOSED_DATABASE);
    assert_programming(copy.total_changes(), CLOSED_DATABASE);
    assert_programming(copy.isolation_level(), CLOSED_DATABASE);
    assert_programming(copy.set_isolation_level(None), CLOSED_DATABASE);
    assert_programming(copy.autocommit(), CLOSED_DATABASE);
    assert_programming(copy.set_query_timeout(None), CLOSED_DATABASE);
    assert_programming(cursor.fetchone(), CLOSED_DATABASE);
    assert_programming(cursor.execute("SELECT 1", ()), CLOSED_DATABASE);
    assert_programming(cursor.close(), CLOSED_DATABASE);
    assert!(cursor.description().is_some());
}

#[test]
fn a_closed_cursor_refuses_to_run_and_to_read() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let mut cursor = connection
        .execute("SELECT value FROM generate_series(1, 3)", ())
        .unwrap();
    cursor.close().unwrap();
    cursor.close().unwrap();
    assert_programming(cursor.fetchone(), CLOSED_CURSOR);
    assert_programming(cursor.fetchall(), CLOSED_CURSOR);
    assert_programming(cursor.execute("SELECT 1", ()), CLOSED_CURSOR);
    assert_programming(cursor.executescript("SELECT 1"), CLOSED_CURSOR);
    assert_programming(cursor.rows().next().unwrap(), CLOSED_CURSOR);
    assert!(cursor.connection().in_transaction().is_ok());
}

#[test]
fn closing_ends_the_statements_of_cursors_that_are_still_open() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .executemany("INSERT INTO t (a) VALUES (?)", [(1,), (2,), (3,)])
        .unwrap();
    connection.commit().unwrap();
    let half_read = connection.execute("SELECT a FROM t", ()).unwrap();
    connection.close().unwrap();
    let other = scratch.connect();
    other.execute("DROP TABLE t", ()).unwrap();
    drop(half_read);
}

#[test]
fn a_cursor_that_is_dropped_lets_go_of_its_statement() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .executemany("INSERT INTO t (a) VALUES (?)", [(1,), (2,), (3,)])
        .unwrap();
    connection.commit().unwrap();
    drop(connection.execute("SELECT a FROM t", ()).unwrap());
    let half_read = connection
        .shared
        .operate(|engine, _| Ok(engine.half_read_count()))
        .unwrap();
    assert_eq!(half_read, 0);
}

#[test]
fn a_cursor_that_is_dropped_while_a_statement_runs_does_not_wait_for_it() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let cursor = connection
        .execute("SELECT value FROM generate_series(1, 3)", ())
        .unwrap();
    let (entered, has_entered) = std::sync::mpsc::channel();
    let (leave, may_leave) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let connection = &connection;
        scope.spawn(move || {
            connection.shared.operate(|_, _| {
                entered.send(()).unwrap();
                may_leave.recv().unwrap();
                Ok(())
            })
        });
        has_entered.recv().unwrap();
        drop(cursor);
        assert!(!connection.in_transaction().unwrap());
        leave.send(()).unwrap();
    });
    let half_read = connection
        .shared
        .operate(|engine, _| Ok(engine.half_read_count()))
        .unwrap();
    assert_eq!(half_read, 0);
}

#[test]
fn a_connection_that_is_dropped_rolls_back_and_lets_go_of_the_file() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    let cursor = connection.execute("SELECT a FROM t", ()).unwrap();
    drop(connection);
    drop(cursor);
    let other = scratch.connect();
    other.execute("INSERT INTO t (a) VALUES (2)", ()).unwrap();
    other.commit().unwrap();
    assert_eq!(integers(&other, "SELECT a FROM t"), [2]);
}

#[test]
fn a_closed_connection_lets_go_of_the_file_while_handles_of_it_are_still_about() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let cursor = connection.execute("SELECT a FROM t", ()).unwrap();
    connection.close().unwrap();
    // A file that is still open in this process would be found there, with the right to write.
    let uri = format!("file:{}?mode=ro", scratch.path().display());
    let reader = crate::connect(uri, crate::ConnectOptions::default().uri(true)).unwrap();
    let error = reader.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap_err();
    assert!(
        error.to_string().contains("attempt to write a readonly database"),
        "{error}"
    );
    drop((connection, cursor));
}
