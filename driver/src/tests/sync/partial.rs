//! Replicas that fetch pages when they are first read.
#![cfg(target_os = "linux")]

use serde_json::json;

use super::scripted_server::ScriptedServer;
use super::{Replicas, error, rows, run};
use crate::{ConnectionSync, Error, PartialSyncOpts, SyncOptions};

/// A server with a table of some hundred pages.
fn large(replicas: &Replicas) -> Option<ScriptedServer> {
    let server = ScriptedServer::start(&replicas.path("server.db"), &[])?;
    let first = replicas.open("first.db", &server.url());
    run(&first, "CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
    let many = (0..500).map(|number| (number, "x".repeat(2000))).collect::<Vec<_>>();
    first.executemany("INSERT INTO t VALUES (?, ?)", many).unwrap();
    first.commit().unwrap();
    first.push().unwrap();
    Some(server)
}

fn open_part(replicas: &Replicas, name: &str, server: &ScriptedServer, part: PartialSyncOpts) -> ConnectionSync {
    let options = SyncOptions::new(server.url()).partial_sync_experimental(part.segment_size(64 * 1024));
    replicas.open_with(name, options).unwrap()
}

#[test]
fn pages_are_fetched_as_they_are_read_and_stay() {
    let replicas = Replicas::new();
    let Some(server) = large(&replicas) else { return };
    for (name, part) in [
        ("prefix.db", PartialSyncOpts::prefix(128 * 1024)),
        ("query.db", PartialSyncOpts::query("SELECT * FROM t WHERE a < 10")),
    ] {
        let connection = open_part(&replicas, name, &server, part);
        let first = connection.stats().unwrap().network_received_bytes;
        // A server may answer a query with more than its pages; the test server does.
        assert!(name == "query.db" || first < 600_000, "{name}: {first}");
        assert_eq!(
            rows(&connection, "SELECT count(*), sum(length(b)) FROM t"),
            ["500|1000000"]
        );
        let whole = connection.stats().unwrap().network_received_bytes;
        assert!(whole > 1_000_000, "{name}: {whole}");
        run(&connection, "INSERT INTO t VALUES (1000, 'here')");
        connection.push().unwrap();
        connection.pull().unwrap();
        drop(connection);
        // Opened again, it is partial still, and has what it has.
        let connection = replicas.open(name, &server.url());
        assert_eq!(rows(&connection, "SELECT count(*) FROM t WHERE a <= 1000"), ["501"]);
        run(&connection, "DELETE FROM t WHERE a = 1000");
        connection.push().unwrap();
    }
}

#[test]
fn a_page_that_can_not_be_fetched_is_the_error_of_the_statement_and_can_be_fetched_later() {
    let replicas = Replicas::new();
    let Some(server) = large(&replicas) else { return };
    let connection = open_part(&replicas, "part.db", &server, PartialSyncOpts::prefix(128 * 1024));
    server.fail("pull", None, json!({"kind": "status", "status": 503, "body": "later"}));
    let failed = error(connection.execute("SELECT sum(length(b)) FROM t", ()));
    assert!(matches!(failed, Error::Operational(_)), "{failed:?}");
    assert!(
        failed.to_string().contains("503") && failed.to_string().contains("later"),
        "{failed}"
    );
    server.mend();
    assert_eq!(rows(&connection, "SELECT sum(length(b)) FROM t"), ["1000000"]);
}

#[test]
fn a_statement_that_waits_for_a_page_is_interrupted() {
    let replicas = Replicas::new();
    let Some(server) = large(&replicas) else { return };
    let connection = open_part(&replicas, "part.db", &server, PartialSyncOpts::prefix(128 * 1024));
    server.fail("pull", None, json!({"kind": "delay", "milliseconds": 3_600_000}));
    let before = server.counter("pull");
    let waiting = {
        let connection = connection.clone();
        std::thread::spawn(move || connection.execute("SELECT sum(length(b)) FROM t", ()).map(|_| ()))
    };
    server.wait_for_requests("pull", before + 1);
    connection.interrupt().unwrap();
    assert_eq!(error(waiting.join().unwrap()).to_string(), "interrupted");
    server.mend();
    assert_eq!(rows(&connection, "SELECT sum(length(b)) FROM t"), ["1000000"]);
}
