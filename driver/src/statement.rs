//! A prepared statement: prepared, bound, and stepped without spinning.

mod tries;

use std::collections::VecDeque;
use std::fmt::{self, Debug, Write};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use turso_core::{Connection, LimboError, Statement, StepResult};

use self::tries::Tries;
use crate::interrupt::Work;
#[cfg(feature = "python")]
use crate::packing::Packing;
use crate::sql;
use crate::{Description, Error, Params, Result, Row, Value};

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

/// Rows that were read before a cursor asked for them, in their order.
#[derive(Default)]
struct Ahead {
    rows: VecDeque<Vec<Value>>,
    /// The one that was handed out last.
    current: Option<Vec<Value>>,
    /// How many bytes the rows take, about.
    bytes: usize,
    /// Whether there are none behind them.
    is_ended: bool,
    /// What came in place of the end.
    error: Option<Error>,
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

    /// Whether its first word is one of those before which a transaction begins; see [`sql::is_dml`].
    pub(crate) fn is_dml(&self) -> bool {
        self.is_dml
    }

    /// Whether it may have inserted rows.
    pub(crate) fn may_insert(&self) -> bool {
        self.may_insert && !self.is_readonly()
    }

    /// Whether it may update rows in place of those that it was to insert (`ON CONFLICT … DO UPDATE`).
    pub(crate) fn may_update_instead(&self) -> bool {
        sql::has_upsert(&self.sql)
    }

    /// Whether it rolls the whole transaction back.
    pub(crate) fn is_rollback(&self) -> bool {
        sql::is_rollback(&self.sql)
    }

    /// Whether it ends a transaction, or may do so, and keeps what was done in it.
    pub(crate) fn is_commit(&self) -> bool {
        !self.asks_or_changes_rows() && sql::is_commit(&self.sql)
    }

    /// Whether it ends a savepoint.
    pub(crate) fn is_release(&self) -> bool {
        sql::is_release(&self.sql)
    }

    /// Whether it begins a transaction or a savepoint.
    pub(crate) fn begins_something(&self) -> bool {
        !self.asks_or_changes_rows() && sql::is_begin(&self.sql)
    }

    /// Whether it is a `PRAGMA` that asks for something and sets nothing.
    pub(crate) fn asks_for_fact(&self) -> bool {
        !self.asks_or_changes_rows() && self.is_readonly() && sql::asks_for_fact(&self.sql)
    }

    /// Whether it gives pages back from which another statement may be reading.
    pub(crate) fn drops_pages(&self) -> bool {
        // With `IF EXISTS`, and nothing there, it opens no table and drops nothing.
        sql::drops_pages(&self.sql) && self.opens_tables()
    }

    /// Whether it reads from tables or writes to them, those apart that the engine makes for the statement alone: the queue of
    /// `WITH RECURSIVE`, say.
    pub(crate) fn opens_tables(&self) -> bool {
        self.has_instruction(OPENS_TABLE)
    }

    /// Whether it reads from the database while it is half read: all do but a query of no table, or of a connection's setting.
    pub(crate) fn reads(&self) -> bool {
        self.opens_tables() || !(self.is_query || sql::asks_for_setting(&self.sql))
    }

    /// Whether it inserts, changes or deletes rows.
    pub(crate) fn changes_rows(&self) -> bool {
        self.statement.get_program().change_cnt_on
    }

    /// Whether it makes an index: the engine counts its entries as changes.
    pub(crate) fn makes_index(&self) -> bool {
        !self.is_dml && self.changes_rows() && sql::is_definition(&self.sql)
    }

    /// Whether it is a `CREATE TABLE … AS`, which fails where its query does.
    pub(crate) fn makes_table_of_query(&self) -> bool {
        sql::makes_table_of_query(&self.sql)
    }

    /// Whether it is a query, or inserts, changes or deletes rows: no `BEGIN`, no `PRAGMA`, nothing that changes the schema.
    pub(crate) fn asks_or_changes_rows(&self) -> bool {
        self.is_query || self.changes_rows()
    }

    /// Whether the engine, where it fails inside of a transaction, takes back what it did by a savepoint of its own.
    pub(crate) fn is_undone_alone(&self) -> bool {
        let program = self.statement.get_program();
        program.needs_stmt_subtransactions.load(Ordering::Relaxed)
    }

    /// Has the engine take back what it did by a savepoint of its own, where a function may fail in it inside of a transaction: the
    /// engine has one only for what changes several rows, and rolls the whole transaction back otherwise.
    pub(crate) fn undo_alone(&mut self) {
        let program = self.statement.get_program();
        let note = &program.needs_stmt_subtransactions;
        if self.looked_at.as_ref().is_some_and(|known| Arc::ptr_eq(known, note)) {
            return;
        }
        let note = Arc::clone(note);
        self.told_at = None;
        if !note.load(Ordering::Relaxed) && self.has_instruction(MAY_FAIL) {
            note.store(true, Ordering::Relaxed);
            self.told_at = Some(program.connection.current_schema().schema_version);
        }
        self.looked_at = Some(note);
    }

    /// Has the engine take back what it did by a savepoint of its own, whatever fails in it.
    pub(crate) fn undo_alone_always(&mut self) {
        let program = self.statement.get_program();
        let note = Arc::clone(&program.needs_stmt_subtransactions);
        note.store(true, Ordering::Relaxed);
        self.told_at = Some(program.connection.current_schema().schema_version);
        self.looked_at = Some(note);
    }

    /// Whether it was told to be undone alone, and the engine is going to prepare it anew, and to forget that.
    pub(crate) fn is_undone_no_more(&self) -> bool {
        let program = self.statement.get_program();
        self.told_at.is_some_and(|version| {
            version != program.connection.current_schema().schema_version
                || !program.is_compatible_with(&program.connection)
        })
    }

    /// Whether it is a query that changes nothing: one whose failure leaves nothing to undo.
    pub(crate) fn is_reader(&self) -> bool {
        self.is_query && self.is_readonly()
    }

    /// Whether the engine begins a transaction for it, or looks for the snapshot of the one that is open.
    pub(crate) fn begins_transaction(&mut self) -> bool {
        if self.begins_transaction.is_none() {
            self.begins_transaction = Some(self.has_instruction(&["Transaction"]));
        }
        self.begins_transaction.unwrap_or(true)
    }

    /// Tells it that the transaction that it runs in has its snapshot, if it needs one.
    pub(crate) fn has_snapshot(&mut self) {
        self.has_snapshot = true;
    }

    /// Whether all of its instructions are of these, and write to the main database alone.
    pub(crate) fn consists_of(&self, names: &[&str]) -> bool {
        let program = self.statement.get_program();
        program.insns.iter().all(|(instruction, _)| {
            is_one_of(instruction, names)
                && (!is_one_of(instruction, &["OpenWrite"]) || format!("{instruction:?}").contains("db: 0"))
        })
    }

    /// Whether the engine keeps versions of rows in memory for it (`journal_mode = mvcc`).
    pub(crate) fn is_versioned(&self) -> bool {
        self.statement.mv_store().is_some()
    }

    fn has_instruction(&self, names: &[&str]) -> bool {
        let program = self.statement.get_program();
        program
            .insns
            .iter()
            .any(|(instruction, _)| is_one_of(instruction, names))
    }

    /// Whether it can be left half read: whether it only asks, and has written nothing for itself so far. The engine counts
    /// the rows that a query with a window function writes to a table of its own as changes, and panics when such a query is
    /// ended early beside a write.
    pub(crate) fn can_be_half_read(&self) -> bool {
        self.is_readonly() && self.counted_changes() == 0
    }

    /// How many changes the engine has counted in its run.
    pub(crate) fn counted_changes(&self) -> i64 {
        self.statement.n_change()
    }

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

    /// Whether the engine would prepare it anew at its next run, and end the transaction that others share for that.
    pub(crate) fn is_outdated(&self) -> bool {
        is_outdated(&self.statement, self.schema)
    }

    /// Whether it leaves the database file as it is.
    pub(crate) fn is_readonly(&self) -> bool {
        let program = self.statement.get_program();
        // The engine takes a query with a window function for one that writes, because it writes to a table of its own.
        program.is_readonly() || self.is_query && !program.change_cnt_on
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

    /// How many parameters it has.
    pub(crate) fn parameters_count(&self) -> usize {
        self.statement.parameters_count()
    }

    /// Binds values to its parameters, all of them.
    ///
    /// # Errors
    /// In `sqlite3`'s words: [`Error::Programming`] if the number of values is wrong or a name is missing.
    pub(crate) fn bind(&mut self, parameters: Params) -> Result<()> {
        let needed = self.statement.parameters_count();
        match parameters {
            Params::None => self.bind_positional(needed, Vec::new()),
            Params::Positional(values) => self.bind_positional(needed, values),
            Params::Named(values) => self.bind_named(needed, values),
            waiting => {
                let known = self.looked_up(waiting)?;
                self.bind(known)
            }
        }
    }

    /// The parameters for this statement, with what has to be asked for asked for, in the statement's order: what
    /// `sqlite3` does while it binds.
    ///
    /// # Errors
    /// As [`bind`](Self::bind), and those of the source.
    pub(crate) fn looked_up(&self, parameters: Params) -> Result<Params> {
        let needed = self.statement.parameters_count();
        match parameters {
            Params::Lookup(lookup) => (1..=needed)
                .map_while(NonZero::new)
                .map(|index| {
                    let name = self.parameter_name(index)?;
                    lookup.find(&name, index.get())?.ok_or_else(|| missing_value(&name))
                })
                .collect::<Result<Vec<Value>>>()
                .map(Params::Positional),
            Params::Unfit(unfit) => Err(unfit.refusal(needed)),
            known => Ok(known),
        }
    }

    /// The name of a parameter, without the sign before it (`:`, `@`, `$` or `?`).
    fn parameter_name(&self, index: NonZero<usize>) -> Result<String> {
        let mut name = self.statement.parameters().name(index).ok_or_else(|| {
            Error::programming(format!(
                "Binding {index} has no name, but you supplied a dictionary (which has only names)."
            ))
        })?;
        Ok(name.split_off(1))
    }

    fn bind_positional(&mut self, needed: usize, values: Vec<Value>) -> Result<()> {
        if values.len() != needed {
            return Err(Error::wrong_number_of_values(needed, values.len()));
        }
        (1..)
            .map_while(NonZero::new)
            .zip(values)
            .try_for_each(|(index, value)| self.bind_value(index, value))
    }

    fn bind_named(&mut self, needed: usize, values: Vec<(String, Value)>) -> Result<()> {
        for index in (1..=needed).map_while(NonZero::new) {
            let name = self.parameter_name(index)?;
            // Of two values for one name the last counts.
            let value = values.iter().rev().find(|(given, _)| *given == name);
            let value = value.ok_or_else(|| missing_value(&name))?.1.clone();
            self.bind_value(index, value)?;
        }
        Ok(())
    }

    fn bind_value(&mut self, index: NonZero<usize>, value: Value) -> Result<()> {
        self.statement.bind_at(index, value.into_engine()).map_err(Error::from)
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

/// How many bytes a row takes, about.
fn bytes_of(row: &[Value]) -> usize {
    let of_values = row.iter().map(|value| match value {
        Value::Text(text) => text.len(),
        Value::Blob(blob) => blob.len(),
        _ => 0,
    });
    size_of::<Vec<Value>>() + size_of_val(row) + of_values.sum::<usize>()
}

/// The instructions of the engine that open a table or an index of a database, or a virtual table, which may read from one.
const OPENS_TABLE: &[&str] = &["OpenRead", "OpenWrite", "VOpen"];

/// The instructions in which a function fails.
const MAY_FAIL: &[&str] = &["Function", "AggStep", "AggFinal", "AggValue", "VFilter", "VNext"];

/// Whether an instruction of the engine is one of those.
fn is_one_of(instruction: &impl Debug, names: &[&str]) -> bool {
    // Their type is not public: its variants can be told apart by their names alone, those that `EXPLAIN` gives too.
    let mut name = FirstWord::default();
    // It fails behind the name.
    let _ = write!(name, "{instruction:?}");
    names.contains(&name.0.as_str())
}

/// Keeps the first word of what is written, and refuses the rest, so that nobody goes on writing.
#[derive(Default)]
struct FirstWord(String);

impl Write for FirstWord {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let word = text.split(|character: char| !character.is_alphanumeric()).next();
        let word = word.unwrap_or_default();
        self.0.push_str(word);
        if word.len() < text.len() {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
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

fn missing_value(name: &str) -> Error {
    Error::programming(format!("You did not supply a value for binding parameter :{name}."))
}
