//! How a synchronised database is opened.

use std::fmt;
use std::str::FromStr;

use async_proxy::async_proxy;
use turso_sync_engine::types::{PartialBootstrapStrategy, PartialSyncOpts as EnginePartialSync};

use super::supplied::SuppliedText;
use crate::{Autocommit, Error, IsolationLevel, Result};

/// The cipher of an encrypted database on the server. It decides how many bytes of each page are kept free for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names of the ciphers say all")]
pub enum RemoteEncryptionCipher {
    Aes256Gcm,
    Aes128Gcm,
    ChaCha20Poly1305,
    Aegis128L,
    Aegis128X2,
    Aegis128X4,
    Aegis256,
    Aegis256X2,
    Aegis256X4,
}

impl FromStr for RemoteEncryptionCipher {
    type Err = Error;

    /// The cipher of that name, whatever the case of its letters: `aes256gcm`, `chacha20poly1305`, `aegis128l` and so on.
    fn from_str(name: &str) -> Result<Self> {
        ALL_CIPHERS
            .into_iter()
            .find(|cipher| format!("{cipher:?}").eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                let names = ALL_CIPHERS.map(|cipher| format!("{cipher:?}").to_ascii_lowercase());
                Error::programming(format!("there is no such cipher; there are {}", names.join(", ")))
            })
    }
}

const ALL_CIPHERS: [RemoteEncryptionCipher; 9] = [
    RemoteEncryptionCipher::Aes256Gcm,
    RemoteEncryptionCipher::Aes128Gcm,
    RemoteEncryptionCipher::ChaCha20Poly1305,
    RemoteEncryptionCipher::Aegis128L,
    RemoteEncryptionCipher::Aegis128X2,
    RemoteEncryptionCipher::Aegis128X4,
    RemoteEncryptionCipher::Aegis256,
    RemoteEncryptionCipher::Aegis256X2,
    RemoteEncryptionCipher::Aegis256X4,
];

impl RemoteEncryptionCipher {
    /// How many bytes at the end of each page the cipher needs: its nonce and its tag.
    pub(crate) fn reserved_bytes(self) -> usize {
        match self {
            Self::Aes256Gcm | Self::Aes128Gcm | Self::ChaCha20Poly1305 => 12 + 16,
            Self::Aegis128L | Self::Aegis128X2 | Self::Aegis128X4 => 16 + 16,
            Self::Aegis256 | Self::Aegis256X2 | Self::Aegis256X4 => 32 + 16,
        }
    }
}

/// The first bytes of the database file come with the first contact.
#[async_proxy(value)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "python", derive(pyo3::FromPyObject))]
pub struct PartialSyncPrefixBootstrap {
    /// How many bytes.
    pub length: usize,
}

/// The pages that a query reads, on the server, come with the first contact.
#[async_proxy(value)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "python", derive(pyo3::FromPyObject))]
pub struct PartialSyncQueryBootstrap {
    /// The query.
    pub query: String,
}

/// What comes with the first contact when the rest is fetched as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "python", derive(pyo3::FromPyObject))]
pub enum PartialSyncBootstrap {
    /// The first bytes of the database file.
    Prefix(PartialSyncPrefixBootstrap),
    /// The pages that a query reads.
    Query(PartialSyncQueryBootstrap),
}

/// Partial synchronisation: pages of the server's database are fetched when they are first read. On Linux alone, since
/// it needs files with holes, and experimental in the engine.
#[async_proxy(value)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "python", derive(pyo3::FromPyObject))]
pub struct PartialSyncOpts {
    /// What comes with the first contact.
    pub bootstrap_strategy: PartialSyncBootstrap,
    /// How many bytes are fetched at a time; `None` leaves it to the engine (128 KiB).
    #[proxy(default = None)]
    pub segment_size: Option<usize>,
    /// Whether pages that are likely to be read next are fetched too; `None` is no.
    #[proxy(default = None)]
    pub prefetch: Option<bool>,
}

impl PartialSyncOpts {
    /// The first bytes of the file now, the rest as it is read.
    pub fn prefix(length: usize) -> Self {
        Self::new(PartialSyncBootstrap::Prefix(PartialSyncPrefixBootstrap { length }))
    }

    /// The pages that a query reads now, the rest as it is read.
    pub fn query(query: impl Into<String>) -> Self {
        Self::new(PartialSyncBootstrap::Query(PartialSyncQueryBootstrap {
            query: query.into(),
        }))
    }

    fn new(bootstrap_strategy: PartialSyncBootstrap) -> Self {
        Self {
            bootstrap_strategy,
            segment_size: None,
            prefetch: None,
        }
    }

    /// Sets how many bytes are fetched at a time.
    #[must_use]
    pub fn segment_size(mut self, bytes: usize) -> Self {
        self.segment_size = Some(bytes);
        self
    }

    /// Sets whether pages that are likely to be read next are fetched too.
    #[must_use]
    pub fn prefetch(mut self, prefetch: bool) -> Self {
        self.prefetch = Some(prefetch);
        self
    }

    pub(crate) fn for_engine(&self) -> EnginePartialSync {
        EnginePartialSync {
            bootstrap_strategy: Some(match &self.bootstrap_strategy {
                PartialSyncBootstrap::Prefix(prefix) => PartialBootstrapStrategy::Prefix { length: prefix.length },
                PartialSyncBootstrap::Query(query) => PartialBootstrapStrategy::Query {
                    query: query.query.clone(),
                },
            }),
            segment_size: self.segment_size.unwrap_or(0),
            prefetch: self.prefetch.unwrap_or(false),
        }
    }
}

/// How [`connect_sync`](crate::connect_sync) opens a database. The names and defaults are those of the published driver,
/// `turso.sync.connect`, and behind them those that [`connect`](crate::connect) has and the time limits of the network.
///
/// ```
/// use turso_driver::SyncOptions;
///
/// let options = SyncOptions::new("https://cities-example.turso.io")
///     .auth_token("the token")
///     .long_poll_timeout_ms(30_000);
/// assert!(!format!("{options:?}").contains("the token"));
/// ```
#[async_proxy]
#[derive(Clone)]
pub struct SyncOptions {
    /// Where the server is: `https://…`, `http://…`, `libsql://…` or `turso://…` (the last two mean `https`); or a function
    /// that is asked for it before each request. `None` takes the one that the database was last opened with.
    #[proxy(default = None)]
    pub remote_url: Option<SuppliedText>,
    /// The token that the server wants to see (`Authorization: Bearer …`), or a function that is asked for it before each
    /// request; `None` for a server that wants none. It is kept in no file and shown in no error.
    #[proxy(default = None, keyword_only)]
    pub auth_token: Option<SuppliedText>,
    /// What the program calls itself: the `User-Agent`, and the beginning of this replica's own name on the server.
    #[proxy(default = None, keyword_only)]
    pub client_name: Option<String>,
    /// How long a pull waits on the server for changes if there are none yet, in milliseconds; `None` does not wait.
    #[proxy(default = None, keyword_only)]
    pub long_poll_timeout_ms: Option<u32>,
    /// Whether opening a database that is not there yet fetches the server's. Without it the database begins empty, needs no
    /// server until the first pull or push, and the server is asked then.
    #[proxy(default = True, keyword_only)]
    pub bootstrap_if_empty: bool,
    /// Fetches pages of the server's database when they are first read, and not all at once.
    #[proxy(default = None, keyword_only)]
    pub partial_sync_experimental: Option<PartialSyncOpts>,
    /// Features of the engine that are not finished, by name, separated by commas; those of `connect`.
    #[proxy(default = None, keyword_only)]
    pub experimental_features: Option<String>,
    /// The word behind the `BEGIN` of an implicit transaction; `None` begins none. Only `autocommit` at its default heeds
    /// it.
    #[proxy(default = "DEFERRED", keyword_only)]
    pub isolation_level: Option<IsolationLevel>,
    /// The key of a database that is encrypted on the server, in base64. It is kept in no file and shown in no error.
    #[proxy(default = None, keyword_only)]
    pub remote_encryption_key: Option<String>,
    /// The cipher that goes with the key.
    #[proxy(default = None, keyword_only)]
    pub remote_encryption_cipher: Option<RemoteEncryptionCipher>,
    /// Splits a push into requests of about that many changes, at the ends of transactions; `None` sends all in one.
    #[proxy(default = None, keyword_only)]
    pub push_operations_threshold: Option<usize>,
    /// Splits the first fetch of a database into requests of about that many bytes; `None` fetches all in one.
    #[proxy(default = None, keyword_only)]
    pub pull_bytes_threshold: Option<usize>,
    /// Forces (`True`) or forbids (`False`) the server's logical stream of changes; `None` finds out what it speaks.
    #[proxy(default = None, keyword_only)]
    pub logical_mvcc_pull: Option<bool>,
    /// How long making a connection to the server may take, in seconds; `None` leaves it to the system.
    #[proxy(default = 10.0, keyword_only)]
    pub connect_timeout: Option<f64>,
    /// How long the server may be silent in the middle of a request, in seconds; `None` for ever. The time that a pull waits
    /// on the server by its long poll does not count.
    #[proxy(default = 30.0, keyword_only)]
    pub read_timeout: Option<f64>,
    /// How long a statement, a pull or a checkpoint waits for a lock that another connection holds, in seconds.
    #[proxy(default = 5.0, keyword_only)]
    pub timeout: f64,
    /// How many prepared statements are kept for the next time that the same SQL is run.
    #[proxy(default = 128, keyword_only)]
    pub cached_statements: usize,
    /// Who begins and ends transactions.
    #[proxy(default = -1, keyword_only)]
    pub autocommit: Autocommit,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            remote_url: None,
            auth_token: None,
            client_name: None,
            long_poll_timeout_ms: None,
            bootstrap_if_empty: true,
            partial_sync_experimental: None,
            experimental_features: None,
            isolation_level: Some(IsolationLevel::Deferred),
            remote_encryption_key: None,
            remote_encryption_cipher: None,
            push_operations_threshold: None,
            pull_bytes_threshold: None,
            logical_mvcc_pull: None,
            connect_timeout: Some(10.0),
            read_timeout: Some(30.0),
            timeout: 5.0,
            cached_statements: 128,
            autocommit: Autocommit::Legacy,
        }
    }
}

/// Defines a method that sets an option, for each of them.
macro_rules! setters {
    ($($(#[$meta:meta])* $name:ident: $type:ty => $value:expr),+ $(,)?) => {
        impl SyncOptions {$(
            #[doc = concat!("Sets [`", stringify!($name), "`](Self::", stringify!($name), ").")]
            #[must_use]
            pub fn $name(mut self, $name: $type) -> Self {
                self.$name = $value;
                self
            }
        )+}
    };
}

setters! {
    auth_token: impl Into<SuppliedText> => Some(auth_token.into()),
    client_name: impl Into<String> => Some(client_name.into()),
    long_poll_timeout_ms: u32 => Some(long_poll_timeout_ms),
    bootstrap_if_empty: bool => bootstrap_if_empty,
    partial_sync_experimental: PartialSyncOpts => Some(partial_sync_experimental),
    experimental_features: impl Into<String> => Some(experimental_features.into()),
    isolation_level: impl Into<Option<IsolationLevel>> => isolation_level.into(),
    remote_encryption_key: impl Into<String> => Some(remote_encryption_key.into()),
    remote_encryption_cipher: RemoteEncryptionCipher => Some(remote_encryption_cipher),
    push_operations_threshold: usize => Some(push_operations_threshold),
    pull_bytes_threshold: usize => Some(pull_bytes_threshold),
    logical_mvcc_pull: bool => Some(logical_mvcc_pull),
    connect_timeout: impl Into<Option<f64>> => connect_timeout.into(),
    read_timeout: impl Into<Option<f64>> => read_timeout.into(),
    timeout: f64 => timeout,
    cached_statements: usize => cached_statements,
    autocommit: Autocommit => autocommit,
}

impl SyncOptions {
    /// The defaults, with that server.
    pub fn new(remote_url: impl Into<SuppliedText>) -> Self {
        Self {
            remote_url: Some(remote_url.into()),
            ..Self::default()
        }
    }
}

impl fmt::Debug for SyncOptions {
    /// Shows neither the token nor the key, and of the URL no more than that there is one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SyncOptions")
            .field("remote_url", &self.remote_url)
            .field("auth_token", &self.auth_token)
            .field("client_name", &self.client_name)
            .field("long_poll_timeout_ms", &self.long_poll_timeout_ms)
            .field("bootstrap_if_empty", &self.bootstrap_if_empty)
            .field("remote_encryption_cipher", &self.remote_encryption_cipher)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cipher_is_found_by_its_name_whatever_its_case() {
        let found = |name: &str| name.parse::<RemoteEncryptionCipher>();
        assert_eq!(found("aes256gcm").unwrap(), RemoteEncryptionCipher::Aes256Gcm);
        assert_eq!(
            found("ChaCha20Poly1305").unwrap(),
            RemoteEncryptionCipher::ChaCha20Poly1305
        );
        assert!(found("rot13").unwrap_err().to_string().contains("aegis256x4"));
    }

    #[test]
    fn neither_the_token_nor_the_key_is_shown_by_debug() {
        let options = SyncOptions::new("http://127.0.0.1:1")
            .auth_token("SECRET-TOKEN")
            .remote_encryption_key("SECRET-KEY");
        assert!(!format!("{options:?}").contains("SECRET"));
    }
}
