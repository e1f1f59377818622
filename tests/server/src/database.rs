//! The database behind the server: its revisions and the pages of each.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use turso_core::{Connection, Database, PlatformIO, SqliteDialect};

/// Bytes of a page: the protocol knows no other size.
pub(crate) const PAGE_SIZE: usize = 4096;

/// Bytes before the page in a frame of the write-ahead log.
const FRAME_HEADER_SIZE: usize = 24;

/// Where the header of a database has its size in pages.
const SIZE_IN_HEADER: std::ops::Range<usize> = 28..32;

/// A database whose past can be read: nothing is ever taken out of its write-ahead log, so each commit stays a revision that
/// a client can ask for. A revision is the number of the last frame of a commit; 0 is the database file without its log.
pub(crate) struct Remote {
    connection: Arc<Connection>,
}

/// What went wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The engine refused.
    #[error("{0}")]
    Engine(#[from] turso_core::LimboError),
    /// A revision that no commit of this database has.
    #[error("there is no revision {revision:?} here: the newest is {newest}")]
    UnknownRevision {
        /// What was asked for.
        revision: String,
        /// The newest revision.
        newest: u64,
    },
}

/// A page as it is sent: its number counted from 0, and its bytes.
pub(crate) type NumberedPage = (u64, Vec<u8>);

impl Remote {
    /// Opens a database file, or makes it.
    ///
    /// # Errors
    /// If it can't be opened: because another process has it open, say.
    pub(crate) fn open(path: &Path) -> Result<Self, RemoteError> {
        let io = Arc::new(PlatformIO::new()?);
        let database = Database::open_file(io, &path.to_string_lossy(), Arc::new(SqliteDialect))?;
        let connection = database.connect()?;
        connection.wal_auto_actions_disable();
        Ok(Self { connection })
    }

    /// The connection that everything runs on.
    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// The newest revision.
    ///
    /// # Errors
    /// If the log can't be read.
    pub(crate) fn newest_revision(&self) -> Result<u64, RemoteError> {
        Ok(self.connection.wal_state()?.max_frame)
    }

    /// Reads a revision as a client has sent it.
    ///
    /// # Errors
    /// [`RemoteError::UnknownRevision`] if it is no number, in the future, or none that a commit has.
    pub(crate) fn parse_revision(&self, text: &str) -> Result<u64, RemoteError> {
        let newest = self.newest_revision()?;
        let unknown = || RemoteError::UnknownRevision {
            revision: text.to_owned(),
            newest,
        };
        let revision = text.parse().map_err(|_| unknown())?;
        let is_commit = revision == 0 || (revision <= newest && self.frame(revision)?.size > 0);
        if is_commit { Ok(revision) } else { Err(unknown()) }
    }

    /// How many pages the database had at a revision.
    ///
    /// # Errors
    /// If it can't be read.
    pub(crate) fn size_at(&self, revision: u64) -> Result<u64, RemoteError> {
        if revision > 0 {
            return Ok(u64::from(self.frame(revision)?.size));
        }
        let size = self.page_at(1, 0)?.map_or(0, |header| {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(&header[SIZE_IN_HEADER]);
            u32::from_be_bytes(bytes)
        });
        Ok(u64::from(size))
    }

    /// The pages of a revision for which `is_wanted` says so, by their number counted from 0.
    ///
    /// # Errors
    /// If one can't be read.
    pub(crate) fn pages_at(
        &self,
        revision: u64,
        is_wanted: impl Fn(u32) -> bool,
    ) -> Result<Vec<NumberedPage>, RemoteError> {
        let size = u32::try_from(self.size_at(revision)?).unwrap_or(u32::MAX);
        self.read_pages((1..=size).filter(|page| is_wanted(page - 1)), revision)
    }

    /// The pages that differ between two revisions, as they are in the later one.
    ///
    /// # Errors
    /// If one can't be read.
    pub(crate) fn pages_between(&self, earlier: u64, later: u64) -> Result<Vec<NumberedPage>, RemoteError> {
        let mut changed = BTreeSet::new();
        for number in earlier + 1..=later {
            changed.insert(self.frame(number)?.page);
        }
        let size = self.size_at(later)?;
        self.read_pages(changed.into_iter().filter(|page| u64::from(*page) <= size), later)
    }

    /// Reads pages by their number counted from 1.
    fn read_pages(&self, numbers: impl Iterator<Item = u32>, revision: u64) -> Result<Vec<NumberedPage>, RemoteError> {
        let mut pages = Vec::new();
        for number in numbers {
            if let Some(page) = self.page_at(number, revision)? {
                pages.push((u64::from(number) - 1, page));
            }
        }
        Ok(pages)
    }

    fn page_at(&self, number: u32, revision: u64) -> Result<Option<Vec<u8>>, RemoteError> {
        let mut page = vec![0; PAGE_SIZE];
        let is_there = self
            .connection
            .try_wal_watermark_read_page(number, &mut page, Some(revision))?;
        Ok(is_there.then_some(page))
    }

    fn frame(&self, number: u64) -> Result<Frame, RemoteError> {
        let mut bytes = vec![0; FRAME_HEADER_SIZE + PAGE_SIZE];
        let info = self.connection.wal_get_frame(number, &mut bytes)?;
        Ok(Frame {
            page: info.page_no,
            size: info.db_size,
        })
    }
}

/// What the header of a frame says.
struct Frame {
    /// The page, counted from 1.
    page: u32,
    /// The size of the database in pages if the frame ends a commit, 0 otherwise.
    size: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_one(remote: &Remote, revision: u64) -> Vec<u8> {
        remote.pages_at(revision, |page| page == 0).unwrap().remove(0).1
    }

    #[test]
    fn every_commit_stays_readable_after_a_restart_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("remote.db");
        let remote = Remote::open(&path).unwrap();
        assert_eq!((remote.newest_revision().unwrap(), remote.size_at(0).unwrap()), (0, 0));
        remote
            .connection()
            .execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
            .unwrap();
        let first = remote.newest_revision().unwrap();
        let (size, page) = (remote.size_at(first).unwrap(), page_one(&remote, first));
        remote
            .connection()
            .execute("CREATE TABLE u (id INTEGER PRIMARY KEY)")
            .unwrap();
        let second = remote.newest_revision().unwrap();
        assert!(second > first);
        drop(remote);

        let remote = Remote::open(&path).unwrap();
        assert_eq!(remote.newest_revision().unwrap(), second);
        assert_eq!(remote.size_at(first).unwrap(), size);
        assert_eq!(page_one(&remote, first), page);
        assert_ne!(page_one(&remote, second), page);
        let changed = remote.pages_between(first, second).unwrap();
        assert_eq!(changed.iter().map(|(page, _)| *page).collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn a_revision_that_no_commit_has_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let remote = Remote::open(&folder.path().join("remote.db")).unwrap();
        remote
            .connection()
            .execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
            .unwrap();
        let newest = remote.newest_revision().unwrap();
        assert_eq!(newest, 2, "a page for the schema and one for the table");
        assert_eq!(remote.parse_revision("2").unwrap(), 2);
        for wrong in ["1", "3", "-1", "x", ""] {
            let message = remote.parse_revision(wrong).unwrap_err().to_string();
            assert_eq!(message, format!("there is no revision {wrong:?} here: the newest is 2"));
        }
    }
}
