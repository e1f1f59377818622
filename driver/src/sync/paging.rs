//! The file I/O of a replica. One that holds a part of the server's database fetches pages when they are first read, in the
//! thread of the statement that reads them: wherever the engine waits for I/O, this one looks for pages to fetch.

use std::path::Path;
use std::sync::Arc;

use turso_core::io::FileSyncType;
use turso_core::{
    Buffer, Clock, Completion, Database, DatabaseStorage, File, IO, IOContext, IOResult, LimboError, MemoryIO,
    MonotonicInstant, OpenDbAsyncState, OpenFlags, OpenOptions, PlatformIO, WallClockInstant,
};
use turso_sync_engine::database_sync_engine::DatabaseSyncEngineOpts;
use turso_sync_engine::database_sync_operations::SyncEngineIoStats;
use turso_sync_engine::errors::Error as EngineError;
use turso_sync_engine::types::{Coro, DatabaseMetadata, SyncEngineIoResult};

use super::io::Outside;
use super::replica::SyncEngine;
use crate::dialect::SharedCatalog;
use crate::{Error, Result};

/// Which I/O a replica needs.
pub(crate) struct Paging {
    io: Arc<dyn IO>,
    is_partial: bool,
}

impl Paging {
    /// The I/O of a database in memory (no path), of a whole one, or of a part of one.
    pub(crate) fn new(outside: &Arc<Outside>, database: Option<&Path>, is_partial: bool) -> Result<Self> {
        let Some(database) = database else {
            if is_partial {
                return Err(Error::not_supported(
                    "a database in memory can't be fetched in parts: name a file",
                ));
            }
            return Ok(Self::whole(Arc::new(MemoryIO::new())));
        };
        if !is_partial && !was_partial(database) {
            return Ok(Self::whole(Arc::new(PlatformIO::new()?)));
        }
        Ok(Self {
            io: Arc::new(FetchingIo {
                files: sparse_files()?,
                outside: Arc::clone(outside),
            }),
            is_partial: true,
        })
    }

    fn whole(io: Arc<dyn IO>) -> Self {
        Self { io, is_partial: false }
    }

    pub(crate) fn io(&self) -> Arc<dyn IO> {
        Arc::clone(&self.io)
    }

    /// Opens the engine on a database; fetches the database, or the part of it, if it is not there yet.
    pub(crate) async fn create(
        &self,
        coro: &Coro<()>,
        outside: &Arc<Outside>,
        path: &str,
        options: DatabaseSyncEngineOpts,
    ) -> Result<SyncEngine, EngineError> {
        let (io, sync_io) = (self.io(), SyncEngineIoStats::new(Arc::clone(outside)));
        if !self.is_partial {
            return SyncEngine::create_db(coro, io, sync_io, path, options).await;
        }
        // What `create_db` does for whole databases, with a storage around the engine's that looks after its failures.
        let known = SyncEngine::read_db_meta(coro, Some(io.clone()), sync_io.clone(), path).await?;
        let known = SyncEngine::bootstrap_db(coro, io.clone(), sync_io.clone(), path, &options, known).await?;
        let key = options.remote_encryption_key.as_deref();
        let storage = Arc::new(FetchingStorage {
            storage: SyncEngine::init_db_storage(io.clone(), sync_io.clone(), &known, path, key)?,
            outside: Arc::clone(outside),
        });
        let open_options = OpenOptions::new(Arc::new(SharedCatalog))
            .storage(storage)
            .flags(OpenFlags::Create)
            .db_opts(options.db_opts);
        let mut state = OpenDbAsyncState::new();
        let database = loop {
            match Database::open_async(&mut state, io.clone(), path, &open_options)? {
                IOResult::Done(database) => break database,
                IOResult::IO(waiting) => {
                    while !waiting.finished() {
                        coro.yield_(SyncEngineIoResult::IO).await?;
                    }
                }
            }
        };
        SyncEngine::open_db(coro, io, sync_io, database, options).await
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
            .map_err(|error| match error.fault().engine_error() {
                Some(LimboError::Interrupt) => LimboError::Interrupt,
                _ => LimboError::ExtensionError(error.message().to_owned()),
            })
    }

    fn cancel(&self, completions: &[Completion]) -> turso_core::Result<()> {
        self.files.cancel(completions)
    }
}

/// The engine's storage of a part of a database. A page that can't be fetched ends what waits for it, which the engine's own
/// leaves waiting.
struct FetchingStorage {
    storage: Arc<dyn DatabaseStorage>,
    outside: Arc<Outside>,
}

impl DatabaseStorage for FetchingStorage {
    fn read_header(&self, completion: Completion) -> turso_core::Result<Completion> {
        self.storage.read_header(completion)
    }

    fn read_page(&self, page: usize, context: &IOContext, completion: Completion) -> turso_core::Result<Completion> {
        let waiting = completion.clone();
        self.outside
            .read_page(&waiting, || self.storage.read_page(page, context, completion))
    }

    fn write_page(
        &self,
        page: usize,
        content: Arc<Buffer>,
        context: &IOContext,
        completion: Completion,
    ) -> turso_core::Result<Completion> {
        self.storage.write_page(page, content, context, completion)
    }

    fn write_pages(
        &self,
        first_page: usize,
        page_size: usize,
        contents: Vec<Arc<Buffer>>,
        context: &IOContext,
        completion: Completion,
    ) -> turso_core::Result<Completion> {
        self.storage
            .write_pages(first_page, page_size, contents, context, completion)
    }

    fn sync(&self, completion: Completion, kind: FileSyncType) -> turso_core::Result<Completion> {
        self.storage.sync(completion, kind)
    }

    fn size(&self) -> turso_core::Result<u64> {
        self.storage.size()
    }

    fn truncate(&self, length: usize, completion: Completion) -> turso_core::Result<Completion> {
        self.storage.truncate(length, completion)
    }
}
