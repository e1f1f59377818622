//! Against the real server.

use super::real_server::RealServer;
use super::scripted_server::ScriptedServer;
use super::{Replicas, error, rows, run};
use crate::{ConnectOptions, Error, Keep, SyncOptions};

/// The real server on a new database, or the end of the test where there is none.
macro_rules! server {
    ($replicas:expr) => {
        match RealServer::start(&$replicas.path("server.db")) {
            Some(server) => server,
            None => return,
        }
    };
}

#[test]
fn what_is_pushed_from_one_replica_is_pulled_by_the_other() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let first = replicas.open("first.db", &server.url());
    run(
        &first,
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 'one')",
    );
    assert_eq!(first.stats().unwrap().cdc_operations, 2);
    first.push().unwrap();

    // Bootstrap of a filled database.
    let second = replicas.open("second.db", &server.url());
    assert_eq!(rows(&second, "SELECT * FROM t"), ["1|one"]);
    run(
        &second,
        "INSERT INTO t VALUES (2, 'two'); UPDATE t SET b = 'ONE' WHERE a = 1",
    );
    second.push().unwrap();
    assert!(first.pull().unwrap());
    assert!(!first.pull().unwrap());
    assert_eq!(rows(&first, "SELECT * FROM t ORDER BY a"), ["1|ONE", "2|two"]);

    // Both sides at once, and a change of the schema.
    run(
        &first,
        "ALTER TABLE t ADD COLUMN c; INSERT INTO t VALUES (3, 'three', 3.5)",
    );
    run(&second, "DELETE FROM t WHERE a = 2; INSERT INTO t VALUES (4, x'00ff')");
    first.push().unwrap();
    second.push().unwrap();
    assert!(second.pull().unwrap());
    assert!(first.pull().unwrap());
    let all = ["1|ONE|NULL", "3|three|3.5", "4|[00, ff]|NULL"];
    assert_eq!(rows(&first, "SELECT * FROM t ORDER BY a"), all);
    assert_eq!(rows(&second, "SELECT * FROM t ORDER BY a"), all);
}

#[test]
fn a_replica_is_opened_again_without_a_server_and_goes_on_when_there_is_one_again() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let first = replicas.open("first.db", &server.url());
    run(
        &first,
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 'one')",
    );
    first.push().unwrap();
    first.close().unwrap();
    drop(first);

    let first = replicas.open_with("first.db", SyncOptions::default()).unwrap();
    run(&first, "INSERT INTO t VALUES (2, 'two')");
    let server = server.restart(&replicas.path("server.db"));
    first.push().unwrap();
    first.checkpoint().unwrap();
    assert_eq!(rows(&first, "SELECT * FROM t ORDER BY a"), ["1|one", "2|two"]);
    let second = replicas.open("second.db", &server.url());
    assert_eq!(rows(&second, "SELECT * FROM t ORDER BY a"), ["1|one", "2|two"]);
    run(&second, "INSERT INTO t VALUES (3, 'three')");
    second.push().unwrap();
    assert!(first.pull().unwrap());
    first.checkpoint().unwrap();
    assert_eq!(rows(&first, "SELECT count(*) FROM t"), ["3"]);
    let stats = first.stats().unwrap();
    assert_eq!((stats.cdc_operations, stats.main_wal_size), (0, 0));
    assert!(stats.revision.is_some() && stats.network_sent_bytes > 0 && stats.network_received_bytes > 0);
    assert!(stats.last_pull_unix_time.is_some() && stats.last_push_unix_time.is_some());
}

#[test]
fn a_database_that_begins_without_its_server_is_pushed_later() {
    let replicas = Replicas::new();
    let offline = replicas
        .open_with(
            "first.db",
            SyncOptions::new("http://127.0.0.1:9").bootstrap_if_empty(false),
        )
        .unwrap();
    run(
        &offline,
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 'one')",
    );
    assert!(matches!(error(offline.push()), Error::Operational(_)));
    drop(offline);

    let server = server!(replicas);
    let online = replicas.open("first.db", &server.url());
    assert_eq!(rows(&online, "SELECT * FROM t"), ["1|one"]);
    online.push().unwrap();
    online.pull().unwrap();
    assert_eq!(
        rows(&replicas.open("second.db", &server.url()), "SELECT * FROM t"),
        ["1|one"]
    );
}

#[test]
fn a_thousand_changes_come_through_in_one_push_and_in_batches() {
    for threshold in [0, 100] {
        let replicas = Replicas::new();
        let server = server!(replicas);
        let options = SyncOptions::new(server.url()).push_operations_threshold(threshold);
        let first = replicas.open_with("first.db", options).unwrap();
        run(&first, "CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
        for tens in 0..100 {
            for ones in 0..10 {
                first
                    .execute("INSERT INTO t VALUES (?, ?)", (tens * 10 + ones, "text"))
                    .unwrap();
            }
            first.commit().unwrap();
        }
        first.push().unwrap();
        assert_eq!(
            rows(
                &replicas.open("second.db", &server.url()),
                "SELECT count(*), sum(a) FROM t"
            ),
            ["1000|499500"]
        );
    }
}

/// Bug: what is large is cut somewhere, or costs the square of what it holds.
#[test]
fn ten_thousand_changes_come_through_in_one_push() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let first = replicas.open("first.db", &server.url());
    run(&first, "CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
    let many = (0..10_000).map(|number| (number, "text")).collect::<Vec<_>>();
    first.executemany("INSERT INTO t VALUES (?, ?)", many).unwrap();
    first.commit().unwrap();
    assert_eq!(first.stats().unwrap().cdc_operations, 10_001);
    first.push().unwrap();
    assert_eq!(first.stats().unwrap().cdc_operations, 0);
    let second = replicas.open("second.db", &server.url());
    assert_eq!(rows(&second, "SELECT count(*), sum(a) FROM t"), ["10000|49995000"]);
}

/// Two replicas of which the second has inserted a value that the first has pushed already, under another key.
fn collision(replicas: &Replicas, url: &str) -> (crate::ConnectionSync, crate::ConnectionSync) {
    let first = replicas.open("first.db", url);
    run(&first, "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE)");
    first.push().unwrap();
    let second = replicas.open("second.db", url);
    run(&first, "INSERT INTO users VALUES (1, 'ada')");
    first.push().unwrap();
    run(
        &second,
        "INSERT INTO users VALUES (5, 'eve'); INSERT INTO users VALUES (2, 'ada'); INSERT INTO users VALUES (6, 'bob')",
    );
    (first, second)
}

#[test]
fn a_refused_change_ends_the_push_with_its_row_and_nothing_is_lost_also_after_a_restart() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let (first, second) = collision(&replicas, &server.url());
    let local = ["2|ada", "5|eve", "6|bob"];
    let refused = error(second.push());
    assert!(matches!(refused, Error::Integrity(_)), "{refused}");
    assert!(
        refused
            .to_string()
            .contains("insert of row 2 of table \"users\": UNIQUE constraint failed: users.email"),
        "{refused}"
    );
    // Neither a second push nor a pull gets past it, and the rows stay.
    for again in [error(second.push()), error(second.pull())] {
        assert_eq!(again.to_string(), refused.to_string());
    }
    assert_eq!(rows(&second, "SELECT * FROM users ORDER BY id"), local);
    // On the server nothing of it was kept: not the rows around it either.
    first.pull().unwrap();
    assert_eq!(rows(&first, "SELECT * FROM users ORDER BY id"), ["1|ada"]);

    drop(second);
    let second = replicas.open("second.db", &server.url());
    assert_eq!(error(second.pull()).to_string(), refused.to_string());
    assert_eq!(rows(&second, "SELECT * FROM users ORDER BY id"), local);
    let conflicts = second.conflicts().unwrap();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(
        (
            conflicts[0].table.as_str(),
            conflicts[0].rowid,
            conflicts[0].operation.as_str()
        ),
        ("users", Some(2), "insert")
    );
}

#[test]
fn the_local_side_of_a_conflict_prevails_where_that_was_decided() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let (first, second) = collision(&replicas, &server.url());
    second.push().unwrap_err();
    let conflict = second.conflicts().unwrap().remove(0);
    second.resolve(&conflict, Keep::Local).unwrap();
    assert!(matches!(
        error(second.resolve(&conflict, Keep::Local)),
        Error::Programming(_)
    ));
    second.push().unwrap();
    second.pull().unwrap();
    first.pull().unwrap();
    let all = ["2|ada", "5|eve", "6|bob"];
    assert_eq!(rows(&first, "SELECT * FROM users ORDER BY id"), all);
    assert_eq!(rows(&second, "SELECT * FROM users ORDER BY id"), all);
    assert!(
        !replicas.files().iter().any(|file| file.ends_with("-conflicts")),
        "{:?}",
        replicas.files()
    );
}

#[test]
fn the_remote_side_of_a_conflict_prevails_where_that_was_decided() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let (first, second) = collision(&replicas, &server.url());
    run(
        &second,
        "UPDATE users SET email = 'ADA' WHERE id = 2; UPDATE users SET email = 'ada' WHERE id = 2",
    );
    second.push().unwrap_err();
    let conflict = second.conflicts().unwrap().remove(0);
    second.resolve(&conflict, Keep::Remote).unwrap();
    assert_eq!(rows(&second, "SELECT * FROM users ORDER BY id"), ["5|eve", "6|bob"]);
    second.push().unwrap();
    second.pull().unwrap();
    first.pull().unwrap();
    let all = ["1|ada", "5|eve", "6|bob"];
    assert_eq!(rows(&first, "SELECT * FROM users ORDER BY id"), all);
    assert_eq!(rows(&second, "SELECT * FROM users ORDER BY id"), all);
}

#[test]
fn a_pull_that_local_rows_do_not_fit_leaves_them_and_a_push_names_the_row() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let (_first, second) = collision(&replicas, &server.url());
    let local = ["2|ada", "5|eve", "6|bob"];
    let refused = error(second.pull());
    assert!(matches!(refused, Error::Integrity(_)), "{refused}");
    assert_eq!(rows(&second, "SELECT * FROM users ORDER BY id"), local);
    run(&second, "INSERT INTO users VALUES (7, 'kim')");
    assert!(error(second.push()).to_string().contains("row 2 of table \"users\""));
    let conflict = second.conflicts().unwrap().remove(0);
    second.resolve(&conflict, Keep::Remote).unwrap();
    assert!(second.pull().unwrap());
    second.push().unwrap();
    assert_eq!(
        rows(&second, "SELECT * FROM users ORDER BY id"),
        ["1|ada", "5|eve", "6|bob", "7|kim"]
    );
}

#[test]
fn an_update_and_a_delete_are_taken_back_whole() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let first = replicas.open("first.db", &server.url());
    run(
        &first,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, data BLOB); INSERT INTO users VALUES (1, 'ada', x'00'), (2, 'bob', x'ff')",
    );
    first.push().unwrap();
    let second = replicas.open("second.db", &server.url());
    run(&first, "UPDATE users SET email = 'eve' WHERE id = 1");
    first.push().unwrap();
    run(&second, "UPDATE users SET email = 'eve', data = NULL WHERE id = 2");
    let refused = error(second.push());
    assert!(refused.to_string().contains("the update of row 2"), "{refused}");
    let conflict = second.conflicts().unwrap().remove(0);
    second.resolve(&conflict, Keep::Remote).unwrap();
    assert_eq!(rows(&second, "SELECT * FROM users"), ["1|ada|[00]", "2|bob|[ff]"]);
    second.push().unwrap();
    second.pull().unwrap();
    assert_eq!(rows(&second, "SELECT * FROM users"), ["1|eve|[00]", "2|bob|[ff]"]);
}

/// Bug: only the changes with the rowid of the refused row were taken back. The row that it was before, or that it had replaced,
/// was gone here, and the next push deleted it on the server too, where nobody had touched it.
#[test]
fn what_a_refused_row_has_replaced_comes_back_with_it() {
    for (local, remote, refused) in [
        (
            "UPDATE t SET id = 9, name = 'X' WHERE id = 2",
            "INSERT INTO t VALUES (5, 'X', 'x')",
            9,
        ),
        (
            "INSERT OR REPLACE INTO t VALUES (9, 'B', 'm')",
            "INSERT INTO t VALUES (5, 'Q', 'm')",
            9,
        ),
        (
            "INSERT OR REPLACE INTO t VALUES (9, 'A', 'b'); UPDATE t SET id = 10, mail = 'm' WHERE id = 9",
            "INSERT INTO t VALUES (5, 'Q', 'm')",
            10,
        ),
    ] {
        // What a pull has put on top is noted anew.
        for is_pulled in [false, true] {
            let replicas = Replicas::new();
            let server = server!(replicas);
            let first = replicas.open("first.db", &server.url());
            run(
                &first,
                "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, mail TEXT UNIQUE);
                 INSERT INTO t VALUES (1, 'A', 'a'), (2, 'B', 'b'), (3, 'C', 'c')",
            );
            first.push().unwrap();
            let second = replicas.open("second.db", &server.url());
            run(&second, local);
            if is_pulled {
                run(&first, "INSERT INTO t VALUES (20, 'T', 't')");
                first.push().unwrap();
                assert!(second.pull().unwrap());
            }
            run(&first, remote);
            first.push().unwrap();
            assert!(matches!(error(second.push()), Error::Integrity(_)), "{local}");
            let conflict = second.conflicts().unwrap().remove(0);
            assert_eq!(conflict.rowid, Some(refused), "{local}");
            second.resolve(&conflict, Keep::Remote).unwrap();
            let whole = rows(&second, "SELECT * FROM t WHERE id < 4 ORDER BY id");
            second.push().unwrap();
            second.pull().unwrap();
            first.pull().unwrap();
            for side in [&first, &second] {
                let all = rows(side, "SELECT * FROM t WHERE id < 4 ORDER BY id");
                assert_eq!(all, whole, "{local}");
                let names = rows(side, "SELECT name FROM t WHERE name < 'D' ORDER BY name");
                assert_eq!(names, ["A", "B", "C"], "{local}");
                assert_eq!(rows(side, "PRAGMA integrity_check"), ["ok"]);
            }
            assert_eq!(
                rows(&first, "SELECT * FROM t ORDER BY id"),
                rows(&second, "SELECT * FROM t ORDER BY id")
            );
        }
    }
}

/// Bug: the row that an update of a rowid had taken from its place was lost where another row had come there since.
#[test]
fn a_row_whose_place_is_taken_is_named_and_nothing_is_changed() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let first = replicas.open("first.db", &server.url());
    run(
        &first,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE); INSERT INTO t VALUES (1, 'A'), (2, 'B')",
    );
    first.push().unwrap();
    let second = replicas.open("second.db", &server.url());
    run(
        &second,
        "UPDATE t SET id = 9, name = 'X' WHERE id = 2; INSERT INTO t VALUES (2, 'N')",
    );
    run(&first, "INSERT INTO t VALUES (5, 'X')");
    first.push().unwrap();
    second.push().unwrap_err();
    let conflict = second.conflicts().unwrap().remove(0);
    let failed = error(second.resolve(&conflict, Keep::Remote));
    assert!(failed.to_string().contains("row 2 of table \"t\""), "{failed}");
    assert_eq!(rows(&second, "SELECT * FROM t ORDER BY id"), ["1|A", "2|N", "9|X"]);
    run(&second, "DELETE FROM t WHERE id = 2");
    second.resolve(&conflict, Keep::Remote).unwrap();
    run(&second, "INSERT INTO t VALUES (10, 'N')");
    second.push().unwrap();
    second.pull().unwrap();
    assert_eq!(
        rows(&second, "SELECT * FROM t ORDER BY id"),
        ["1|A", "2|B", "5|X", "10|N"]
    );
}

/// Bug: a row that can't come back, because another one has its unique value here, ended in words that name nothing.
#[test]
fn a_row_that_can_not_come_back_is_named_and_nothing_is_changed() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let first = replicas.open("first.db", &server.url());
    run(
        &first,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE); INSERT INTO t VALUES (1, 'A'), (2, 'B')",
    );
    first.push().unwrap();
    let second = replicas.open("second.db", &server.url());
    run(
        &second,
        "UPDATE t SET id = 9, name = 'X' WHERE id = 2; INSERT INTO t VALUES (4, 'B')",
    );
    run(&first, "INSERT INTO t VALUES (5, 'X')");
    first.push().unwrap();
    second.push().unwrap_err();
    let conflict = second.conflicts().unwrap().remove(0);
    let failed = error(second.resolve(&conflict, Keep::Remote));
    assert!(matches!(failed, Error::Integrity(_)), "{failed}");
    assert!(failed.to_string().contains("row 2 of table \"t\""), "{failed}");
    assert_eq!(rows(&second, "SELECT * FROM t ORDER BY id"), ["1|A", "4|B", "9|X"]);
    run(&second, "UPDATE t SET name = 'C' WHERE id = 4");
    second.resolve(&conflict, Keep::Remote).unwrap();
    // The row that stood in the way here was that row's twin on the server, when it was inserted.
    assert!(error(second.push()).to_string().contains("row 4 of table \"t\""));
    let conflict = second.conflicts().unwrap().remove(0);
    second.resolve(&conflict, Keep::Remote).unwrap();
    second.push().unwrap();
    second.pull().unwrap();
    first.pull().unwrap();
    for side in [&first, &second] {
        assert_eq!(rows(side, "SELECT * FROM t ORDER BY id"), ["1|A", "2|B", "5|X"]);
    }
}

/// Bug: a transaction that was open here held up the search for the refused change: the push said after the busy timeout that the
/// database was locked, and named nothing.
#[test]
fn a_refused_change_is_named_while_a_transaction_is_open() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let (_first, second) = collision(&replicas, &server.url());
    second.execute("INSERT INTO users VALUES (7, 'kim')", ()).unwrap();
    let refused = error(second.push());
    assert!(refused.to_string().contains("row 2 of table \"users\""), "{refused}");
    assert_eq!(second.conflicts().unwrap().len(), 1);
    second.commit().unwrap();
    let conflict = second.conflicts().unwrap().remove(0);
    second.resolve(&conflict, Keep::Remote).unwrap();
    second.push().unwrap();
    second.pull().unwrap();
    assert_eq!(
        rows(&second, "SELECT * FROM users ORDER BY id"),
        ["1|ada", "5|eve", "6|bob", "7|kim"]
    );
}

/// Bug: where a pull fails in its middle and nobody has pushed before, the engine goes on with the schema that would have come, in
/// which its own tables are missing: each statement after it failed until the database was opened again.
#[test]
fn a_pull_that_fails_before_the_first_push_leaves_the_connection_usable() {
    let replicas = Replicas::new();
    let Some(server) = ScriptedServer::start(&replicas.path("server.db"), &[]) else {
        return;
    };
    server.run("CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE)");
    let connection = replicas.open("first.db", &server.url());
    let reader = crate::connect(replicas.path("first.db"), ConnectOptions::default()).unwrap();
    run(
        &connection,
        "INSERT INTO t VALUES (2, 'x'); CREATE TEMP TABLE beside (a); INSERT INTO beside VALUES (1)",
    );
    server.run("INSERT INTO t VALUES (3, 'x')");
    for _ in 0..2 {
        let refused = error(connection.pull());
        assert!(matches!(refused, Error::Integrity(_)), "{refused}");
        assert_eq!(rows(&connection, "SELECT * FROM t"), ["2|x"]);
        assert_eq!(rows(&reader, "SELECT * FROM t"), ["2|x"]);
        assert_eq!(rows(&connection, "SELECT * FROM beside"), ["1"]);
    }
    run(&connection, "INSERT INTO t VALUES (9, 'i')");
    assert!(error(connection.push()).to_string().contains("row 2 of table \"t\""));
    let conflict = connection.conflicts().unwrap().remove(0);
    connection.resolve(&conflict, Keep::Remote).unwrap();
    connection.push().unwrap();
    connection.pull().unwrap();
    assert_eq!(rows(&connection, "SELECT * FROM t ORDER BY id"), ["3|x", "9|i"]);
    assert_eq!(rows(&connection, "PRAGMA integrity_check"), ["ok"]);
}

/// Bug: the conflicts of a database whose file was removed were taken for those of the one that was fetched in its place, which
/// could neither pull nor push.
#[test]
fn conflicts_go_with_the_database_that_they_belong_to() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let (_first, second) = collision(&replicas, &server.url());
    second.push().unwrap_err();
    second.close().unwrap();
    for file in replicas.files() {
        if file.starts_with("second.db") && !file.ends_with("-conflicts") {
            std::fs::remove_file(replicas.path(&file)).unwrap();
        }
    }
    assert!(replicas.files().contains(&"second.db-conflicts".to_owned()));
    let second = replicas.open("second.db", &server.url());
    assert_eq!(second.conflicts().unwrap(), []);
    run(&second, "INSERT INTO users VALUES (8, 'new')");
    second.push().unwrap();
    second.pull().unwrap();
    assert_eq!(rows(&second, "SELECT * FROM users ORDER BY id"), ["1|ada", "8|new"]);
}

/// Bug: a push in batches said that nothing of it had been kept, while the batches before the refused one had been.
#[test]
fn a_refused_batch_does_not_deny_those_before_it() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let first = replicas.open("first.db", &server.url());
    run(&first, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)");
    first.push().unwrap();
    let options = SyncOptions::new(server.url()).push_operations_threshold(1);
    let second = replicas.open_with("second.db", options).unwrap();
    run(&first, "INSERT INTO t VALUES (1, 'ada')");
    first.push().unwrap();
    run(&second, "INSERT INTO t VALUES (2, 'bob')");
    run(&second, "INSERT INTO t VALUES (3, 'ada')");
    let refused = error(second.push());
    assert!(
        refused.to_string().contains("Nothing that was sent with it"),
        "{refused}"
    );
    first.pull().unwrap();
    assert_eq!(rows(&first, "SELECT * FROM t ORDER BY id"), ["1|ada", "2|bob"]);
}
