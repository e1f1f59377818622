//! How a database is opened.

use std::fmt;
use std::str::FromStr;

use async_proxy::async_proxy;

use crate::Error;

/// Which lock an implicit transaction takes when it begins: the word behind `BEGIN`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IsolationLevel {
    /// `BEGIN` alone, which is deferred; `""` in `sqlite3`, and its default.
    #[default]
    Unspecified,
    /// `BEGIN DEFERRED`: no lock until the first statement needs one.
    Deferred,
    /// `BEGIN IMMEDIATE`: the write lock at once.
    Immediate,
    /// `BEGIN EXCLUSIVE`.
    Exclusive,
}

impl IsolationLevel {
    /// The word as SQL and `sqlite3` have it: `""`, `"DEFERRED"`, `"IMMEDIATE"` or `"EXCLUSIVE"`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "",
            Self::Deferred => "DEFERRED",
            Self::Immediate => "IMMEDIATE",
            Self::Exclusive => "EXCLUSIVE",
        }
    }
}

impl fmt::Display for IsolationLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for IsolationLevel {
    type Err = Error;

    /// The level of that word, whatever the case of its letters.
    fn from_str(word: &str) -> Result<Self, Error> {
        [Self::Unspecified, Self::Deferred, Self::Immediate, Self::Exclusive]
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| {
                Error::programming("isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'")
            })
    }
}

/// Who begins and ends transactions: the attribute `autocommit` of `sqlite3` (Python 3.12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Autocommit {
    /// `isolation_level` decides: a transaction begins before `INSERT`, `UPDATE`, `DELETE` and `REPLACE`.
    /// `sqlite3.LEGACY_TRANSACTION_CONTROL`, -1, the default.
    #[default]
    Legacy,
    /// `True`: the engine's own mode. The driver begins nothing; `commit` and `rollback` do nothing.
    Enabled,
    /// `False`, as PEP 249 wants it: a transaction is always open; `commit` and `rollback` end it and begin the next,
    /// and closing rolls back.
    Disabled,
}

/// How a database file is encrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct Encryption {
    /// The cipher, as the engine calls it: `aes128gcm`, `aes256gcm`, `aegis256` and others.
    pub cipher: String,
    /// The key in hexadecimal digits; its length depends on the cipher.
    pub hexkey: String,
}

impl Encryption {
    /// Encryption by that cipher under that key (hexadecimal digits).
    pub fn new(cipher: impl Into<String>, hexkey: impl Into<String>) -> Self {
        Self {
            cipher: cipher.into(),
            hexkey: hexkey.into(),
        }
    }
}

impl fmt::Debug for Encryption {
    /// Shows the cipher and not the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Encryption")
            .field("cipher", &self.cipher)
            .finish_non_exhaustive()
    }
}

/// How [`connect`](crate::connect) opens a database. The names and defaults are those of `sqlite3.connect`, and behind
/// them those that only this engine has.
///
/// ```
/// use turso_driver::{ConnectOptions, IsolationLevel};
///
/// let options = ConnectOptions::default().timeout(0.5).isolation_level(IsolationLevel::Immediate);
/// assert_eq!(options.cached_statements, 128);
/// ```
#[async_proxy]
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectOptions {
    /// How long a statement waits for a lock that another connection holds, in seconds. It sleeps meanwhile.
    #[proxy(default = 5.0)]
    pub timeout: f64,
    /// The word behind the `BEGIN` of an implicit transaction; `None` begins none. Only `autocommit` at its default
    /// heeds it.
    #[proxy(default = "")]
    pub isolation_level: Option<IsolationLevel>,
    /// How many prepared statements are kept for the next time that the same SQL is run.
    #[proxy(default = 128)]
    pub cached_statements: usize,
    /// Whether the path is a URI: `file:` followed by a path and, after a `?`, options such as `mode=ro`.
    #[proxy(default = False)]
    pub uri: bool,
    /// Who begins and ends transactions.
    #[proxy(default = -1, keyword_only)]
    pub autocommit: Autocommit,
    /// Features of the engine that are not finished, by name, separated by commas: `views`, `index_method`,
    /// `custom_types`, `autovacuum`, `vacuum`, `attach`, `generated_columns`, `without_rowid`, `multiprocess_wal`,
    /// `mvcc_passive_checkpoint`.
    #[proxy(default = None)]
    pub experimental_features: Option<String>,
    /// The engine's I/O layer, by name: `memory`, `syscall`, `io_uring`, or one that was registered.
    #[proxy(default = None)]
    pub vfs: Option<String>,
    /// How the file is encrypted; `None` for a plain file.
    #[proxy(default = None)]
    pub encryption: Option<Encryption>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            timeout: 5.0,
            isolation_level: Some(IsolationLevel::Unspecified),
            cached_statements: 128,
            uri: false,
            autocommit: Autocommit::Legacy,
            experimental_features: None,
            vfs: None,
            encryption: None,
        }
    }
}

impl ConnectOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`timeout`](Self::timeout), in seconds.
    #[must_use]
    pub fn timeout(mut self, seconds: f64) -> Self {
        self.timeout = seconds;
        self
    }

    /// Sets [`isolation_level`](Self::isolation_level); `None` for no implicit transactions.
    #[must_use]
    pub fn isolation_level(mut self, level: impl Into<Option<IsolationLevel>>) -> Self {
        self.isolation_level = level.into();
        self
    }

    /// Sets [`cached_statements`](Self::cached_statements).
    #[must_use]
    pub fn cached_statements(mut self, count: usize) -> Self {
        self.cached_statements = count;
        self
    }

    /// Sets [`uri`](Self::uri).
    #[must_use]
    pub fn uri(mut self, uri: bool) -> Self {
        self.uri = uri;
        self
    }

    /// Sets [`autocommit`](Self::autocommit).
    #[must_use]
    pub fn autocommit(mut self, autocommit: Autocommit) -> Self {
        self.autocommit = autocommit;
        self
    }

    /// Sets [`experimental_features`](Self::experimental_features).
    #[must_use]
    pub fn experimental_features(mut self, names: impl Into<String>) -> Self {
        self.experimental_features = Some(names.into());
        self
    }

    /// Sets [`vfs`](Self::vfs).
    #[must_use]
    pub fn vfs(mut self, name: impl Into<String>) -> Self {
        self.vfs = Some(name.into());
        self
    }

    /// Sets [`encryption`](Self::encryption).
    #[must_use]
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.encryption = Some(encryption);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_isolation_level_is_read_whatever_its_case_and_others_are_refused() {
        assert_eq!(
            "immediate".parse::<IsolationLevel>().unwrap(),
            IsolationLevel::Immediate
        );
        assert_eq!("".parse::<IsolationLevel>().unwrap(), IsolationLevel::Unspecified);
        assert!("BOGUS".parse::<IsolationLevel>().is_err());
    }

    #[test]
    fn the_key_is_not_shown_by_debug() {
        let options = ConnectOptions::default().encryption(Encryption::new("aes256gcm", "c0ffee"));
        assert!(!format!("{options:?}").contains("c0ffee"));
    }
}
