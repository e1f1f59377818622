//! Tests of synchronisation: against the real server where the variable `TURSODB` names its program, and against servers of a
//! few lines for what the real one never does.

mod faults;
mod partial;
mod random;
mod real;
mod real_server;
mod schema;
mod scripted_server;
mod waiting;

use std::path::PathBuf;

use crate::{Connection, ConnectionSync, Error, Result, SyncOptions, Value, connect_sync};

/// A folder for the replicas of one test.
struct Replicas {
    directory: tempfile::TempDir,
}

impl Replicas {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn open(&self, name: &str, url: &str) -> ConnectionSync {
        self.open_with(name, SyncOptions::new(url)).expect("the replica opens")
    }

    fn open_with(&self, name: &str, options: SyncOptions) -> Result<ConnectionSync> {
        connect_sync(self.path(name), options)
    }

    /// What is in the folder.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).expect("the directory is there");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.collect()
    }
}

/// Runs statements and commits.
fn run(connection: &Connection, script: &str) {
    connection.executescript(script).expect("the script runs");
    connection.commit().expect("it is committed");
}

/// All rows of a query, as text.
fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut cursor = connection.execute(sql, ()).expect("the query runs");
    let rows = cursor.fetchall().expect("the rows come");
    let text = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => format!("{value:?}"),
        Value::Text(value) => value.clone(),
        Value::Blob(value) => format!("{value:02x?}"),
    };
    rows.iter()
        .map(|row| row.values().iter().map(text).collect::<Vec<_>>().join("|"))
        .collect()
}

fn error<T>(result: Result<T>) -> Error {
    match result {
        Ok(_) => panic!("it should have failed"),
        Err(error) => error,
    }
}
