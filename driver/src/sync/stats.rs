//! What is known of a replica: sizes, times, how much went over the network.

use async_proxy::async_proxy;
use turso_sync_engine::types::SyncEngineStats;

/// How a local database stands to its server, as `ConnectionSync.stats` gives it.
#[async_proxy(value)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncStats {
    /// How many local changes (rows inserted, changed or deleted, and changes of the schema) wait for a push.
    pub cdc_operations: i64,
    /// The size of the local write-ahead log, in bytes. `checkpoint` makes it small.
    pub main_wal_size: u64,
    /// The size, in bytes, of what is kept to undo local changes before the server's are applied.
    pub revert_wal_size: u64,
    /// When the server was last asked for changes, in seconds since 1970; `None` if it never was.
    pub last_pull_unix_time: Option<i64>,
    /// When local changes were last pushed, in seconds since 1970; `None` if they never were.
    pub last_push_unix_time: Option<i64>,
    /// The server's revision that was applied last, in the server's own notation; `None` before the first pull.
    pub revision: Option<String>,
    /// How many bytes of requests were sent since the connection was opened.
    pub network_sent_bytes: u64,
    /// How many bytes of answers came since the connection was opened.
    pub network_received_bytes: u64,
}

impl From<SyncEngineStats> for SyncStats {
    fn from(stats: SyncEngineStats) -> Self {
        Self {
            cdc_operations: stats.cdc_operations,
            main_wal_size: stats.main_wal_size,
            revert_wal_size: stats.revert_wal_size,
            last_pull_unix_time: stats.last_pull_unix_time,
            last_push_unix_time: stats.last_push_unix_time,
            revision: stats.revision,
            network_sent_bytes: stats.network_sent_bytes as u64,
            network_received_bytes: stats.network_received_bytes as u64,
        }
    }
}
