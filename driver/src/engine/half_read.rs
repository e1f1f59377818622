//! The statements that cursors have half read, and what ends them: the cursor, a rollback, an error beside them.

use turso_core::LimboError;

use super::{Engine, StatementKey};
use crate::interrupt::Work;
use crate::statement::PreparedStatement;
use crate::{Error, Result};

/// A statement that a cursor reads from.
pub(super) struct HalfRead {
    /// `None` once it is at its end, or was cut off.
    pub(super) statement: Option<Box<PreparedStatement>>,
    /// Whether a transaction was open when it began.
    in_transaction: bool,
    /// What came before its last row, if something did.
    pub(super) cut_off: Option<CutOff>,
}

/// What takes the rest of its rows away from a query.
#[derive(Clone, Copy)]
pub(super) enum CutOff {
    /// A rollback.
    ByRollback,
    /// The connection has let go of the snapshot that the query read.
    WithSnapshot,
}

impl Engine {
    /// Keeps a statement that a cursor reads from.
    pub(crate) fn keep(&mut self, statement: Box<PreparedStatement>) -> StatementKey {
        let half_read = Some(HalfRead {
            statement: Some(statement),
            in_transaction: self.in_transaction(),
            cut_off: None,
        });
        if let Some(place) = self.free.pop() {
            self.half_read[place] = half_read;
            return StatementKey(place);
        }
        self.half_read.push(half_read);
        StatementKey(self.half_read.len() - 1)
    }

    /// The statement that a cursor reads from.
    pub(crate) fn half_read(&mut self, key: StatementKey) -> Option<&mut PreparedStatement> {
        let half_read = self.half_read.get_mut(key.0)?.as_mut()?;
        let is_cut_off = half_read.cut_off.is_some();
        let statement = half_read.statement.as_deref_mut()?;
        (!is_cut_off || statement.has_rows_ahead()).then_some(statement)
    }

    /// The error for the rows that the statement that a cursor reads from has lost, if it has.
    pub(crate) fn cut_off_error(&self, key: StatementKey) -> Option<Error> {
        let half_read = self.half_read.get(key.0).and_then(Option::as_ref);
        half_read?.cut_off.map(|cut_off| match cut_off {
            CutOff::ByRollback => Error::cut_off(),
            CutOff::WithSnapshot => Error::cut_off_by_others(),
        })
    }

    /// Ends the half-read statements before a rollback. The engine would let them go on behind it as if they were at their
    /// end, or panic. Those that have further rows are cut off: their cursors learn of it, and of no false end.
    pub(crate) fn cut_off_half_read(&mut self, work: Work<'_>) {
        self.cut_off(|statement| statement.has_further_rows(work));
    }

    /// Ends the half-read statements behind one that failed, if the engine has undone that by a savepoint of its own. It
    /// would let them go on as if they were at their end, or panic; whether they were at their end can't be told any more.
    pub(crate) fn cut_off_behind(&mut self, failed: &PreparedStatement) {
        if failed.is_undone_alone() {
            self.cut_off(|_| true);
        }
    }

    fn cut_off(&mut self, mut has_further_rows: impl FnMut(&mut PreparedStatement) -> bool) {
        if !self.in_transaction() {
            return;
        }
        let mut ended = Vec::new();
        for half_read in self.half_read.iter_mut().flatten() {
            if let Some(mut statement) = half_read.statement.take() {
                if has_further_rows(&mut statement) {
                    half_read.cut_off.get_or_insert(CutOff::ByRollback);
                }
                if half_read.in_transaction {
                    ended.push(statement);
                } else {
                    self.waiting.push(*statement);
                }
            }
        }
        for statement in ended {
            // A statement that can't be ended well is dropped with the transaction.
            let _ = self.give_back(statement);
        }
    }

    /// Takes the statement out that a cursor has read from.
    pub(crate) fn take(&mut self, key: StatementKey) -> Option<Box<PreparedStatement>> {
        self.take_half_read(key)?.statement
    }

    fn take_half_read(&mut self, key: StatementKey) -> Option<HalfRead> {
        let half_read = self.half_read.get_mut(key.0)?.take()?;
        self.free.push(key.0);
        Some(half_read)
    }

    /// Ends the statement that a cursor has read to its end.
    pub(crate) fn release_read(&mut self, key: StatementKey) -> Result<()> {
        match self.take(key) {
            Some(statement) => self.give_back(statement),
            None => Ok(()),
        }
    }

    /// Ends the statement that a cursor has read from and leaves.
    ///
    /// The engine takes the end of a statement that is not read to its end, and that began outside of a transaction, for
    /// the end of the transaction that was begun since, and rolls that back. So such a statement waits for its end.
    pub(crate) fn release(&mut self, key: StatementKey) -> Result<()> {
        let Some(half_read) = self.take_half_read(key) else {
            return Ok(());
        };
        match half_read.statement {
            Some(statement) if !half_read.in_transaction && self.in_transaction() => {
                self.waiting.push(*statement);
                Ok(())
            }
            Some(statement) => self.give_back(statement),
            None => Ok(()),
        }
    }

    /// Ends the statement that a cursor has read from and that failed, and gives its error on: as [`abandon`](Self::abandon),
    /// but one that began outside of a transaction waits for the end of the transaction that was begun since.
    pub(crate) fn abandon_read(&mut self, key: StatementKey, error: Error, work: Work<'_>) -> Error {
        let Some(half_read) = self.take_half_read(key) else {
            return error;
        };
        match half_read.statement {
            Some(statement) if !half_read.in_transaction && self.in_transaction() => {
                self.waiting.push(*statement);
                error
            }
            Some(statement) => self.abandon(statement, error, work),
            None => error,
        }
    }

    /// Whether a half-read statement began before the transaction that is open.
    pub(crate) fn began_outside(&self, key: StatementKey) -> bool {
        let half_read = self.half_read.get(key.0).and_then(Option::as_ref);
        self.in_transaction() && half_read.is_some_and(|half_read| !half_read.in_transaction)
    }

    /// Ends the statements that waited for the end of a transaction, if it has come.
    pub(crate) fn release_waiting(&mut self) {
        if !self.waiting.is_empty() && !self.in_transaction() {
            for statement in std::mem::take(&mut self.waiting) {
                // Nobody is left to whom an error could be told; the statement is dropped with it.
                let _ = self.give_back(Box::new(statement));
            }
        }
    }

    /// Whether a cursor has a statement that is not at its end.
    pub(super) fn is_half_read(&self) -> bool {
        self.half_read.iter().flatten().any(|other| other.statement.is_some())
    }

    /// Refuses to drop a table or an index while a cursor is half read, as SQLite does. The engine would do it, and the
    /// cursor would go on in pages that hold something else by then.
    pub(crate) fn refuse_drop_while_reading(&self, statement: &PreparedStatement) -> Result<()> {
        let mut others = self
            .half_read
            .iter()
            .flatten()
            .filter_map(|other| other.statement.as_ref());
        if statement.drops_pages() && others.any(|other| other.reads()) {
            return Err(LimboError::TableLocked.into());
        }
        Ok(())
    }

    /// How many statements cursors read from.
    #[cfg(test)]
    pub(crate) fn half_read_count(&self) -> usize {
        self.half_read
            .iter()
            .flatten()
            .filter(|half_read| half_read.statement.is_some())
            .count()
    }

    /// How many changes each statement that a cursor reads from has counted.
    #[cfg(test)]
    pub(crate) fn half_read_changes(&self) -> Vec<i64> {
        let statements = self.half_read.iter().flatten();
        let statements = statements.filter_map(|half_read| half_read.statement.as_deref());
        statements.map(PreparedStatement::counted_changes).collect()
    }
}
