//! What is done around one statement, so that its failure takes nothing along that SQLite keeps: the transaction, what was done
//! in it, what other cursors read.

use std::sync::Arc;

use turso_core::{Connection, LimboError};

use super::Engine;
use crate::interrupt::Work;
use crate::statement::{PreparedStatement, Step};
use crate::{Params, Result};

/// A query that takes the snapshot of a transaction, and nothing else.
const TAKE_SNAPSHOT: &str = "SELECT 1 FROM sqlite_schema LIMIT 1";

/// A name that nobody gives a savepoint.
const SAVEPOINT: &str = "SAVEPOINT \"around one statement\"";
const ROLLBACK_TO: &str = "ROLLBACK TO \"around one statement\"";
const RELEASE: &str = "RELEASE \"around one statement\"";

/// What was begun around one statement, and ends with it.
#[must_use]
pub(crate) struct Around {
    /// Whether a transaction was begun.
    transaction: bool,
    /// Whether a savepoint was begun.
    savepoint: bool,
    /// Whether something may have been written before in the transaction that is open.
    was_written: bool,
    /// What `changes()` gave, if the statement must leave it as it is.
    changes: Option<i64>,
    /// See [`Engine::keep_foreign_keys`].
    _foreign_keys: Option<KeptForeignKeys>,
}

impl Engine {
    /// What comes before the first step of a statement.
    ///
    /// - When a statement that changes rows fails outside of a transaction, the engine rolls back, and what other statements
    ///   read ends too early: it gets a transaction of its own.
    /// - When a query fails inside of a transaction, the engine rolls that back: see [`PreparedStatement::step`], which needs the
    ///   snapshot to be taken before.
    /// - It does so as well when a function fails in a statement that changes one row: that is undone alone, as one that changes
    ///   several is.
    /// - It keeps the schema of a table that `CREATE TABLE … AS` has failed to make, and then refuses every statement: a savepoint
    ///   takes that back.
    pub(crate) fn begin_around(&mut self, statement: &mut PreparedStatement, work: Work<'_>) -> Result<Around> {
        let mut around = Around {
            transaction: false,
            savepoint: false,
            was_written: self.snapshot.is_written(),
            changes: (!statement.changes_rows() || statement.makes_index()).then(|| self.core.changes()),
            _foreign_keys: None,
        };
        self.guard_half_read(statement, work)?;
        if !statement.asks_or_changes_rows() {
            self.has_snapshot = false;
            around._foreign_keys = self.keep_foreign_keys();
        }
        if self.in_transaction() {
            if statement.is_reader() {
                self.take_snapshot(statement, work)?;
            } else if statement.changes_rows() {
                statement.undo_alone();
            } else if statement.makes_table_of_query() {
                self.run(SAVEPOINT, work)?;
                around.savepoint = true;
            }
        } else if statement.changes_rows() && self.is_half_read() {
            self.run("BEGIN", work)?;
            around.transaction = true;
            statement.undo_alone();
        }
        Ok(around)
    }

    /// Ends what was begun around a statement. What a statement that failed has left of itself is committed: nothing,
    /// or with `OR FAIL` what SQLite leaves. One that was stopped is rolled back with its transaction, by `abandon`; one that
    /// came to its end is whole, and whoever stops it then comes too late.
    pub(crate) fn end_around<T>(
        &mut self,
        around: Around,
        statement: &PreparedStatement,
        outcome: Result<T>,
        work: Work<'_>,
    ) -> Result<T> {
        if let Some(changes) = around.changes {
            self.core.set_changes(changes);
        } else if let Err(error) = &outcome
            && statement.changes_rows()
            && !matches!(
                error.fault().engine_error(),
                Some(LimboError::Constraint(_) | LimboError::Raise(..))
            )
        {
            // With these the engine does it, and knows of `OR FAIL`.
            self.core.set_changes(0);
        }
        let error = outcome.as_ref().err().and_then(|error| error.fault().engine_error());
        if matches!(error, Some(LimboError::Busy | LimboError::BusySnapshot)) {
            // It was refused.
            self.snapshot.set_written(around.was_written);
        }
        let is_stopped = outcome.is_err() && work.is_stopped();
        if !self.in_transaction() || is_stopped {
            return outcome;
        }
        if around.savepoint {
            self.end_savepoint(outcome.is_err(), work)?;
        }
        if around.transaction
            && let Err(error) = self.commit_around(work)
        {
            // The error of the statement, if there is one, came first.
            let error = outcome.err().unwrap_or(error);
            work.shield();
            self.cut_off_half_read(work);
            let _ = self.run("ROLLBACK", work);
            return Err(error);
        }
        outcome
    }

    fn commit_around(&mut self, work: Work<'_>) -> Result<()> {
        // To read ahead may take long.
        let shares = self.guard_before_commit(work)?;
        work.shielded(|| self.run_as("COMMIT", shares, work))?;
        self.settle_snapshot();
        Ok(())
    }

    fn end_savepoint(&mut self, has_failed: bool, work: Work<'_>) -> Result<()> {
        work.shielded(|| {
            if has_failed {
                self.run(ROLLBACK_TO, work)?;
            }
            self.run(RELEASE, work)
        })
    }

    /// Has the open transaction take its snapshot, as the query itself would do.
    fn take_snapshot(&mut self, query: &mut PreparedStatement, work: Work<'_>) -> Result<()> {
        if !self.has_snapshot && !self.core.is_in_write_tx() && query.begins_transaction() {
            let Some(mut statement) = self.statement(TAKE_SNAPSHOT, work)? else {
                return Ok(());
            };
            self.bind(&mut statement, Params::None, work)?;
            while statement.step(work)? == Step::Row {}
            self.give_back(statement)?;
            self.has_snapshot = true;
        }
        query.has_snapshot();
        Ok(())
    }

    /// Keeps `PRAGMA foreign_keys` as it is until what is given is dropped, if a transaction is open: SQLite ignores it there. The
    /// engine follows it, and does so when it is prepared.
    pub(super) fn keep_foreign_keys(&self) -> Option<KeptForeignKeys> {
        self.in_transaction().then(|| KeptForeignKeys {
            is_on: self.core.foreign_keys_enabled(),
            core: Arc::clone(&self.core),
        })
    }
}

/// What `PRAGMA foreign_keys` is set to again.
pub(super) struct KeptForeignKeys {
    core: Arc<Connection>,
    is_on: bool,
}

impl Drop for KeptForeignKeys {
    fn drop(&mut self) {
        if self.core.foreign_keys_enabled() != self.is_on {
            self.core.set_foreign_keys_enabled(self.is_on);
        }
    }
}
