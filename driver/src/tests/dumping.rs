use super::Scratch;
use crate::{Anything, ConnectOptions, Error, connect};

#[test]
fn a_dump_makes_the_same_database_again() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    connection
        .executescript(
            r#"CREATE TABLE "it's odd" (n INTEGER PRIMARY KEY AUTOINCREMENT, "a b", c BLOB, d REAL);
               INSERT INTO "it's odd" VALUES (7, 'it''s', x'00ff', 1.5), (9, NULL, x'', -0.1);
               CREATE INDEX by_text ON "it's odd" ("a b");
               CREATE VIEW both AS SELECT n, "a b" FROM "it's odd";"#,
        )
        .unwrap();
    let dump = connection.iterdump().unwrap();
    assert_eq!(dump.first().unwrap(), "BEGIN TRANSACTION;");
    assert_eq!(dump.last().unwrap(), "COMMIT;");
    let copy = connect(":memory:", ConnectOptions::default()).unwrap();
    copy.executescript(&dump.join("\n")).unwrap();
    assert_eq!(copy.iterdump().unwrap(), dump);
    let rows = |connection: &crate::Connection| {
        let mut cursor = connection
            .execute(r#"SELECT * FROM "it's odd" ORDER BY n"#, ())
            .unwrap();
        cursor.fetchall().unwrap()
    };
    assert_eq!(rows(&copy), rows(&connection));
    // The counter of AUTOINCREMENT has come along.
    copy.execute("DELETE FROM \"it's odd\" WHERE n = 9", ()).unwrap();
    let cursor = copy
        .execute(r#"INSERT INTO "it's odd" ("a b") VALUES ('next')"#, ())
        .unwrap();
    assert_eq!(cursor.lastrowid(), Some(10));
}

#[test]
fn what_the_engine_can_not_do_yet_says_so_with_a_way_round_it() {
    let connection = connect(":memory:", ConnectOptions::default()).unwrap();
    let refusals = [
        connection.create_function("f", 1, Anything, false),
        connection.create_aggregate("f", 1, Anything),
        connection.create_collation("c", Some(Anything)),
        connection.set_authorizer(Some(Anything)),
        connection.set_progress_handler(Some(Anything), 100),
        connection.set_trace_callback(Some(Anything)),
        connection.enable_load_extension(true),
        connection.load_extension("x", None),
        connection.backup(Anything, -1, None, "main", 0.25),
        connection.blobopen("t", "c", 1, false, "main"),
        connection.serialize("main").map(drop),
    ];
    for refusal in refusals {
        let error = refusal.unwrap_err();
        assert!(matches!(error, Error::NotSupported(_)), "{error:?}");
        assert!(error.message().contains("is not supported: "), "{error}");
    }
    // What there is none of can be taken away.
    connection.create_collation("c", None).unwrap();
    connection.set_authorizer(None).unwrap();
    connection.enable_load_extension(false).unwrap();
    connection.close().unwrap();
    let error = connection.create_function("f", 1, Anything, false).unwrap_err();
    assert!(matches!(error, Error::Programming(_)), "closed comes first: {error:?}");
}
