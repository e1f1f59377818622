//! What the driver, the sync engine and the HTTP client log holds no secret.

#![forbid(unsafe_code)]

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, PoisonError};

use async_proxy_sync_tests::{Kind, Server};
use log::{LevelFilter, Log};
use sync_test_server::{Endpoint, Fault};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use turso_driver::{RemoteEncryptionCipher, SyncOptions, connect_sync};

/// All that was logged.
static LOGGED: Mutex<String> = Mutex::new(String::new());

fn note(line: &str) {
    LOGGED.lock().unwrap_or_else(PoisonError::into_inner).push_str(line);
}

/// What is logged by way of the crate `log`.
struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let words = record.args().to_string();
        match bytes_of_row(&words).filter(|_| record.target().starts_with("ureq_proto")) {
            // One behind the other, or what begins in one row and ends in the next would be found in neither.
            Some(bytes) => note(&bytes.escape_ascii().to_string()),
            None => note(&format!("\n{}: {words}\n", record.target())),
        }
    }

    fn flush(&self) {}
}

/// The bytes of a row of the wire as the HTTP client logs it: sixteen of them in hexadecimal digits, in pairs, and then as letters.
fn bytes_of_row(row: &str) -> Option<Vec<u8>> {
    let digits = row.get(..40)?.replace([' ', '-'], "");
    let pairs = (0..digits.len()).step_by(2);
    pairs
        .map(|pair| u8::from_str_radix(digits.get(pair..pair + 2)?, 16).ok())
        .collect()
}

/// What is logged by way of the crate `tracing`.
struct Collector;

/// The fields of a span or an event.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string never fails.
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl tracing::Subscriber for Collector {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        note(&format!("{}: {}\n", span.metadata().target(), fields.0));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        note(&fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        note(&format!("{}: {}\n", event.metadata().target(), fields.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Bug: the engine was given the key, and logged it with its options; or the token stood in a URL that is logged; or in the head
/// of a request, or in the answer of a server that repeats it, which the HTTP client logs at `trace`.
#[test]
fn neither_a_token_nor_a_key_is_logged_at_any_level() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(server) = Server::start(Kind::Ours, &folder.path().join("remote.db")) else {
        return;
    };
    log::set_logger(&Logger).expect("there is no other");
    log::set_max_level(LevelFilter::Trace);
    tracing::subscriber::set_global_default(Collector).expect("there is no other");
    server.require(Some("SECRET-TOKEN"));
    let options = || {
        SyncOptions::new(server.url())
            .auth_token("SECRET-TOKEN")
            .remote_encryption_key("SECRET-KEY-0123")
            .remote_encryption_cipher(RemoteEncryptionCipher::Aes256Gcm)
    };
    let replica = connect_sync(folder.path().join("a.db"), options()).expect("it opens");
    replica
        .executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        .expect("it runs");
    replica.push().expect("it is pushed");
    replica.pull().expect("it is pulled");
    for fault in [Fault::Rubbish, Fault::Drop, Fault::Cut { bytes: 3 }] {
        for endpoint in [Endpoint::Pull, Endpoint::Push] {
            server.fail(Some(endpoint), 0, Some(1), fault.clone());
        }
        replica.executescript("INSERT INTO t VALUES (2)").expect("it runs");
        replica.push().expect_err("the push goes wrong");
        replica.pull().expect_err("the pull goes wrong");
    }
    for endpoint in [Endpoint::Pull, Endpoint::Push] {
        let body = "neither SECRET-TOKEN nor SECRET-KEY-0123 is known".to_owned();
        server.fail(Some(endpoint), 0, Some(1), Fault::Status { status: 401, body });
    }
    replica.push().expect_err("the token is refused");
    let error = replica.pull().expect_err("the token is refused");
    assert!(
        error
            .to_string()
            .contains("neither [held back] nor [held back] is known"),
        "{error}"
    );
    server.require(Some("another"));
    replica.pull().expect_err("the token is refused");
    replica.close().expect("it closes");
    let logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    for from in ["turso_sync_engine", "ureq"] {
        assert!(logged.contains(from), "{from} logs something: {}", logged.len());
    }
    if let Some(line) = logged.lines().find(|line| line.contains("SECRET")) {
        panic!("a secret is logged: {line}");
    }
    for seen in [
        "authorization: Bearer sealed-token",
        "HTTP/1.1 401 Unauthorized",
        "is known",
    ] {
        assert!(logged.contains(seen), "what goes over the wire is logged: {seen}");
    }
}
