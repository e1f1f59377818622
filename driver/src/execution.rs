//! What a cursor does: the run of a statement from its first step to its last row, by the rules of CPython's
//! `Modules/_sqlite/cursor.c`.

#[cfg(feature = "python")]
mod packed;

mod attempt;
mod many;

use std::collections::VecDeque;

use turso_core::LimboError;

use crate::engine::{Engine, StatementKey};
use crate::interrupt::Work;
use crate::session::Shared;
use crate::statement::{PreparedStatement, Step};
use crate::{Autocommit, Description, Error, Params, ParamsSequence, Result, Row};

/// A cursor's last statement: what is left of its rows, and what is known of it.
pub(crate) struct Execution {
    pub(crate) description: Option<Description>,
    pub(crate) rowcount: i64,
    pub(crate) lastrowid: Option<i64>,
    /// The statement from which more rows can be read, one row ahead of what was handed out.
    half_read: Option<StatementKey>,
    /// Rows that were read and not handed out: one of a query, all of a statement that changes data.
    ready: VecDeque<Row>,
    /// What `rowcount` becomes when the last row of `ready` is handed out.
    rowcount_at_end: Option<i64>,
}

impl Default for Execution {
    fn default() -> Self {
        Self {
            description: None,
            rowcount: -1,
            lastrowid: None,
            half_read: None,
            ready: VecDeque::new(),
            rowcount_at_end: None,
        }
    }
}

impl Execution {
    /// Runs one statement.
    pub(crate) fn execute(&mut self, shared: &Shared, sql: &str, parameters: Params) -> Result<()> {
        let result = if parameters.wait_for_statement() {
            self.execute_and_ask(shared, sql, parameters)
        } else {
            shared.operate(|engine, work| match self.prepare(shared, engine, sql, work)? {
                Some(statement) => self.run_once(engine, statement, parameters, work),
                None => refuse_parameters(&parameters),
            })
        };
        self.forget_on_error(result)
    }

    /// Runs one statement whose values are asked for when it is prepared and its transaction has begun, as in `sqlite3`.
    /// Their source may use this connection itself, so it is asked while the engine is free.
    fn execute_and_ask(&mut self, shared: &Shared, sql: &str, parameters: Params) -> Result<()> {
        let operation = shared.begin();
        let Some(statement) = operation.part(|engine, work| self.prepare(shared, engine, sql, work))? else {
            return refuse_parameters(&parameters);
        };
        match statement.looked_up(parameters) {
            Ok(parameters) => operation.part(|engine, work| self.run_once(engine, statement, parameters, work)),
            Err(error) => {
                operation.part(|engine, _| engine.give_back(statement))?;
                Err(error)
            }
        }
    }

    /// What comes before the values: the statement is prepared and its transaction begins. `None` if there is nothing but
    /// comments.
    fn prepare(
        &mut self,
        shared: &Shared,
        engine: &mut Engine,
        sql: &str,
        work: Work<'_>,
    ) -> Result<Option<Box<PreparedStatement>>> {
        self.start(engine);
        let statement = engine.statement(sql, work)?;
        if let Some(statement) = &statement {
            self.begin(shared, engine, statement, work)?;
        }
        Ok(statement)
    }

    fn run_once(
        &mut self,
        engine: &mut Engine,
        mut statement: Box<PreparedStatement>,
        parameters: Params,
        work: Work<'_>,
    ) -> Result<()> {
        if let Err(error) = engine.bind(&mut statement, parameters, work) {
            engine.give_back(statement)?;
            return Err(error);
        }
        match self.run(engine, &mut statement, work) {
            Ok(Progress::Ended) => engine.give_back(statement)?,
            Ok(Progress::HalfRead) => self.half_read = Some(engine.keep(statement)),
            Err(error) => return Err(engine.abandon(statement, error, work)),
        }
        self.lastrowid = Some(engine.last_insert_rowid());
        Ok(())
    }

    /// Runs one statement once for each set of parameters.
    pub(crate) fn executemany(&mut self, shared: &Shared, sql: &str, sequence: ParamsSequence) -> Result<()> {
        let operation = shared.begin();
        let result = self.run_for_each(shared, &operation, sql, sequence);
        self.forget_on_error(result)
    }

    /// Runs all statements of a script.
    pub(crate) fn executescript(&mut self, shared: &Shared, script: &str) -> Result<()> {
        if script.contains('\0') {
            return Err(Error::programming("the script contains a null character"));
        }
        shared.operate(|engine, work| {
            if shared.autocommit() == Autocommit::Legacy {
                engine.commit(Autocommit::Legacy, work)?;
            }
            let mut rest = script;
            while let Some((mut statement, length)) = engine.first_statement(rest, work)? {
                if let Err(error) = run_to_end(engine, &mut statement, work) {
                    return Err(engine.drop_failed(statement, error, work));
                }
                rest = &rest[length..];
            }
            Ok(())
        })
    }

    /// The next row.
    pub(crate) fn fetch(&mut self, shared: &Shared) -> Result<Option<Row>> {
        if self.half_read.is_none() {
            return Ok(self.next_ready());
        }
        shared.operate(|engine, work| self.next(engine, work))
    }

    /// The next rows, no more than `size`.
    pub(crate) fn fetch_many(&mut self, shared: &Shared, size: usize) -> Result<Vec<Row>> {
        if self.half_read.is_none() {
            return Ok(std::iter::from_fn(|| self.next_ready()).take(size).collect());
        }
        shared.operate(|engine, work| {
            std::iter::from_fn(|| self.next(engine, work).transpose())
                .take(size)
                .collect()
        })
    }

    /// Ends the statement and drops its rows.
    pub(crate) fn end(&mut self, shared: &Shared) -> Result<()> {
        self.ready.clear();
        self.rowcount_at_end = None;
        match self.half_read.take() {
            Some(key) => shared.operate(|engine, _| engine.release(key)),
            None => Ok(()),
        }
    }

    /// Ends the statement without waiting for the engine.
    pub(crate) fn abandon(&mut self, shared: &Shared) {
        if let Some(key) = self.half_read.take() {
            shared.abandon(key);
        }
    }

    /// Drops what is left of the last statement.
    fn start(&mut self, engine: &mut Engine) {
        self.ready.clear();
        self.description = None;
        self.rowcount = -1;
        self.rowcount_at_end = None;
        if let Some(key) = self.half_read.take() {
            // What a query that nobody reads any more has to say is of no interest to the next statement.
            let _ = engine.release(key);
        }
    }

    /// What comes before the first step: the count of changes starts, and a transaction begins if the mode wants one.
    fn begin(
        &mut self,
        shared: &Shared,
        engine: &mut Engine,
        statement: &PreparedStatement,
        work: Work<'_>,
    ) -> Result<()> {
        if !statement.is_dml() {
            return Ok(());
        }
        self.rowcount = 0;
        engine.begin_before_dml(shared.autocommit(), shared.isolation_level(), work)
    }

    /// Runs a statement: a query as far as its first row, one that changes data to its end.
    fn run(&mut self, engine: &mut Engine, statement: &mut PreparedStatement, work: Work<'_>) -> Result<Progress> {
        prepare_half_read_for(engine, statement, work)?;
        let rowid_before = engine.core().last_insert_rowid();
        let around = engine.begin_around(statement, work)?;
        let outcome = self
            .run_steps(engine, statement, rowid_before, work)
            .inspect_err(|error| note_failure(engine, statement, error, rowid_before));
        engine.end_around(around, statement, outcome, work)
    }

    fn run_steps(
        &mut self,
        engine: &mut Engine,
        statement: &mut PreparedStatement,
        rowid_before: i64,
        work: Work<'_>,
    ) -> Result<Progress> {
        let first = statement.step(work)?;
        self.description = statement.description();
        if first == Step::Row {
            self.ready.push_back(statement.row());
            if statement.can_be_half_read() {
                return Ok(Progress::HalfRead);
            }
            while statement.step(work)? == Step::Row {
                self.ready.push_back(statement.row());
            }
        }
        engine.note_insert(statement, rowid_before);
        if statement.is_dml() {
            let changes = engine.changes();
            if self.ready.is_empty() {
                self.rowcount += changes;
            } else {
                self.rowcount_at_end = Some(changes);
            }
        }
        Ok(Progress::Ended)
    }

    /// The next row, and behind it one row ahead.
    fn next(&mut self, engine: &mut Engine, work: Work<'_>) -> Result<Option<Row>> {
        let row = self.next_ready();
        let ahead = self.advance(engine, work, row.is_some(), PreparedStatement::row)?;
        self.ready.extend(ahead);
        Ok(row)
    }

    /// Runs the half-read statement, if there is one, until its next row, and has that read; `None` at its end. `has_row` says
    /// whether the row before it is yet to be handed out.
    fn advance<T>(
        &mut self,
        engine: &mut Engine,
        work: Work<'_>,
        has_row: bool,
        read: impl FnOnce(&mut PreparedStatement) -> T,
    ) -> Result<Option<T>> {
        let Some(key) = self.half_read else {
            return Ok(None);
        };
        let shares_transaction = engine.is_beside_others(Some(key));
        let began_outside = engine.began_outside(key);
        let step = match engine.half_read(key) {
            Some(statement) => {
                statement.share_transaction(shares_transaction);
                let step = if began_outside {
                    // The engine takes the transaction for the query's own, and would roll it back with the query. So the
                    // query is stopped between two rows alone.
                    work.check().and_then(|()| work.shielded(|| statement.step_on(work)))
                } else {
                    statement.step_on(work)
                };
                step.map(|step| match step {
                    Step::Row => Some(read(statement)),
                    Step::Done => None,
                })
            }
            None => match engine.cut_off_error(key) {
                // The row that was read before is still good.
                Some(_) if has_row => return Ok(None),
                Some(error) => Err(error),
                None => Ok(None),
            },
        };
        match step {
            Ok(Some(ahead)) => Ok(Some(ahead)),
            Ok(None) => {
                self.half_read = None;
                engine.release_read(key)?;
                Ok(None)
            }
            Err(error) => {
                self.half_read = None;
                Err(engine.abandon_read(key, error, work))
            }
        }
    }

    /// The next of the rows that were read already.
    fn next_ready(&mut self) -> Option<Row> {
        let row = self.ready.pop_front();
        if self.ready.is_empty()
            && let Some(changes) = self.rowcount_at_end.take()
        {
            self.rowcount = changes;
        }
        row
    }

    /// A call that fails leaves nothing to read and nothing counted.
    pub(crate) fn fail<T>(&mut self, error: Error) -> Result<T> {
        self.ready.clear();
        self.rowcount = -1;
        self.rowcount_at_end = None;
        Err(error)
    }

    fn forget_on_error(&mut self, result: Result<()>) -> Result<()> {
        result.or_else(|error| self.fail(error))
    }
}

/// Whether a statement has more rows to give.
enum Progress {
    /// It gave its first row.
    HalfRead,
    /// It gave all.
    Ended,
}

/// What a statement may do to those that are half read is done before it, or refused.
fn prepare_half_read_for(engine: &mut Engine, statement: &PreparedStatement, work: Work<'_>) -> Result<()> {
    engine.refuse_drop_while_reading(statement)?;
    #[cfg(feature = "sync")]
    engine.refuse_what_can_not_be_pushed(statement, work)?;
    if statement.is_rollback() {
        engine.cut_off_half_read(work);
    }
    Ok(())
}

/// What a statement that failed has left behind.
fn note_failure(engine: &mut Engine, statement: &PreparedStatement, error: &Error, rowid_before: i64) {
    engine.note_failed_insert(statement, rowid_before);
    // What was refused because it reads what is out of date has done nothing, and nothing is undone.
    if !matches!(
        error.fault().engine_error(),
        Some(LimboError::Busy | LimboError::BusySnapshot)
    ) {
        engine.cut_off_behind(statement);
    }
}

/// Runs a statement of a script, whose rows are dropped.
fn run_to_end(engine: &mut Engine, statement: &mut PreparedStatement, work: Work<'_>) -> Result<()> {
    prepare_half_read_for(engine, statement, work)?;
    let rowid_before = engine.core().last_insert_rowid();
    let around = engine.begin_around(statement, work)?;
    let outcome = loop {
        match statement.step(work) {
            Ok(Step::Row) => {}
            Ok(Step::Done) => {
                engine.note_insert(statement, rowid_before);
                break Ok(());
            }
            Err(error) => {
                note_failure(engine, statement, &error, rowid_before);
                break Err(error);
            }
        }
    };
    let outcome = engine.end_around(around, statement, outcome, work);
    engine.settle_snapshot();
    outcome
}

/// The check of parameters for SQL that holds nothing but comments.
fn refuse_parameters(parameters: &Params) -> Result<()> {
    match parameters {
        Params::Positional(values) if !values.is_empty() => Err(Error::wrong_number_of_values(0, values.len())),
        Params::Unfit(unfit) => Err(unfit.refusal(0)),
        _ => Ok(()),
    }
}
