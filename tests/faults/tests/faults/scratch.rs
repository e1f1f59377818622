//! Databases for one fault, and what is often asked of them.

use std::path::PathBuf;

use turso_driver::{AsyncConnection, ConnectOptions, connect, connect_async};

/// Runs for hours if nobody stops it.
pub(crate) const ENDLESS: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// Writes for hours if nobody stops it.
pub(crate) const ENDLESS_WRITE: &str = "INSERT INTO t (a) SELECT value FROM generate_series(1, 1000000000)";

/// A folder that is removed when it is dropped.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A connection to a database with the table `t (a INTEGER)`.
    pub(crate) async fn with_table(&self) -> AsyncConnection {
        let connection = connect_async(self.path("faults.db"), ConnectOptions::default())
            .await
            .expect("it opens");
        connection
            .execute("CREATE TABLE IF NOT EXISTS t (a INTEGER)", ())
            .await
            .expect("a table");
        connection.commit().await.expect("a commit");
        connection
    }

    /// The rows of `t` as another connection, opened now, finds them; and the file passes its integrity check.
    pub(crate) fn count(&self) -> i64 {
        let connection = connect(self.path("faults.db"), ConnectOptions::default()).expect("it opens again");
        let one = |sql: &str| {
            let mut cursor = connection.execute(sql, ()).expect("a query");
            cursor.fetchone().expect("no error").expect("a row")
        };
        let verdict: String = one("PRAGMA integrity_check").get(0).expect("a text");
        assert_eq!(verdict, "ok", "the integrity check");
        let count = one("SELECT count(*) FROM t").get(0).expect("a number");
        connection.close().expect("it closes");
        count
    }
}

/// The one number that a query gives.
pub(crate) async fn number(connection: &AsyncConnection, sql: &str) -> i64 {
    let cursor = connection
        .execute(sql, ())
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let row = cursor.fetchone().await.expect("no error").expect("a row");
    row.get(0).expect("a number")
}
