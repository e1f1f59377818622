//! The snapshot that half-read queries share outside of a transaction.
//!
//! The engine has one for all queries of a connection, and lets go of it with the first of them that ends
//! (`a_snapshot_ends_with_one_of_the_statements_that_share_it`), and with every commit. The others go on, until the connection takes a
//! snapshot anew. If that is another one, the engine forgets where they stand, and they give no further row, without an error. So here
//!
//! - a query beside others ends as a part of them would: the snapshot stays, and is let go of behind the last of them;
//! - it is taken anew right behind a commit;
//! - where a checkpoint may come with that commit, what is left of the queries is read before it: behind a checkpoint the engine takes
//!   the snapshot for another one;
//! - queries whose snapshot is gone all the same are cut off, and their cursors say so. Whether it is gone is told by the page at the
//!   front of the database: the engine drops it when it forgets where queries stand, and never else while somebody holds it.

use std::thread;

use turso_core::{LimboError, PageRef, Statement, StepResult};

use super::half_read::CutOff;
use super::{Engine, StatementKey};
use crate::Result;
use crate::interrupt::Work;
use crate::statement::{Nested, PreparedStatement, is_outdated, schema_of};

/// A query that takes a snapshot, gives one row and needs the first page.
const TAKE: &str = "SELECT count(*) FROM sqlite_schema";

/// The number of the page at the front of the database.
const FIRST_PAGE: usize = 1;

/// At how many pages in its log that were not written back the engine does so, with the next commit.
const FRAMES_BEFORE_CHECKPOINT: u64 = 1_000;

/// How many pages a commit may write of which nobody knows, and how many for each changed row: those of some indexes too.
const UNKNOWN_PAGES: u64 = 64;
const PAGES_OF_CHANGE: u64 = 4;

/// How much is read ahead for all half-read queries. What is behind that may be lost with a checkpoint, and its cursor says so.
const MOST_BYTES_AHEAD: usize = 64 << 20;

/// What is known of the snapshot that half-read queries share, and of the transaction that is open beside them.
#[derive(Default)]
pub(super) struct Snapshot {
    /// The first page of the database as it was; `None` if nobody else ran while a query was half read.
    first_page: Option<PageRef>,
    /// Whether something may have been written in the transaction.
    is_written: bool,
    /// Whether something was done in it of which nobody knows how many pages it writes.
    is_unmeasured: bool,
    /// How many changes there were before it.
    changes_before: i64,
    /// What takes it, once it was needed, and the version of the schema for which that was prepared.
    take: Option<(Statement, u32)>,
}

impl Snapshot {
    /// Whether something may have been written in the transaction that is open.
    pub(super) fn is_written(&self) -> bool {
        self.is_written
    }

    pub(super) fn set_written(&mut self, is_written: bool) {
        self.is_written = is_written;
    }
}

impl Engine {
    /// Whether queries besides that one are half read outside of a transaction and share a snapshot.
    pub(crate) fn is_beside_others(&mut self, key: Option<StatementKey>) -> bool {
        let count = self.half_read.len() - self.free.len();
        if count <= usize::from(key.is_some()) || self.in_transaction() {
            return false;
        }
        let key = key.map(|key| key.0);
        let mut others = self
            .half_read
            .iter_mut()
            .enumerate()
            .filter_map(|(place, other)| other.as_mut().filter(|_| Some(place) != key));
        others.any(|other| {
            other
                .statement
                .as_mut()
                .is_some_and(|statement| statement.needs_snapshot())
        })
    }

    /// Has a statement that is about to end leave the transaction to the half-read queries, if it is one of several.
    pub(super) fn share_transaction(&mut self, statement: &mut PreparedStatement) {
        let does_share = self.is_beside_others(None) && statement.is_reader();
        statement.share_transaction(does_share);
    }

    /// What comes before a statement that runs beside half-read ones: it leaves the snapshot to them, if it only asks.
    pub(super) fn guard_half_read(&mut self, statement: &mut PreparedStatement, work: Work<'_>) -> Result<()> {
        let asks = statement.is_reader() || statement.asks_for_fact();
        if !asks && !statement.begins_something() {
            self.snapshot.is_unmeasured |= !statement.changes_rows() && !statement.is_commit();
            self.snapshot.is_written |= !statement.is_commit();
        }
        if self.half_read.len() == self.free.len() {
            return Ok(());
        }
        if asks {
            self.watch_snapshot();
            if self.is_beside_others(None) && self.core.get_pager().holds_read_lock() {
                statement.share_transaction(true);
            }
        } else if statement.is_commit() {
            let shares = self.guard_before_commit(work)?;
            statement.share_transaction(shares && !statement.is_release());
        } else if !statement.changes_rows() && !statement.begins_something() {
            self.guard_before_commit(work)?;
            // Where all was read, it begins without a transaction: a checkpoint would let go of the snapshot, and not of that.
            self.settle_snapshot();
        } else {
            self.watch_snapshot();
        }
        Ok(())
    }

    /// What comes before a commit beside half-read queries. The answer is whether the commit is to leave the snapshot to them: it has
    /// nothing to write.
    ///
    /// # Errors
    /// That the operation was stopped.
    pub(super) fn guard_before_commit(&mut self, work: Work<'_>) -> Result<bool> {
        if self.half_read.len() == self.free.len() || !self.watch_snapshot() {
            return Ok(false);
        }
        if !self.snapshot.is_written && self.in_transaction() && !self.core.is_in_write_tx() {
            return Ok(true);
        }
        // What was written elsewhere, to a temporary table, keeps nobody from writing here.
        let is_written_elsewhere = self.in_transaction() && !self.core.is_in_write_tx();
        if self.may_checkpoint() || is_written_elsewhere {
            let count = self.half_read.len() - self.free.len();
            let bytes = MOST_BYTES_AHEAD / count.max(1);
            let statements = self.half_read.iter_mut().flatten();
            for statement in statements.filter_map(|half_read| half_read.statement.as_mut()) {
                if statement.needs_snapshot() {
                    statement.read_ahead(bytes, work)?;
                }
            }
        }
        Ok(false)
    }

    /// Whether the engine may write its log back with the next commit.
    fn may_checkpoint(&self) -> bool {
        let pager = self.core.get_pager();
        let (_, frames) = pager.wal_pos();
        let waiting = frames.saturating_sub(pager.wal_backfill_frame().unwrap_or_default());
        let changes = self.core.total_changes().saturating_sub(self.snapshot.changes_before);
        let pages = u64::try_from(changes)
            .unwrap_or_default()
            .saturating_mul(PAGES_OF_CHANGE);
        self.snapshot.is_unmeasured
            || waiting.saturating_add(pages).saturating_add(UNKNOWN_PAGES) > FRAMES_BEFORE_CHECKPOINT
    }

    /// Notes by what it can be told later that the snapshot of the half-read queries is still the same. Whether there is one.
    fn watch_snapshot(&mut self) -> bool {
        if !self.needs_snapshot() {
            return false;
        }
        let pager = self.core.get_pager();
        if !pager.holds_read_lock() {
            return false;
        }
        let mut page = pager.cache_get(FIRST_PAGE).ok().flatten();
        if page.is_none() {
            // What can't be read now is read by nobody.
            let _ = self.hold_snapshot(true);
            page = pager.cache_get(FIRST_PAGE).ok().flatten();
        }
        self.snapshot.first_page = page;
        true
    }

    /// Whether a half-read query has rows to read from the database.
    fn needs_snapshot(&mut self) -> bool {
        let statements = self.half_read.iter_mut().flatten();
        let mut statements = statements.filter_map(|half_read| half_read.statement.as_mut());
        statements.any(|statement| statement.needs_snapshot())
    }

    /// Brings the snapshot in order behind what was done outside of a transaction: it is held while a half-read query needs it, let
    /// go of otherwise, and queries that have lost theirs are cut off.
    pub(crate) fn settle_snapshot(&mut self) {
        if self.in_transaction() {
            return;
        }
        self.snapshot.is_written = false;
        self.snapshot.is_unmeasured = false;
        self.snapshot.changes_before = self.core.total_changes();
        let Some(first_page) = self.snapshot.first_page.take() else {
            return;
        };
        let pager = self.core.get_pager();
        if self.needs_snapshot() {
            let is_held = pager.holds_read_lock() || self.hold_snapshot(false).is_ok();
            let page = pager.cache_get(FIRST_PAGE).ok().flatten();
            if is_held && page.is_some_and(|page| PageRef::ptr_eq(&page, &first_page)) {
                self.snapshot.first_page = Some(first_page);
                return;
            }
            self.cut_off_without_snapshot();
        }
        if pager.holds_read_lock() {
            // The end of a transaction that is nobody's.
            let ended = self.core.execute("BEGIN").and_then(|()| self.core.execute("COMMIT"));
            debug_assert!(ended.is_ok(), "a transaction in which nothing was done ends: {ended:?}");
        }
    }

    /// Takes the snapshot; as a part of the transaction that has one already, or as its beginning.
    fn hold_snapshot(&mut self, is_part: bool) -> std::result::Result<(), LimboError> {
        let nested = is_part.then(|| Nested::new(&self.core));
        let kept = self.snapshot.take.take();
        let (mut statement, schema) = match kept.filter(|(statement, schema)| !is_outdated(statement, *schema)) {
            Some(kept) => kept,
            None => {
                let statement = self.core.prepare(TAKE)?;
                let schema = schema_of(&statement);
                (statement, schema)
            }
        };
        let outcome = loop {
            match statement.step() {
                Ok(StepResult::Row) => break Ok(()),
                Ok(StepResult::IO | StepResult::Yield) => statement._io().step()?,
                Ok(StepResult::Sleep { duration }) => thread::sleep(duration),
                Ok(StepResult::Done | StepResult::Busy | StepResult::Interrupt) => break Err(LimboError::Busy),
                Err(error) => break Err(error),
            }
        };
        if outcome.is_ok() {
            // It ends, and the snapshot stays.
            let _nested = Nested::new(&self.core);
            statement.reset()?;
            self.snapshot.take = Some((statement, schema));
        }
        drop(nested);
        outcome
    }

    fn cut_off_without_snapshot(&mut self) {
        let mut ended = Vec::new();
        for half_read in self.half_read.iter_mut().flatten() {
            let Some(statement) = half_read.statement.as_mut() else {
                continue;
            };
            if !statement.needs_snapshot() {
                continue;
            }
            half_read.cut_off = Some(CutOff::WithSnapshot);
            statement.share_transaction(true);
            // One that can't be ended well is dropped.
            let _ = statement.end_behind_rows_ahead();
            if !statement.has_rows_ahead() {
                ended.extend(half_read.statement.take());
            }
        }
        for statement in ended {
            let _ = self.give_back(statement);
        }
    }
}
