//! Whether a query could find its pages in memory: those that a connection has are dropped, all of them, at the first query behind
//! a commit of another connection, and that takes its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::refusing_io::shared_position;

/// What a connection knows of its pages in memory.
pub(super) struct PagesInMemory {
    /// The last place in the log that a connection to the same database is known to have come to; `None` if the I/O of the database
    /// can't be refused.
    latest: Option<Arc<AtomicU64>>,
    /// How far the log was written back.
    written_back: u64,
}

impl PagesInMemory {
    pub(super) fn of(core: &turso_core::Connection) -> Self {
        Self {
            latest: shared_position(core),
            written_back: 0,
        }
    }

    /// Notes where the connection is now, and tells the others. Inside of a transaction it may not be there to stay.
    pub(super) fn note(&mut self, core: &turso_core::Connection) {
        if let Some(latest) = &self.latest {
            latest.fetch_max(position(core), Ordering::Relaxed);
            self.written_back = written_back(core);
        }
    }

    /// Whether they are those of the database as it is now, as far as is known: another connection's commit that is under way may
    /// be seen a moment late. What is seen late costs time, and nothing else.
    pub(super) fn are_current(&self, core: &turso_core::Connection) -> bool {
        let is_latest = |latest: &Arc<AtomicU64>| latest.load(Ordering::Relaxed) == position(core);
        self.latest.as_ref().is_some_and(is_latest) && self.written_back == written_back(core)
    }
}

/// A connection's place in the log: what comes later is greater.
fn position(core: &turso_core::Connection) -> u64 {
    let (checkpoint, frame) = core.get_pager().wal_pos();
    u64::from(checkpoint) << 32 | frame & u64::from(u32::MAX)
}

fn written_back(core: &turso_core::Connection) -> u64 {
    core.get_pager().wal_backfill_frame().unwrap_or_default()
}
