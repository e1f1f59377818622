use super::{Scratch, integers};
use crate::{Autocommit, ConnectOptions, Cursor, Error, IsolationLevel};

#[test]
fn a_transaction_begins_before_each_of_the_four_statements_that_change_data() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    for sql in [
        "INSERT INTO t (b) VALUES (1)",
        "update t SET b = 2",
        " -- why\n /* and how */ DELETE FROM t",
        "REPLACE INTO t (a, b) VALUES (1, 2)",
    ] {
        assert!(!connection.in_transaction().unwrap());
        connection.execute(sql, ()).unwrap();
        assert!(connection.in_transaction().unwrap(), "{sql}");
        connection.commit().unwrap();
    }
}

#[test]
fn no_transaction_begins_before_other_statements_or_without_an_isolation_level() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("CREATE TABLE u (a)", ()).unwrap();
    connection.execute("SELECT * FROM t", ()).unwrap();
    connection
        .execute("WITH x AS (SELECT 1) INSERT INTO t (b) SELECT * FROM x", ())
        .unwrap();
    assert!(!connection.in_transaction().unwrap());
    connection.set_isolation_level(None).unwrap();
    connection.execute("INSERT INTO t (b) VALUES (1)", ()).unwrap();
    assert!(!connection.in_transaction().unwrap());
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [2]);
}

#[test]
fn a_rollback_undoes_what_the_implicit_transaction_did() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("INSERT INTO t (b) VALUES (1)", ()).unwrap();
    connection.rollback().unwrap();
    connection.rollback().unwrap();
    connection.commit().unwrap();
    assert!(!connection.in_transaction().unwrap());
    assert!(integers(&connection, "SELECT a FROM t").is_empty());
}

#[test]
fn closing_rolls_an_open_transaction_back_and_keeps_what_was_committed() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    connection.commit().unwrap();
    connection.execute("INSERT INTO t (a) VALUES (2)", ()).unwrap();
    connection.close().unwrap();
    assert_eq!(integers(&scratch.connect(), "SELECT a FROM t"), [1]);
}

#[test]
fn setting_the_isolation_level_to_none_commits_and_to_a_level_does_not() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    connection.set_isolation_level(Some(IsolationLevel::Immediate)).unwrap();
    assert!(connection.in_transaction().unwrap());
    assert_eq!(connection.isolation_level().unwrap(), Some(IsolationLevel::Immediate));
    connection.set_isolation_level(None).unwrap();
    assert!(!connection.in_transaction().unwrap());
    assert_eq!(connection.isolation_level().unwrap(), None);
    assert_eq!(integers(&connection, "SELECT a FROM t"), [1]);
}

#[test]
fn an_immediate_transaction_keeps_other_writers_out() {
    let scratch = Scratch::new();
    let first = scratch.with_table();
    first.set_isolation_level(Some(IsolationLevel::Immediate)).unwrap();
    first.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    let second = scratch.connect_with(ConnectOptions::default().timeout(0.0));
    let error = second.execute("INSERT INTO t (a) VALUES (2)", ()).unwrap_err();
    assert!(matches!(error, Error::Operational(_)), "{error:?}");
    assert_eq!(error.to_string(), "database is locked");
    first.commit().unwrap();
    second.execute("INSERT INTO t (a) VALUES (2)", ()).unwrap();
    second.commit().unwrap();
    assert_eq!(integers(&first, "SELECT a FROM t"), [1, 2]);
}

#[test]
fn the_level_says_whether_a_transaction_takes_the_lock_of_writers_when_it_begins() {
    for (level, takes_it) in [
        (IsolationLevel::Unspecified, false),
        (IsolationLevel::Deferred, false),
        (IsolationLevel::Immediate, true),
        (IsolationLevel::Exclusive, true),
    ] {
        let scratch = Scratch::new();
        let first = scratch.with_table();
        first.set_isolation_level(Some(level)).unwrap();
        // The transaction begins before the values are bound, so a statement that never runs shows what `BEGIN` has taken.
        assert!(first.execute("INSERT INTO t (a) VALUES (?)", ()).is_err());
        assert!(first.in_transaction().unwrap(), "{level:?}");
        let second = scratch.connect_with(ConnectOptions::default().timeout(0.0));
        let written = second.execute("INSERT INTO t (a) VALUES (2)", ());
        assert_eq!(written.is_err(), takes_it, "{level:?}");
    }
}

#[test]
fn with_autocommit_off_a_transaction_is_always_open() {
    let scratch = Scratch::new();
    drop(scratch.with_table());
    let connection = scratch.connect_with(ConnectOptions::default().autocommit(Autocommit::Disabled));
    assert!(connection.in_transaction().unwrap());
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    connection.commit().unwrap();
    assert!(connection.in_transaction().unwrap());
    connection.execute("INSERT INTO t (a) VALUES (2)", ()).unwrap();
    connection.rollback().unwrap();
    assert!(connection.in_transaction().unwrap());
    connection.execute("INSERT INTO t (a) VALUES (3)", ()).unwrap();
    connection.close().unwrap();
    assert_eq!(integers(&scratch.connect(), "SELECT a FROM t"), [1]);
}

#[test]
fn with_autocommit_on_nothing_is_begun_and_commit_and_rollback_do_nothing() {
    let scratch = Scratch::new();
    drop(scratch.with_table());
    let connection = scratch.connect_with(ConnectOptions::default().autocommit(Autocommit::Enabled));
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    assert!(!connection.in_transaction().unwrap());
    connection.execute("BEGIN", ()).unwrap();
    connection.commit().unwrap();
    connection.rollback().unwrap();
    assert!(connection.in_transaction().unwrap());
    connection.execute("COMMIT", ()).unwrap();
    assert_eq!(integers(&connection, "SELECT a FROM t"), [1]);
}

#[test]
fn switching_autocommit_on_commits_and_off_begins() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    connection.set_autocommit(Autocommit::Enabled).unwrap();
    assert!(!connection.in_transaction().unwrap());
    assert_eq!(integers(&scratch.connect(), "SELECT a FROM t"), [1]);
    connection.set_autocommit(Autocommit::Disabled).unwrap();
    assert!(connection.in_transaction().unwrap());
    connection.set_autocommit(Autocommit::Legacy).unwrap();
    assert!(connection.in_transaction().unwrap());
    assert_eq!(connection.autocommit().unwrap(), Autocommit::Legacy);
}

#[test]
fn an_error_inside_a_transaction_leaves_it_open_with_what_went_before() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    let error = connection.execute("INSERT INTO t (a) VALUES (2), (1)", ()).unwrap_err();
    assert!(matches!(error, Error::Integrity(_)), "{error:?}");
    assert!(error.to_string().contains("UNIQUE constraint failed: t.a"), "{error}");
    assert!(connection.in_transaction().unwrap());
    connection.commit().unwrap();
    assert_eq!(integers(&connection, "SELECT a FROM t"), [1]);
}

#[test]
fn a_commit_goes_through_while_another_cursor_is_half_read() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .executemany(
            "INSERT INTO t (a) VALUES (?)",
            (1..=5).map(|a| (a,)).collect::<Vec<_>>(),
        )
        .unwrap();
    connection.commit().unwrap();
    let mut reader = connection.execute("SELECT a FROM t ORDER BY a", ()).unwrap();
    reader.fetchone().unwrap();
    connection.execute("INSERT INTO t (a) VALUES (6)", ()).unwrap();
    connection.commit().unwrap();
    assert!(!connection.in_transaction().unwrap());
    assert!(reader.fetchall().unwrap().len() >= 4);
}

#[test]
fn a_rollback_goes_through_while_another_cursor_is_half_read() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .executemany(
            "INSERT INTO t (a) VALUES (?)",
            (1..=5).map(|a| (a,)).collect::<Vec<_>>(),
        )
        .unwrap();
    connection.commit().unwrap();
    let mut reader = connection.execute("SELECT a FROM t ORDER BY a", ()).unwrap();
    reader.fetchone().unwrap();
    connection.execute("INSERT INTO t (a) VALUES (6)", ()).unwrap();
    connection.rollback().unwrap();
    assert!(!connection.in_transaction().unwrap());
    assert!(reader.fetchall().unwrap_err().to_string().contains("ROLLBACK"));
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [5]);
}

#[test]
fn a_script_commits_first_and_begins_nothing() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    connection
        .executescript("CREATE TABLE u (a); -- done\n INSERT INTO u VALUES (7); SELECT 1")
        .unwrap();
    assert!(!connection.in_transaction().unwrap());
    connection.rollback().unwrap();
    assert_eq!(integers(&connection, "SELECT a FROM t"), [1]);
    assert_eq!(integers(&connection, "SELECT a FROM u"), [7]);
}

#[test]
fn total_changes_counts_all_rows_that_were_changed() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .execute("INSERT INTO t (b) VALUES (1), (2), (3)", ())
        .unwrap();
    connection.execute("UPDATE t SET b = 0 WHERE a < 3", ()).unwrap();
    assert_eq!(connection.total_changes().unwrap(), 5);
}

#[test]
fn a_cursor_that_is_left_half_read_does_not_end_the_transaction_begun_behind_it() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection
        .executescript("INSERT INTO t (a) VALUES (1), (2), (3)")
        .unwrap();
    for leave in [
        (|cursor| cursor.close().unwrap()) as fn(&mut Cursor),
        |cursor| {
            cursor.execute("SELECT 1", ()).unwrap();
        },
        |cursor| *cursor = cursor.connection().cursor().unwrap(),
        |cursor| drop(cursor.fetchall().unwrap()),
    ] {
        let mut half_read = connection.execute("SELECT a FROM t", ()).unwrap();
        connection.execute("INSERT INTO t (b) VALUES (5)", ()).unwrap();
        leave(&mut half_read);
        assert!(connection.in_transaction().unwrap());
        assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [4]);
        connection.rollback().unwrap();
        assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [3]);
    }
    connection.execute("DROP TABLE t", ()).unwrap();
}
