//! Rows that a query gives beside others: read before a cursor asks for them, where they would be lost otherwise.

use std::collections::VecDeque;

use super::{PreparedStatement, Step};
use crate::interrupt::Work;
use crate::{Error, Result, Value};

/// Rows that were read before a cursor asked for them, in their order.
#[derive(Default)]
pub(super) struct Ahead {
    rows: VecDeque<Vec<Value>>,
    /// The one that was handed out last.
    pub(super) current: Option<Vec<Value>>,
    /// How many bytes the rows take, about.
    bytes: usize,
    /// Whether there are none behind them.
    is_ended: bool,
    /// What came in place of the end.
    error: Option<Error>,
}

impl PreparedStatement {
    /// Runs a query that is half read until its next row or its end, as [`step`](Self::step).
    pub(crate) fn step_on(&mut self, work: Work<'_>) -> Result<Step> {
        if let Some(ahead) = &mut self.ahead {
            ahead.current = ahead.rows.pop_front();
            if let Some(row) = &ahead.current {
                ahead.bytes -= bytes_of(row);
                return Ok(Step::Row);
            }
            if ahead.is_ended {
                return ahead.error.take().map_or(Ok(Step::Done), Err);
            }
            self.ahead = None;
        }
        let step = self.step(work)?;
        // What it has written for itself only now, in its second `SELECT`, say, is no change; see `can_be_half_read`.
        self.statement.set_n_change(0);
        Ok(step)
    }

    /// Leaves the end of the transaction that it runs in to others, or not: the engine ends that of a query that runs outside of
    /// one with the query, also where other queries share it, and these then lose the rows that they have not given yet. It does not
    /// where the query is a part of something else.
    pub(crate) fn share_transaction(&mut self, does_share: bool) {
        self.shares_transaction = does_share;
    }

    /// Reads its rows before anybody asks for them, until they take that many bytes in all. Leaves the end of the transaction to
    /// others. What fails in it is told behind the rows that came before.
    ///
    /// # Errors
    /// That the operation was stopped: between two rows, so that the statement is as good as before, or on the way to the next, which
    /// it then never comes to.
    pub(crate) fn read_ahead(&mut self, bytes: usize, work: Work<'_>) -> Result<()> {
        self.share_transaction(true);
        let mut ahead = self.ahead.take().unwrap_or_default();
        let mut outcome = Ok(());
        while !ahead.is_ended && ahead.bytes < bytes && outcome.is_ok() {
            match self.step(work) {
                Ok(Step::Row) => {
                    let row = self.statement.row().into_iter();
                    let row: Vec<Value> = row.flat_map(|row| row.get_values().map(Value::from_engine)).collect();
                    ahead.bytes += bytes_of(&row);
                    ahead.rows.push_back(row);
                }
                Ok(Step::Done) => ahead.is_ended = true,
                Err(error) => {
                    ahead.is_ended = true;
                    // Stopped on the way to a row, it can't go on.
                    let is_stopped = work.check().is_err();
                    ahead.error = Some(if is_stopped { Error::cut_off_by_others() } else { error });
                }
            }
            outcome = work.check();
        }
        self.statement.set_n_change(0);
        self.ahead = Some(ahead);
        outcome
    }

    /// Whether it has rows that were read ahead and not handed out.
    pub(crate) fn has_rows_ahead(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| !ahead.rows.is_empty())
    }

    /// Whether it has rows that it has yet to read from the database, so that the snapshot that it began with must stay. Versions of
    /// rows have a transaction that the engine keeps for all queries itself.
    pub(crate) fn needs_snapshot(&mut self) -> bool {
        if self.ahead.as_ref().is_some_and(|ahead| ahead.is_ended) {
            return false;
        }
        if self.reads_snapshot.is_none() {
            self.reads_snapshot = Some(self.begins_transaction() && !self.is_versioned());
        }
        self.reads_snapshot.unwrap_or(true)
    }

    /// Whether it has further rows, which are lost then where they were not read ahead.
    pub(crate) fn has_further_rows(&mut self, work: Work<'_>) -> bool {
        match &self.ahead {
            Some(ahead) if !ahead.rows.is_empty() || ahead.error.is_some() => true,
            Some(ahead) if ahead.is_ended => false,
            _ => !matches!(self.step(work), Ok(Step::Done)),
        }
    }

    /// Ends its run, and leaves the rows that were read ahead.
    pub(crate) fn end_behind_rows_ahead(&mut self) -> Result<()> {
        if let Some(ahead) = &mut self.ahead {
            ahead.is_ended = true;
        }
        self.reset_run()
    }
}

/// How many bytes a row takes, about.
fn bytes_of(row: &[Value]) -> usize {
    let of_values = row.iter().map(|value| match value {
        Value::Text(text) => text.len(),
        Value::Blob(blob) => blob.len(),
        _ => 0,
    });
    size_of::<Vec<Value>>() + size_of_val(row) + of_values.sum::<usize>()
}
