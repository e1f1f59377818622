//! A prepared statement: prepared, bound, and stepped without spinning.

mod ahead;
mod binding;
mod kinds;
mod tries;
mod undo;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use turso_core::{Connection, LimboError, Statement, StepResult};

use self::ahead::Ahead;
use self::tries::Tries;
use crate::interrupt::Work;
#[cfg(feature = "python")]
use crate::packing::Packing;
use crate::sql;
use crate::{Description, Error, Result, Row, Value};

/// How long to sleep between two tries to prepare a statement while another connection holds a lock.
const PREPARE_RETRY: Duration = Duration::from_millis(2);

/// What a step of a statement gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A row, which [`PreparedStatement::row`] reads.
    Row,
    /// The statement has ended.
    Done,
}

/// A prepared statement and what the driver knows of it.
pub(crate) struct PreparedStatement {
    statement: Statement,
    sql: Arc<str>,
    is_dml: bool,
    may_insert: bool,
    is_query: bool,
    /// Whether it has been made ready for another run.
    has_run: bool,
    /// Whether the transaction that it runs in has its snapshot: see [`PreparedStatement::step`].
    has_snapshot: bool,
    /// Whether the engine begins a transaction for it; `None` if nobody has looked.
    begins_transaction: Option<bool>,
    /// The engine's note whether its program is undone alone, once that has been looked at; another if it was prepared anew since.
    looked_at: Option<Arc<AtomicBool>>,
    /// The version of the schema at which it was told to be undone alone.
    told_at: Option<u32>,
    /// The columns as they were when they were last looked at.
    description: Option<Description>,
    tries: Tries,
    /// The version of the schema that it was prepared for, or an earlier one.
    schema: u32,
    /// Whether it leaves the end of the transaction that it runs in to others: see [`PreparedStatement::share_transaction`].
    shares_transaction: bool,
    /// Whether it reads from a snapshot in this run, if that was asked.
    reads_snapshot: Option<bool>,
    /// Its rows that were read before anybody asked for them.
    ahead: Option<Box<Ahead>>,
}

impl PreparedStatement {
    /// Prepares the one statement of the SQL; `None` if there is nothing but comments.
    ///
    /// Waits for a lock, asleep, until the operation's end or for as long as `busy_timeout` says.
    pub(crate) fn prepare(
        core: &Arc<turso_core::Connection>,
        sql: &str,
        busy_timeout: Duration,
        work: Work<'_>,
    ) -> Result<Option<Self>> {
        if sql.contains('\0') {
            return Err(Error::programming("the query contains a null character"));
        }
        match Self::prepare_first(core, sql, busy_timeout, work)? {
            Some((_, end)) if !sql::skip_blank(&sql[end..]).is_empty() || sql::ends_in_semicolons(&sql[..end]) => {
                Err(Error::programming("You can only execute one statement at a time."))
            }
            Some((statement, _)) => Ok(Some(statement)),
            None => Ok(None),
        }
    }

    /// Prepares the first statement of a script; with it, where the rest of the script begins.
    pub(crate) fn prepare_first(
        core: &Arc<turso_core::Connection>,
        sql: &str,
        busy_timeout: Duration,
        work: Work<'_>,
    ) -> Result<Option<(Self, usize)>> {
        let started = Instant::now();
        let begin = sql::byte_order_mark(sql);
        loop {
            work.check()?;
            match core.consume_stmt(&sql[begin..]) {
                Ok(None) => return Ok(None),
                Ok(Some((statement, end))) => {
                    let sql = Arc::from(sql);
                    let (is_dml, may_insert, is_query) =
                        (sql::is_dml(&sql), sql::may_insert(&sql), sql::is_query(&sql));
                    return Ok(Some((
                        Self {
                            schema: schema_of(&statement),
                            statement,
                            sql,
                            is_dml,
                            may_insert,
                            is_query,
                            has_run: false,
                            has_snapshot: false,
                            begins_transaction: None,
                            looked_at: None,
                            told_at: None,
                            description: None,
                            tries: Tries::default(),
                            shares_transaction: false,
                            reads_snapshot: None,
                            ahead: None,
                        },
                        begin + end,
                    )));
                }
                Err(LimboError::Busy) if started.elapsed() < busy_timeout => {
                    work.sleep(PREPARE_RETRY)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Its SQL as it was given.
    pub(crate) fn sql(&self) -> &Arc<str> {
        &self.sql
    }

    /// Whether it was prepared for an earlier run: the schema may have changed since.
    pub(crate) fn has_run(&self) -> bool {
        self.has_run
    }

    /// Tells it that the transaction that it runs in has its snapshot, if it needs one.
    pub(crate) fn has_snapshot(&mut self) {
        self.has_snapshot = true;
    }

    /// The columns of its rows; `None` if it gives none. Asked after the first step, because that is when the engine
    /// prepares it again if the schema has changed.
    pub(crate) fn description(&mut self) -> Option<Description> {
        let count = self.statement.num_columns();
        if count == 0 {
            return None;
        }
        let names = || (0..count).map(|index| self.statement.get_column_name(index));
        let is_current = self
            .description
            .as_ref()
            .is_some_and(|known| known.len() == count && known.names().zip(names()).all(|(old, new)| old == new));
        if !is_current {
            self.description = Some(Description::new(names()));
        }
        self.description.clone()
    }

    /// Runs it until its next row or its end. Sleeps while another connection holds a lock.
    ///
    /// When a query fails inside of a transaction, the engine rolls the whole transaction back, with all that was done in it.
    /// It does not where the query is a part of another statement. Such a part is begun in its transaction, so that must have
    /// its snapshot: as soon as the query has given a row, or from the beginning, if it is told so.
    ///
    /// # Errors
    /// The engine's, or that the operation was stopped. The statement is of no further use before it is reset.
    pub(crate) fn step(&mut self, work: Work<'_>) -> Result<Step> {
        loop {
            work.check()?;
            match self.step_in_transaction()? {
                StepResult::Row => {
                    self.has_snapshot = true;
                    return Ok(Step::Row);
                }
                StepResult::Done => return Ok(Step::Done),
                StepResult::IO => self.statement._io().step()?,
                StepResult::Yield => {
                    self.statement._io().step()?;
                    std::thread::yield_now();
                }
                StepResult::Sleep { duration } => work.sleep(duration)?,
                StepResult::Busy => return Err(LimboError::Busy.into()),
                StepResult::Interrupt => return Err(work.stop_error()),
            }
        }
    }

    fn step_in_transaction(&mut self) -> std::result::Result<StepResult, LimboError> {
        let connection = &self.statement.get_program().connection;
        let is_part_of_transaction = self.has_snapshot && !connection.get_auto_commit() && self.is_reader();
        if !self.shares_transaction && !is_part_of_transaction {
            return self.statement.step();
        }
        let connection = Arc::clone(connection);
        let _nested = Nested::new(&connection);
        self.statement.step()
    }

    /// The row that the last step gave.
    pub(crate) fn row(&mut self) -> Row {
        let ahead = self.ahead.as_mut().and_then(|ahead| ahead.current.take());
        let values = match (ahead, self.statement.row()) {
            (Some(values), _) => values,
            (None, Some(row)) => row.get_values().map(Value::from_engine).collect(),
            (None, None) => Vec::new(),
        };
        let description = match &self.description {
            Some(known) => known.clone(),
            None => self.description().unwrap_or_else(|| Description::new::<String>([])),
        };
        Row::new(values, description)
    }

    /// Puts the row that the last step gave to others of its result set, the first of which [`row`](Self::row) gave.
    #[cfg(feature = "python")]
    pub(crate) fn pack(&mut self, packing: &mut Packing) {
        if let Some(row) = self.ahead.as_mut().and_then(|ahead| ahead.current.take()) {
            packing.put_more(row.iter());
        } else if let Some(row) = self.statement.row() {
            packing.put_more(row.get_values());
        }
    }

    /// Ends its run, forgets its bindings, and makes it ready for the next.
    pub(crate) fn reset(&mut self) -> Result<()> {
        self.ahead = None;
        self.reset_run()?;
        self.statement.clear_bindings();
        self.has_run = true;
        self.has_snapshot = false;
        self.shares_transaction = false;
        self.reads_snapshot = None;
        Ok(())
    }

    fn reset_run(&mut self) -> Result<()> {
        if self.shares_transaction {
            let connection = Arc::clone(&self.statement.get_program().connection);
            let _nested = Nested::new(&connection);
            return Ok(self.statement.reset()?);
        }
        Ok(self.statement.reset()?)
    }

    /// Drops it, and leaves the end of the transaction to others, if it was told to.
    pub(crate) fn abolish(mut self) {
        // It is dropped whatever it says.
        let _ = self.reset_run();
    }
}

/// The version of the schema that the connection of a statement knows.
pub(crate) fn schema_of(statement: &Statement) -> u32 {
    statement.get_program().connection.current_schema().schema_version
}

/// Whether the engine would prepare a statement anew, which was prepared for that version of the schema.
pub(crate) fn is_outdated(statement: &Statement, schema: u32) -> bool {
    let program = statement.get_program();
    schema != schema_of(statement) || !program.is_compatible_with(&program.connection)
}

/// Has the connection run something as a part of something else, as the engine runs a trigger: an error in it takes no transaction
/// along. Until it is dropped.
pub(crate) struct Nested<'a>(&'a Connection);

impl<'a> Nested<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        connection.start_nested();
        Self(connection)
    }
}

impl Drop for Nested<'_> {
    fn drop(&mut self) {
        self.0.end_nested();
    }
}
