//! Opening a synchronised database: fetching it the first time, and leaving nothing behind where that fails.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_proxy::CallToken;
use fs4::fs_std::FileExt;
use turso_core::LimboError;
use turso_sync_engine::database_sync_engine::{DatabaseSyncEngineOpts, sync_database_file_paths};
use turso_sync_engine::types::{DatabaseMetadata, DatabaseSyncEngineProtocolVersion};

use super::address::Address;
use super::claim::Claim;
use super::conflicts::ConflictBook;
use super::drive::drive;
use super::io::Outside;
use super::line::{Errand, Limits, Line, check_signals};
use super::options::SyncOptions;
use super::paging::Paging;
use super::proxy::Proxies;
use super::replica::{Lines, Replica};
use super::request::{KEY_IS_HELD_BACK, Requests, check_header, no_remote_url};
use super::unpushed::Pushed;
use crate::error::CANNOT_OPEN;
use crate::{Error, Result, open};

/// What the program is called on the server where it does not say.
const CLIENT_NAME: &str = "turso-driver";

/// What the mark of a database that is being made says if an empty file stood in its place before.
const STOOD_BEFORE: &[u8] = b"an empty file stood here before\n";

/// How long to sleep between two tries while another process holds the file.
const LOCK_RETRY: Duration = Duration::from_millis(10);

/// Opens the replica of a database and the engine's connection to it.
pub(crate) fn open(path: &Path, options: &SyncOptions) -> Result<(Arc<Replica>, Arc<turso_core::Connection>)> {
    let plan = Plan::new(path, options)?;
    let started = Instant::now();
    loop {
        match plan.attempt() {
            Err(error) if is_locked(&error) && started.elapsed() < plan.busy_timeout => {
                if CallToken::current().is_some_and(|call| call.is_cancelled()) {
                    return Err(LimboError::Interrupt.into());
                }
                check_signals()?;
                std::thread::sleep(LOCK_RETRY);
            }
            outcome => return outcome,
        }
    }
}

fn is_locked(error: &Error) -> bool {
    matches!(
        error.fault().engine_error(),
        Some(LimboError::LockingError(_) | LimboError::Busy)
    )
}

/// What is to be opened, and how.
struct Plan<'a> {
    /// The path as the engine takes it.
    path: String,
    is_in_memory: bool,
    options: &'a SyncOptions,
    /// The server, if it is the same each time; it is then kept beside the database.
    address: Option<Address>,
    busy_timeout: Duration,
    connect_timeout: Option<Duration>,
    read_timeout: Option<Duration>,
}

impl<'a> Plan<'a> {
    fn new(path: &Path, options: &'a SyncOptions) -> Result<Self> {
        let text = path.to_str().ok_or_else(|| {
            Error::not_supported(format!("the engine can't open {path:?}: rename it to a path in UTF-8"))
        })?;
        if options.remote_encryption_key.is_some() && options.remote_encryption_cipher.is_none() {
            return Err(Error::programming(
                "remote_encryption_key needs the cipher beside it: pass remote_encryption_cipher",
            ));
        }
        if let Some(name) = &options.client_name {
            check_header("client_name", name)?;
        }
        let is_in_memory = text.is_empty() || text == ":memory:";
        let fixed_url = options.remote_url.as_ref().and_then(|url| url.fixed());
        Ok(Self {
            path: if is_in_memory {
                ":memory:".to_owned()
            } else {
                text.to_owned()
            },
            is_in_memory,
            address: fixed_url.map(Address::parse).transpose()?,
            busy_timeout: open::busy_timeout(options.timeout)?,
            connect_timeout: time_limit("connect_timeout", options.connect_timeout)?,
            read_timeout: time_limit("read_timeout", options.read_timeout)?,
            options,
        })
    }

    fn database(&self) -> Option<&Path> {
        (!self.is_in_memory).then(|| Path::new(&self.path))
    }

    /// Checks that nothing is in the way, before anything is written.
    fn begin(&self) -> Result<Mark> {
        let Some(database) = self.database() else {
            return Ok(Mark::default());
        };
        if database.is_dir() {
            return Err(self.cannot_open("it is a directory; name a file in it"));
        }
        let info = suffixed(database, "-info");
        if info.exists() {
            self.check_info(&info)?;
            return Ok(Mark::default());
        }
        if self.options.bootstrap_if_empty && self.options.remote_url.is_none() {
            return Err(no_remote_url());
        }
        let (mark, is_left_over) = Mark::at(database).map_err(|error| {
            if error.kind() == ErrorKind::WouldBlock {
                return Error::from(LimboError::Busy);
            }
            self.cannot_open(&format!("{error}; look at its directory"))
        })?;
        if info.exists() {
            // Another process was faster.
            return Ok(mark.finish());
        }
        if is_left_over {
            // An earlier process ended in the middle of the first fetch: what it left is no database.
            mark.remove_files();
        }
        if fs::metadata(database).is_ok_and(|metadata| metadata.len() > 0) {
            mark.finish();
            return Err(Error::programming(format!(
                "\"{}\" is a database already, and not one that is synchronised: what it holds would be neither pushed nor \
                 kept. Name another file, and copy its rows there",
                self.path
            )));
        }
        // The conflicts of a database that stood here before are none of the new one's.
        match fs::remove_file(ConflictBook::path(database)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                mark.finish();
                Err(self.cannot_open(&format!(
                    "the conflicts of an earlier database of that name can't be removed: {error}"
                )))
            }
            _ => Ok(mark),
        }
    }

    /// An error if what the engine keeps beside the database can't be read.
    fn check_info(&self, info: &Path) -> Result<()> {
        let content = fs::read(info).map_err(|error| self.cannot_open(&error.to_string()))?;
        // Another process may be about to write it.
        if content.is_empty() {
            return Ok(());
        }
        DatabaseMetadata::load(&content).map(|_| ()).map_err(|error| {
            self.cannot_open(&format!(
                "\"{}\", which says how far it was synchronised, can't be understood ({error}); bring back a copy of it. Or move \
                 all files of the database away, which has it fetched anew, without what was not pushed",
                info.display()
            ))
        })
    }

    /// Opens it; what a failed attempt has made it removes again.
    fn attempt(&self) -> Result<(Arc<Replica>, Arc<turso_core::Connection>)> {
        let claim = Claim::on(self.database())?;
        let mark = self.begin()?;
        match self.open(claim) {
            Ok(opened) => {
                mark.finish();
                Ok(opened)
            }
            Err(error) => {
                mark.remove_what_came();
                Err(self.explain(error))
            }
        }
    }

    fn open(&self, claim: Claim) -> Result<(Arc<Replica>, Arc<turso_core::Connection>)> {
        let lines = Lines {
            pull: self.line(self.options.long_poll_timeout_ms.unwrap_or(0)),
            push: self.line(0),
        };
        let book = ConflictBook::open(self.database())?;
        let outside = Outside::new(self.requests(), book, self.line(0));
        let paging = Paging::new(
            &outside,
            self.database(),
            self.options.partial_sync_experimental.is_some(),
        )?;
        let io = paging.io();
        let errand = lines.pull.begin();
        let engine = drive(&errand, &io, &outside, |coro| {
            let (paging, outside) = (&paging, &outside);
            let options = self.engine_options();
            async move { paging.create(&coro, outside, &self.path, options?).await }
        })?;
        let pushed = Pushed::of(self.database(), &io);
        let replica = Replica::new(engine, claim, io, outside, lines, self.busy_timeout, pushed);
        let core = connect(&replica, &errand)?;
        Ok((replica, core))
    }

    fn line(&self, long_poll_milliseconds: u32) -> Arc<Line> {
        let long_poll = Duration::from_millis(long_poll_milliseconds.into());
        Line::new(Limits {
            connect: self.connect_timeout,
            silence: self.read_timeout.map(|silence| silence + long_poll),
        })
    }

    fn client_name(&self) -> &str {
        self.options.client_name.as_deref().unwrap_or(CLIENT_NAME)
    }

    fn requests(&self) -> Requests {
        Requests {
            remote_url: self.options.remote_url.clone(),
            auth_token: self.options.auth_token.clone(),
            encryption_key: self.options.remote_encryption_key.clone(),
            client_name: self.client_name().to_owned(),
            proxies: Proxies::of_environment(),
        }
    }

    fn engine_options(&self) -> Result<DatabaseSyncEngineOpts, turso_sync_engine::errors::Error> {
        let options = self.options;
        let features = open::features(options.experimental_features.as_deref().unwrap_or_default())
            .map_err(|error| turso_sync_engine::errors::Error::DatabaseSyncEngineError(error.message().to_owned()))?;
        Ok(DatabaseSyncEngineOpts {
            remote_url: self.address.as_ref().map(|address| address.as_str().to_owned()),
            client_name: self.client_name().to_owned(),
            tables_ignore: Vec::new(),
            use_transform: false,
            // Of the older protocol alone.
            wal_pull_batch_size: 0,
            long_poll_timeout: options
                .long_poll_timeout_ms
                .filter(|milliseconds| *milliseconds > 0)
                .map(|milliseconds| Duration::from_millis(milliseconds.into())),
            protocol_version_hint: DatabaseSyncEngineProtocolVersion::V1,
            bootstrap_if_empty: options.bootstrap_if_empty,
            reserved_bytes: options
                .remote_encryption_cipher
                .map_or(0, super::options::RemoteEncryptionCipher::reserved_bytes),
            db_opts: features,
            partial_sync_opts: options
                .partial_sync_experimental
                .as_ref()
                .map(|partial| partial.for_engine()),
            remote_encryption_key: options
                .remote_encryption_key
                .as_ref()
                .map(|_| KEY_IS_HELD_BACK.to_owned()),
            push_operations_threshold: options.push_operations_threshold,
            pull_bytes_threshold: options.pull_bytes_threshold,
            logical_mvcc_pull: options.logical_mvcc_pull,
        })
    }

    fn cannot_open(&self, why: &str) -> Error {
        Error::operational(format!("unable to open database file \"{}\": {why}", self.path)).with_code(CANNOT_OPEN)
    }

    fn explain(&self, error: Error) -> Error {
        match error.fault().engine_error() {
            Some(LimboError::LockingError(_) | LimboError::Busy) => Error::retold(
                format!("database is locked: \"{}\"; another process has it open", self.path),
                LimboError::Busy,
            ),
            Some(LimboError::CompletionError(_)) => self.cannot_open(error.message()),
            _ => error,
        }
    }
}

/// The engine's own connection for statements, which notes what they change.
pub(crate) fn connect(replica: &Replica, errand: &Arc<Errand>) -> Result<Arc<turso_core::Connection>> {
    replica.patiently(errand, || connect_now(replica, errand))
}

/// The same, without waiting for another connection that stands in the way.
pub(crate) fn connect_now(replica: &Replica, errand: &Arc<Errand>) -> Result<Arc<turso_core::Connection>> {
    let engine = replica.engine()?;
    drive(errand, &replica.io, &replica.outside, |coro| async move {
        engine.connect_rw(&coro).await
    })
}

fn time_limit(name: &str, seconds: Option<f64>) -> Result<Option<Duration>> {
    let Some(seconds) = seconds else {
        return Ok(None);
    };
    match Duration::try_from_secs_f64(seconds) {
        Ok(limit) if !limit.is_zero() => Ok(Some(limit)),
        _ => Err(Error::programming(format!(
            "{name} can't be {seconds}: give the seconds to wait, more than 0, or None for no limit"
        ))),
    }
}

fn suffixed(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A file that is there, and locked, while a database is made: so that what a crash leaves of it is known for that, and so
/// that one process makes it.
#[derive(Default)]
struct Mark(Option<Making>);

struct Making {
    path: PathBuf,
    /// Locked until it is dropped.
    _file: File,
    /// An empty file that stood in the place of the database before: it is kept, and empty again.
    emptied: Option<PathBuf>,
    /// The files that make up the database.
    files: Vec<PathBuf>,
}

impl Mark {
    /// Sets the mark of a database that is about to be made; tells whether an earlier process has left its own.
    ///
    /// # Errors
    /// `WouldBlock` if another process makes it at this moment.
    fn at(database: &Path) -> io::Result<(Self, bool)> {
        let path = suffixed(database, "-bootstrap");
        let is_left_over = path.exists();
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        if !file.try_lock_exclusive()? {
            return Err(ErrorKind::WouldBlock.into());
        }
        let stood = if is_left_over {
            let mut note = String::new();
            file.read_to_string(&mut note)? > 0
        } else {
            database.exists()
        };
        if stood && !is_left_over {
            file.write_all(STOOD_BEFORE)?;
        }
        let text = database.to_string_lossy();
        let mut files: Vec<PathBuf> = sync_database_file_paths(&text).into_iter().map(PathBuf::from).collect();
        files.extend(["-info.new", "-shm", "-tshm", "-log"].map(|suffix| suffixed(database, suffix)));
        let making = Making {
            path,
            _file: file,
            emptied: stood.then(|| database.to_owned()),
            files,
        };
        Ok((Self(Some(making)), is_left_over))
    }

    /// The database is there, or is not to be made.
    fn finish(self) -> Self {
        if let Some(making) = self.0 {
            // Should it stay, the file beside it that says what was synced is found first.
            let _ = fs::remove_file(making.path);
        }
        Self(None)
    }

    /// The database did not come: what came of it goes.
    fn remove_what_came(self) {
        self.remove_files();
        self.finish();
    }

    fn remove_files(&self) {
        let Some(making) = &self.0 else {
            return;
        };
        for file in &making.files {
            // What can't be removed is met, and removed, by the next open.
            let _ = if making.emptied.as_ref() == Some(file) {
                File::options().write(true).open(file).and_then(|file| file.set_len(0))
            } else {
                fs::remove_file(file)
            };
        }
    }
}
