//! Opening a database: the path, the engine's options, and what to say when it fails.

use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use turso_core::{
    CipherMode, CompletionError, Database, DatabaseOpts, EncryptionContext, EncryptionKey, EncryptionOpts, IO,
    LimboError, OpenFlags, OpenOptions,
};

use crate::dialect::SharedCatalog;
use crate::error::CANNOT_OPEN;
use crate::refusing_io::RefusingIo;
use crate::uri::{self, Mode, Uri};
use crate::{ConnectOptions, Encryption, Error, Result, connect};

/// How long to sleep between two tries while another process holds the file.
const LOCK_RETRY: Duration = Duration::from_millis(10);

/// The longest wait for a lock: SQLite counts it in milliseconds, in 32 bits.
const LONGEST_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

/// The wait for a lock as a duration. A negative one is none, as in SQLite.
///
/// # Errors
/// [`Error::Programming`] if it is not a number.
pub(crate) fn busy_timeout(seconds: f64) -> Result<Duration> {
    if seconds.is_nan() {
        return Err(Error::programming(
            "the timeout is not a number: give the seconds to wait for a lock",
        ));
    }
    Ok(Duration::try_from_secs_f64(seconds.max(0.0))
        .unwrap_or(LONGEST_TIMEOUT)
        .min(LONGEST_TIMEOUT))
}

/// A page size of the engine's, to try a key with.
const PAGE_SIZE: usize = 4096;

/// The version of SQLite whose SQL the engine speaks: what `SELECT sqlite_version()` gives.
pub fn sqlite_version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        connect(":memory:", ConnectOptions::default())
            .and_then(|connection| connection.execute("SELECT sqlite_version()", ())?.fetchone())
            .ok()
            .flatten()
            .and_then(|row| row.get(0).ok())
            .unwrap_or_else(|| "0.0.0".to_owned())
    })
}

/// Opens the engine's connection.
pub(crate) fn open(
    path: &Path,
    options: &ConnectOptions,
    busy_timeout: Duration,
) -> Result<Arc<turso_core::Connection>> {
    let target = Target::new(path, options)?;
    if target.is_in_memory() {
        return target.open().map_err(|error| target.explain(error));
    }
    target.check()?;
    let started = Instant::now();
    loop {
        match target.open() {
            Ok(connection) => return Ok(connection),
            Err(LimboError::LockingError(_) | LimboError::Busy) if started.elapsed() < busy_timeout => {
                std::thread::sleep(LOCK_RETRY.min(busy_timeout));
            }
            Err(error) => return Err(target.explain(error)),
        }
    }
}

/// What is to be opened, and how.
struct Target {
    /// The path as the engine takes it: `:memory:` or that of a file.
    path: String,
    mode: Mode,
    /// The name of a database in memory that all connections of this process share.
    shared_name: Option<String>,
    vfs: Option<String>,
    features: DatabaseOpts,
    encryption: Option<Encryption>,
}

impl Target {
    fn new(path: &Path, options: &ConnectOptions) -> Result<Self> {
        let Some(text) = path.to_str() else {
            return Err(Error::not_supported(format!(
                "the engine can't open {path:?}: rename it to a path in UTF-8"
            )));
        };
        let parsed = if options.uri { uri::parse(text)? } else { None };
        let uri = parsed.unwrap_or_else(|| Uri {
            path: text.to_owned(),
            ..Uri::default()
        });
        let is_in_memory = uri.mode == Mode::Memory || uri.path.is_empty() || uri.path == ":memory:";
        let encryption = match (uri.cipher, uri.hexkey) {
            (Some(cipher), Some(hexkey)) => Some(Encryption { cipher, hexkey }),
            (None, None) => options.encryption.clone(),
            _ => {
                return Err(Error::programming(
                    "an encrypted database needs both: add the missing cipher or hexkey",
                ));
            }
        };
        if is_in_memory && encryption.is_some() {
            return Err(Error::not_supported(
                "a database in memory can't be encrypted: name a file",
            ));
        }
        let features = features(options.experimental_features.as_deref().unwrap_or_default())?;
        Ok(Self {
            shared_name: (is_in_memory && uri.is_shared).then(|| uri.path.clone()),
            path: if is_in_memory {
                ":memory:".to_owned()
            } else {
                as_file(uri.path)
            },
            mode: uri.mode,
            vfs: uri.vfs.or_else(|| options.vfs.clone()),
            features: features.with_encryption(encryption.is_some()),
            encryption,
        })
    }

    fn is_in_memory(&self) -> bool {
        self.path == ":memory:"
    }

    fn open(&self) -> turso_core::Result<Arc<turso_core::Connection>> {
        if let Some(name) = &self.shared_name {
            return Database::open_shared_memory(name, Arc::new(SharedCatalog))?.connect();
        }
        let flags = match self.mode {
            Mode::Create | Mode::Memory => OpenFlags::Create,
            Mode::ReadWrite => OpenFlags::empty(),
            Mode::ReadOnly => OpenFlags::ReadOnly,
        };
        let encryption = self.encryption.as_ref();
        let encryption_options = encryption.map(|encryption| EncryptionOpts {
            cipher: encryption.cipher.clone(),
            hexkey: encryption.hexkey.clone(),
        });
        let open_options = OpenOptions::new(Arc::new(SharedCatalog))
            .flags(flags)
            .db_opts(self.features)
            .encryption(encryption_options);
        let database = Database::open(self.io()?, &self.path, open_options)?;
        let connection = match encryption {
            None => database.connect()?,
            Some(encryption) => {
                let key = EncryptionKey::from_hex_string(&encryption.hexkey)?;
                database.connect_with_encryption(Some(key))?
            }
        };
        // A file that this process has open for writing already is the same to the engine however it is opened again.
        let is_open_for_writing = self.mode == Mode::ReadOnly && !database.is_readonly();
        if is_open_for_writing || is_synchronised(&self.path) {
            connection.set_query_only(true);
        }
        Ok(connection)
    }

    fn io(&self) -> turso_core::Result<Arc<dyn IO>> {
        match &self.vfs {
            Some(vfs) => Database::io_for_vfs(vfs),
            // With several processes the engine waits for more than files.
            None if self.features.enable_multiprocess_wal => self.default_io(),
            None => Ok(Arc::new(RefusingIo::new(self.default_io()?))),
        }
    }

    #[cfg(target_os = "linux")]
    fn default_io(&self) -> turso_core::Result<Arc<dyn IO>> {
        if self.is_in_memory() {
            Ok(crate::small_pages::memory_io())
        } else {
            crate::small_pages::file_io()
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn default_io(&self) -> turso_core::Result<Arc<dyn IO>> {
        Database::io_for_path(&self.path)
    }

    /// Finds what can't be opened before the engine makes a file for it. A file that is there is never removed, empty or not: what it
    /// has may be in a log of another process that has it open.
    fn check(&self) -> Result<()> {
        if Path::new(&self.path).is_dir() {
            return Err(Error::operational(format!(
                "unable to open database file \"{}\": it is a directory; name a file in it",
                self.path
            ))
            .with_code(CANNOT_OPEN));
        }
        let Some(encryption) = &self.encryption else {
            return Ok(());
        };
        let check = || {
            let cipher = CipherMode::try_from(encryption.cipher.as_str())?;
            let key = EncryptionKey::from_hex_string(&encryption.hexkey)?;
            EncryptionContext::new(cipher, &key, PAGE_SIZE).map(drop)
        };
        check().map_err(|error| self.explain(error))
    }

    /// The engine's error with the path and, where it can be told, what to do.
    fn explain(&self, error: LimboError) -> Error {
        let path = &self.path;
        let message = match &error {
            LimboError::NotADB => format!("file is not a database: \"{path}\""),
            LimboError::Corrupt(_) => format!("\"{path}\": {error}"),
            LimboError::LockingError(_) | LimboError::Busy => {
                format!("database is locked: \"{path}\": {error}; another process has it open")
            }
            LimboError::CompletionError(CompletionError::IOError(io::ErrorKind::NotFound, _)) => {
                format!("unable to open database file \"{path}\": {}", self.what_is_missing())
            }
            LimboError::CompletionError(CompletionError::IOError(io::ErrorKind::PermissionDenied, _)) => {
                format!(
                    "unable to open database file \"{path}\": permission denied; look at the rights of the file \
                         and of its directory"
                )
            }
            error => format!("unable to open database file \"{path}\": {error}"),
        };
        let cannot_open = message.starts_with("unable to open");
        let error = Error::retold(message, error);
        if cannot_open {
            error.with_code(CANNOT_OPEN)
        } else {
            error
        }
    }

    fn what_is_missing(&self) -> &'static str {
        let directory = Path::new(&self.path).parent();
        if directory.is_some_and(|directory| !directory.as_os_str().is_empty() && !directory.exists()) {
            "its directory does not exist; create it first"
        } else {
            "it does not exist; mode=rwc creates it"
        }
    }
}

/// Whether a database is synchronised with a server. What is written to it past `connect_sync` would be lost: no push knows
/// of it, and the next pull takes it back.
fn is_synchronised(path: &str) -> bool {
    std::fs::read_to_string(format!("{path}-info")).is_ok_and(|kept| kept.contains("\"client_unique_id\""))
}

/// The path in a form that the engine takes for a file: it has a database in memory behind every path that begins with
/// `:memory:`, and SQLite only behind that one.
fn as_file(path: String) -> String {
    let looks_like_memory = [":memory:", "file::memory:"]
        .iter()
        .any(|prefix| path.trim_start().starts_with(prefix));
    if looks_like_memory { format!("./{path}") } else { path }
}

/// The engine's options for a list of features.
pub(crate) fn features(names: &str) -> Result<DatabaseOpts> {
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .into_iter()
        .try_fold(DatabaseOpts::new(), |options, name| match name {
            "views" => Ok(options.with_views(true)),
            "custom_types" => Ok(options.with_custom_types(true)),
            "encryption" => Ok(options.with_encryption(true)),
            "index_method" => Ok(options.with_index_method(true)),
            "autovacuum" => Ok(options.with_autovacuum(true)),
            "vacuum" => Ok(options.with_vacuum(true)),
            "attach" => Ok(options.with_attach(true)),
            "generated_columns" => Ok(options.with_generated_columns(true)),
            "multiprocess_wal" => Ok(options.with_multiprocess_wal(true)),
            "without_rowid" => Ok(options.with_without_rowid(true)),
            "mvcc_passive_checkpoint" => Ok(options.with_experimental_mvcc_passive_checkpoint(true)),
            _ => Err(Error::not_supported(format!(
                "there is no experimental feature \"{name}\": the engine has views, custom_types, encryption, \
             index_method, autovacuum, vacuum, attach, generated_columns, multiprocess_wal, without_rowid and \
             mvcc_passive_checkpoint"
            ))),
        })
}
