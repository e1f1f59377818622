//! Tests of the driver as a whole, on real files. What each asserts was looked up in CPython's `sqlite3` by running it.

mod attempts;
mod batches;
mod caching;
mod closing;
mod cursors;
mod dumping;
mod engine;
mod failures;
mod half_read;
mod handles;
mod interrupts;
mod opening;
#[cfg(feature = "python")]
mod packing;
mod parameters;
mod snapshots;
#[cfg(feature = "sync")]
mod sync;
mod transactions;

use std::path::PathBuf;

use crate::{ConnectOptions, Connection, Error, Result, Value, connect};

/// A database file of its own for one test.
struct Scratch {
    directory: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("test.db")
    }

    fn connect(&self) -> Connection {
        self.connect_with(ConnectOptions::default())
    }

    fn connect_with(&self, options: ConnectOptions) -> Connection {
        connect(self.path(), options).expect("the database opens")
    }

    /// A connection to the file, with a table `t (a INTEGER PRIMARY KEY, b)` in it.
    fn with_table(&self) -> Connection {
        let connection = self.connect();
        connection
            .execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)", ())
            .expect("the table is made");
        connection
    }
}

/// The integers in the first column of a query.
fn integers(connection: &Connection, sql: &str) -> Vec<i64> {
    let rows = connection
        .execute(sql, ())
        .and_then(|mut cursor| cursor.fetchall())
        .expect("the query runs");
    rows.iter().map(|row| row.get(0).expect("an integer")).collect()
}

/// The one value of a query.
fn value(connection: &Connection, sql: &str) -> Value {
    let row = connection
        .execute(sql, ())
        .and_then(|mut cursor| cursor.fetchone())
        .expect("the query runs");
    row.expect("one row").into_values().remove(0)
}

fn message<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("it should have failed"),
        Err(error) => error.to_string(),
    }
}

fn assert_programming<T>(result: Result<T>, message: &str) {
    match result {
        Ok(_) => panic!("it should have failed with \"{message}\""),
        Err(error) => {
            assert!(matches!(error, Error::Programming(_)), "{error:?}");
            assert_eq!(error.to_string(), message);
        }
    }
}
