//! The file of the write-ahead log: whether closing a connection has anything to write back from it.

use std::path::{Path, PathBuf};

/// Where the write-ahead log of an open database stands.
pub(crate) struct LogFile {
    /// `None` for a database in memory.
    path: Option<PathBuf>,
}

impl LogFile {
    /// That of the database which a connection has open. The path is made absolute now: the process may go to another
    /// folder until the connection is closed.
    pub(crate) fn of(core: &turso_core::Connection) -> Self {
        let database = core.db_file_path();
        let path = (!database.starts_with(":memory:"))
            .then(|| std::path::absolute(format!("{database}-wal")).ok())
            .flatten();
        Self { path }
    }

    /// Whether it is there and certainly has nothing that the database file lacks: every transaction that was committed,
    /// by whatever connection, has left a frame in it until a checkpoint has emptied it.
    pub(crate) fn is_empty(&self) -> bool {
        self.path.as_deref().is_some_and(is_an_empty_file)
    }
}

fn is_an_empty_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
}
