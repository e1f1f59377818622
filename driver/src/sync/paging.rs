//! The file I/O of a replica. One that holds a part of the server's database fetches pages when they are first read, in the
//! thread of the statement that reads them: wherever the engine waits for I/O, this one looks for pages to fetch.

use std::path::Path;
use std::sync::Arc;

use turso_core::{
    Clock, Completion, File, IO, LimboError, MemoryIO, MonotonicInstant, OpenFlags, PlatformIO, WallClockInstant,
};
use turso_sync_engine::types::DatabaseMetadata;

use super::io::Outside;
use crate::{Error, Result};

/// Which I/O a replica needs.
pub(crate) struct Paging(Arc<dyn IO>);

impl Paging {
    /// The I/O of a database in memory (no path), of a whole one, or of a part of one.
    pub(crate) fn new(outside: &Arc<Outside>, database: Option<&Path>, is_partial: bool) -> Result<Self> {
        let Some(database) = database else {
            if is_partial {
                return Err(Error::not_supported(
                    "a database in memory can't be fetched in parts: name a file",
                ));
            }
            return Ok(Self(Arc::new(MemoryIO::new())));
        };
        if !is_partial && !was_partial(database) {
            return Ok(Self(Arc::new(PlatformIO::new()?)));
        }
        Ok(Self(Arc::new(FetchingIo {
            files: sparse_files()?,
            outside: Arc::clone(outside),
        })))
    }

    pub(crate) fn io(&self) -> Arc<dyn IO> {
        Arc::clone(&self.0)
    }
}

/// Whether a database was fetched in parts when it was opened first.
fn was_partial(database: &Path) -> bool {
    let mut info = database.as_os_str().to_owned();
    info.push("-info");
    let content = std::fs::read(info).unwrap_or_default();
    DatabaseMetadata::load(&content).is_ok_and(|metadata| metadata.partial_bootstrap_server_revision.is_some())
}

#[cfg(target_os = "linux")]
fn sparse_files() -> Result<Arc<dyn IO>> {
    Ok(Arc::new(turso_sync_engine::sparse_io::SparseLinuxIo::new()?))
}

#[cfg(not(target_os = "linux"))]
fn sparse_files() -> Result<Arc<dyn IO>> {
    Err(Error::not_supported(
        "a database can be fetched in parts on Linux alone: leave partial_sync_experimental out",
    ))
}

/// Files with holes, and the fetching of what fills them.
struct FetchingIo {
    files: Arc<dyn IO>,
    outside: Arc<Outside>,
}

impl Clock for FetchingIo {
    fn current_time_monotonic(&self) -> MonotonicInstant {
        self.files.current_time_monotonic()
    }

    fn current_time_wall_clock(&self) -> WallClockInstant {
        self.files.current_time_wall_clock()
    }
}

impl IO for FetchingIo {
    fn open_file(&self, path: &str, flags: OpenFlags, direct: bool) -> turso_core::Result<Arc<dyn File>> {
        self.files.open_file(path, flags, direct)
    }

    fn remove_file(&self, path: &str) -> turso_core::Result<()> {
        self.files.remove_file(path)
    }

    fn step(&self) -> turso_core::Result<()> {
        self.files.step()?;
        self.outside
            .fetch_pages()
            .map_err(|error| LimboError::ExtensionError(error.message().to_owned()))
    }

    fn cancel(&self, completions: &[Completion]) -> turso_core::Result<()> {
        self.files.cancel(completions)
    }
}
