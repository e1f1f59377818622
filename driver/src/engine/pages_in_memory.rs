//! Whether a query could find its pages in memory: those that a connection has are dropped, all of them, at the first query behind
//! a commit of another connection, and that takes its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::refusing_io::shared_place;

/// What a connection knows of its pages in memory.
pub(super) struct PagesInMemory {
    /// The last place that a connection to the same database is known to have come to; `None` if the I/O of the database can't be
    /// refused.
    latest: Option<Arc<AtomicU64>>,
    /// The place that the connection itself noted last.
    noted: u64,
}

impl PagesInMemory {
    pub(super) fn of(core: &turso_core::Connection) -> Self {
        Self {
            latest: shared_place(core),
            noted: 0,
        }
    }

    /// Notes where the connection is now, and tells the others.
    pub(super) fn note(&mut self, core: &turso_core::Connection) {
        let Some(latest) = &self.latest else {
            return;
        };
        // The I/O has it too.
        let is_alone = Arc::strong_count(latest) <= 2;
        if is_alone && latest.load(Ordering::Relaxed) == self.noted {
            return;
        }
        self.noted = place(core);
        let is_later = |known: u64| self.noted.wrapping_sub(known).cast_signed() > 0;
        let _ = latest.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |known| {
            is_later(known).then_some(self.noted)
        });
    }

    /// Whether they are those of the database as it is now, as far as is known: another connection's commit that is under way may
    /// be seen a moment late. What is seen late costs time, and nothing else.
    pub(super) fn are_current(&self) -> bool {
        let latest = self.latest.as_ref().map(|latest| latest.load(Ordering::Relaxed));
        latest == Some(self.noted)
    }
}

/// A connection's place in the log, and that up to which the log was written back. What comes later is greater, until the number of
/// times that the log was begun anew has come round.
fn place(core: &turso_core::Connection) -> u64 {
    const BITS: u32 = 22;
    let pager = core.get_pager();
    let (begun_anew, frame) = pager.wal_pos();
    let written_back = pager.wal_backfill_frame().unwrap_or_default();
    // Of a log of more than 16 GiB the end is not known.
    let bounded = |frame: u64| frame.min((1 << BITS) - 1);
    u64::from(begun_anew) << (2 * BITS) | bounded(frame) << BITS | bounded(written_back)
}
