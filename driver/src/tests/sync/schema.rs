//! Changes of the schema on one side or both, which the engine 0.8.3 alone loses or mistakes: each test names what came of it.

use super::scripted_server::ScriptedServer;
use super::{Replicas, error, rows, run};
use crate::{ConnectionSync, Error, Keep, SyncOptions};

macro_rules! server {
    ($replicas:expr) => {
        match ScriptedServer::start(&$replicas.path("server.db"), &[]) {
            Some(server) => server,
            None => return,
        }
    };
}

/// Two replicas of a server with what a script makes.
fn pair(replicas: &Replicas, server: &ScriptedServer, script: &str) -> (ConnectionSync, ConnectionSync) {
    let first = replicas.open("first.db", &server.url());
    run(&first, script);
    first.push().unwrap();
    let second = replicas.open("second.db", &server.url());
    (first, second)
}

fn all_hold(replicas: &Replicas, server: &ScriptedServer, sides: [&ConnectionSync; 2], sql: &str, expected: &[&str]) {
    let third = replicas.open("third.db", &server.url());
    for side in sides.into_iter().chain([&third]) {
        assert_eq!(rows(side, sql), expected);
        assert_eq!(rows(side, "PRAGMA integrity_check"), ["ok"]);
    }
    third.close().unwrap();
}

/// Bug: the engine drops by the name without quotes: of `a--b` the server dropped `a`, and of `a b` nothing could be pushed.
#[test]
fn what_is_dropped_is_dropped_by_its_whole_name_and_may_be_gone_already() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let tables = ["a--b", "a;b", "a b", "it's", "[c]", "select"];
    let make = tables.map(|table| format!("CREATE TABLE \"{table}\" (v)")).join(";");
    let (first, second) = pair(
        &replicas,
        &server,
        &format!("CREATE TABLE a (v); CREATE TABLE c (v); {make}"),
    );
    let drop = tables.map(|table| format!("DROP TABLE \"{table}\"")).join(";");
    for side in [&first, &second] {
        run(side, &drop);
    }
    first.push().unwrap();
    // The engine does the same where it puts local changes on top of a pull.
    let refused = error(second.pull());
    assert!(refused.to_string().contains("push() first"), "{refused}");
    second.push().unwrap();
    second.pull().unwrap();
    first.pull().unwrap();
    let names =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%turso%' AND name NOT LIKE 'sqlite%'";
    all_hold(&replicas, &server, [&first, &second], names, &["a", "c"]);
}

/// Bug: a table that was made, filled and dropped again could never be pushed, nor anything behind it.
#[test]
fn the_rows_of_a_table_that_was_dropped_are_not_pushed() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let (first, second) = pair(&replicas, &server, "CREATE TABLE old (a); INSERT INTO old VALUES (1)");
    run(
        &first,
        "CREATE TABLE draft (a); INSERT INTO draft VALUES (1), (2); DROP TABLE draft; \
         INSERT INTO old VALUES (2); DROP TABLE old; CREATE TABLE old (b TEXT); INSERT INTO old VALUES ('new')",
    );
    run(&second, "CREATE TABLE other (a); INSERT INTO other VALUES (1)");
    second.push().unwrap();
    assert!(first.pull().unwrap());
    first.push().unwrap();
    second.pull().unwrap();
    all_hold(&replicas, &server, [&first, &second], "SELECT * FROM old", &["new"]);
    assert_eq!(first.stats().unwrap().cdc_operations, 0);
}

/// Bug: the change of `c` reached the server, and from there all replicas, as one of `d`.
#[test]
fn a_column_is_dropped_when_the_changes_of_its_table_are_pushed() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let script = "CREATE TABLE t (id INTEGER PRIMARY KEY, b, c, d); INSERT INTO t VALUES (1, 'b', 'c', 'd')";
    let (first, second) = pair(&replicas, &server, script);
    first.execute("UPDATE t SET c = 'C'", ()).unwrap();
    for drop in ["ALTER TABLE t DROP COLUMN b", "; alter table T drop b; SELECT 1"] {
        let refused = error(first.executescript(drop));
        assert!(matches!(refused, Error::Operational(_)), "{refused:?}");
        assert!(refused.to_string().contains("push() first"), "{refused}");
    }
    first.commit().unwrap();
    first.push().unwrap();
    run(&first, "ALTER TABLE t DROP COLUMN b; UPDATE t SET d = 'D'");
    first.push().unwrap();
    second.pull().unwrap();
    all_hold(&replicas, &server, [&first, &second], "SELECT * FROM t", &["1|C|D"]);
}

/// Bug: a row that was noted with the columns (id, y) was put into (id, x, y) by their places: what was y became x.
#[test]
fn a_pull_does_not_put_values_into_other_columns() {
    for (here, there, expected) in [
        (
            "ALTER TABLE t ADD COLUMN y; INSERT INTO t (id, y) VALUES (2, 'y')",
            "ALTER TABLE t ADD COLUMN x",
            Some("2|NULL|NULL|NULL|y"),
        ),
        ("UPDATE t SET b = 'B'", "ALTER TABLE t DROP COLUMN a", Some("1|B")),
        // They fit: a column more behind the others.
        ("UPDATE t SET b = 'B'", "ALTER TABLE t ADD COLUMN x", None),
        ("INSERT INTO t VALUES (2, 'a', 'b')", "ALTER TABLE t ADD COLUMN x", None),
    ] {
        let replicas = Replicas::new();
        let server = server!(replicas);
        let script = "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES (1, 'a', 'b')";
        let (first, second) = pair(&replicas, &server, script);
        run(&first, there);
        first.push().unwrap();
        run(&second, here);
        let before = rows(&second, "SELECT * FROM t");
        if let Some(expected) = expected {
            let refused = error(second.pull());
            assert!(
                refused.to_string().contains("\"t\" has other columns on the server"),
                "{refused}"
            );
            assert_eq!(rows(&second, "SELECT * FROM t"), before);
            second.push().unwrap();
            assert!(second.pull().unwrap());
            let found = rows(&second, "SELECT * FROM t ORDER BY id DESC LIMIT 1");
            assert_eq!(found, [expected], "{here}");
        } else {
            assert!(second.pull().unwrap(), "{here}");
            second.push().unwrap();
        }
        first.pull().unwrap();
        let all = rows(&first, "SELECT * FROM t ORDER BY id");
        assert_eq!(rows(&second, "SELECT * FROM t ORDER BY id"), all, "{here}");
        assert!(
            all.iter().any(|row| row.contains("B") || row.starts_with("2|")),
            "{all:?}"
        );
    }
}

/// Bug: a renamed column of the server is the same column; the row that was not pushed was refused for it.
#[test]
fn a_pull_follows_a_column_that_the_server_has_renamed() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let (_, second) = pair(&replicas, &server, "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)");
    server.run("ALTER TABLE t RENAME COLUMN a TO z");
    run(&second, "INSERT INTO t VALUES (1, 'a', 'b')");
    assert!(second.pull().unwrap());
    assert_eq!(rows(&second, "SELECT z, b FROM t"), ["a|b"]);
    second.push().unwrap();
    assert_eq!(
        rows(&replicas.open("third.db", &server.url()), "SELECT z, b FROM t"),
        ["a|b"]
    );
}

/// Bug: views and triggers that were made here, and new names, were gone with the next pull, without a word.
#[test]
fn what_the_next_pull_would_undo_is_refused() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let (first, _) = pair(&replicas, &server, "CREATE TABLE t (id INTEGER PRIMARY KEY, a)");
    for sql in [
        "CREATE VIEW w AS SELECT a FROM t",
        "CREATE VIEW IF NOT EXISTS w AS SELECT a FROM t",
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t; END",
        "ALTER TABLE t RENAME TO u",
        "ALTER TABLE t RENAME COLUMN a TO b",
        "CREATE TABLE \"with \"\" in it\" (a)",
        "CREATE TABLE filled AS SELECT 1 AS a",
    ] {
        let refused = error(first.execute(sql, ()));
        assert!(matches!(refused, Error::NotSupported(_)), "{sql}: {refused:?}");
    }
    run(
        &first,
        "CREATE TEMP VIEW mine AS SELECT a FROM t; CREATE TEMP TABLE scratch (a)",
    );
    server.run("CREATE VIEW w AS SELECT a FROM t");
    assert!(first.pull().unwrap());
    run(
        &first,
        "CREATE VIEW IF NOT EXISTS w AS SELECT a FROM t; INSERT INTO t VALUES (1, 'a')",
    );
    assert_eq!(rows(&first, "SELECT * FROM w"), ["a"]);
}

/// Bug: a change of the schema that the server can't take stood before all later pushes and pulls for ever.
#[test]
fn a_refused_change_of_the_schema_is_dropped_or_sent_again() {
    for keep in [Keep::Remote, Keep::Local] {
        let replicas = Replicas::new();
        let server = server!(replicas);
        let script = "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 'x')";
        let (first, second) = pair(&replicas, &server, script);
        run(&first, "INSERT INTO t VALUES (2, 'x')");
        first.push().unwrap();
        run(
            &second,
            "CREATE UNIQUE INDEX i ON t (a); CREATE TABLE more (a); INSERT INTO more VALUES (1)",
        );
        for call in [ConnectionSync::push, |second: &ConnectionSync| {
            second.pull().map(|_| ())
        }] {
            let refused = error(call(&second));
            assert!(matches!(refused, Error::Integrity(_)), "{refused:?}");
            assert!(
                refused
                    .to_string()
                    .contains("the change of the schema at \"i\": UNIQUE"),
                "{refused}"
            );
        }
        let conflict = second.conflicts().unwrap().remove(0);
        assert_eq!((conflict.operation.as_str(), conflict.rowid), ("schema", None));
        if keep == Keep::Local {
            server.run("DELETE FROM t WHERE id = 2");
        }
        second.resolve(&conflict, keep).unwrap();
        second.push().unwrap();
        second.pull().unwrap();
        let has_index = rows(&second, "SELECT 1 FROM sqlite_schema WHERE name = 'i'").len();
        assert_eq!(has_index, usize::from(keep == Keep::Local));
        first.pull().unwrap();
        let index = "SELECT name FROM sqlite_schema WHERE name IN ('i', 'more') ORDER BY name";
        assert_eq!(rows(&first, index), rows(&second, index));
    }
}

/// Bug: a decision was taken that could not be carried out.
#[test]
fn only_what_was_made_is_dropped_again() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let (first, _) = pair(&replicas, &server, "CREATE TABLE t (id INTEGER PRIMARY KEY, a)");
    server.run("DROP TABLE t");
    run(&first, "ALTER TABLE t DROP COLUMN a");
    error(first.push());
    let conflict = first.conflicts().unwrap().remove(0);
    let refused = error(first.resolve(&conflict, Keep::Remote));
    assert!(matches!(refused, Error::NotSupported(_)), "{refused:?}");
    assert_eq!(first.conflicts().unwrap(), [conflict]);
}

/// Bug: a table that the server can't take stood in the way for ever, with its rows and its indexes.
#[test]
fn a_refused_table_goes_with_its_rows_and_indexes() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let options = SyncOptions::new(server.url()).experimental_features("generated_columns");
    let replica = replicas.open_with("first.db", options).unwrap();
    run(
        &replica,
        "CREATE TABLE g (id INTEGER PRIMARY KEY, a, b GENERATED ALWAYS AS (a || 'x')); INSERT INTO g (id, a) VALUES (1, 'a'); \
         CREATE INDEX i ON g (a); CREATE TABLE kept (a); INSERT INTO kept VALUES (7)",
    );
    error(replica.push());
    let conflict = replica.conflicts().unwrap().remove(0);
    assert_eq!((conflict.table.as_str(), conflict.operation.as_str()), ("g", "schema"));
    replica.resolve(&conflict, Keep::Remote).unwrap();
    replica.push().unwrap();
    assert!(replica.pull().unwrap());
    assert_eq!(
        rows(&replica, "SELECT 1 FROM sqlite_schema WHERE name IN ('g', 'i')").len(),
        0
    );
    assert_eq!(
        rows(&replicas.open("second.db", &server.url()), "SELECT * FROM kept"),
        ["7"]
    );
}

/// Bug: a row that got another rowid stood before all later pushes and pulls for ever: the engine could not read its own note.
#[test]
fn a_row_may_get_another_rowid() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let script = "CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE); INSERT INTO t VALUES (1, 'x'), (2, 'y'); \
                  CREATE TABLE n (a); INSERT INTO n VALUES ('z')";
    let (first, second) = pair(&replicas, &server, script);
    run(
        &second,
        "UPDATE t SET id = id + 10; UPDATE t SET a = 'X' WHERE id = 11; UPDATE n SET rowid = 7",
    );
    run(&first, "INSERT INTO t VALUES (3, 'of the first')");
    first.push().unwrap();
    assert!(second.pull().unwrap());
    let all = ["3|of the first", "11|X", "12|y"];
    assert_eq!(rows(&second, "SELECT * FROM t ORDER BY id"), all);
    run(&second, "UPDATE t SET id = 1 WHERE id = 11");
    second.push().unwrap();
    first.pull().unwrap();
    second.pull().unwrap();
    let all = ["1|X", "3|of the first", "12|y"];
    all_hold(
        &replicas,
        &server,
        [&first, &second],
        "SELECT * FROM t ORDER BY id",
        &all,
    );
    assert_eq!(rows(&first, "SELECT a FROM n"), ["z"]);
}

/// Bug: a number that JSON has no form for stood before all later pushes for ever, also when its row was gone.
#[test]
fn an_infinite_number_is_a_conflict_that_can_be_resolved() {
    let replicas = Replicas::new();
    let server = server!(replicas);
    let replica = replicas.open("first.db", &server.url());
    run(
        &replica,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 1.5)",
    );
    replica
        .execute("INSERT INTO t VALUES (2, ?)", (f64::NEG_INFINITY,))
        .unwrap();
    replica.commit().unwrap();
    let refused = error(replica.push());
    assert!(matches!(refused, Error::Data(_)), "{refused:?}");
    assert!(refused.to_string().contains("row 2 of table \"t\""), "{refused}");
    let conflict = replica.conflicts().unwrap().remove(0);
    replica.resolve(&conflict, Keep::Remote).unwrap();
    replica.push().unwrap();
    assert_eq!(
        rows(&replicas.open("second.db", &server.url()), "SELECT * FROM t"),
        ["1|1.5"]
    );
}
