//! What one operation at a time may use of the engine: its connection, the kept statements and those half read.

use std::sync::Arc;
use std::time::Duration;

use turso_core::LimboError;

use crate::cache::StatementCache;
use crate::interrupt::Work;
use crate::log_file::LogFile;
#[cfg(feature = "sync")]
use crate::sql::{self, HardToPush};
use crate::statement::{PreparedStatement, Step};
use crate::{Autocommit, Error, IsolationLevel, Params, Result};

/// Where a statement that a cursor reads from stands. It is the cursor's alone until it gives it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatementKey(usize);

/// The engine behind a connection. A statement that a cursor has half read stays here and not in the cursor, so that
/// closing the connection can end it.
pub(crate) struct Engine {
    core: Arc<turso_core::Connection>,
    cache: StatementCache,
    half_read: Vec<Option<HalfRead>>,
    free: Vec<usize>,
    /// Statements that nobody reads any more and that must not be ended before the open transaction is.
    waiting: Vec<PreparedStatement>,
    busy_timeout: Duration,
    last_insert_rowid: i64,
    log: LogFile,
    /// Set where changes are pushed to a server.
    #[cfg(feature = "sync")]
    last_pushed: Option<LastPushed>,
}

/// Tells the last change that was pushed; `None` if it can't be told.
#[cfg(feature = "sync")]
pub(crate) type LastPushed = Box<dyn Fn() -> Option<i64> + Send>;

/// A statement that a cursor reads from.
struct HalfRead {
    /// `None` once it is at its end, or was cut off.
    statement: Option<Box<PreparedStatement>>,
    /// Whether a transaction was open when it began.
    in_transaction: bool,
    /// Whether a rollback came before its last row.
    is_cut_off: bool,
}

impl Engine {
    pub(crate) fn new(core: Arc<turso_core::Connection>, cached_statements: usize, busy_timeout: Duration) -> Self {
        let cache = StatementCache::new(cached_statements);
        let log = LogFile::of(&core);
        Self {
            core,
            cache,
            half_read: Vec::new(),
            free: Vec::new(),
            waiting: Vec::new(),
            busy_timeout,
            last_insert_rowid: 0,
            log,
            #[cfg(feature = "sync")]
            last_pushed: None,
        }
    }

    /// The engine's connection.
    pub(crate) fn core(&self) -> &turso_core::Connection {
        &self.core
    }

    /// How many rows the last statement changed.
    pub(crate) fn changes(&self) -> i64 {
        self.core.changes()
    }

    /// The rowid of the row that was inserted last; 0 before the first.
    pub(crate) fn last_insert_rowid(&self) -> i64 {
        self.last_insert_rowid
    }

    /// Notes what a statement that has ended has inserted. The engine's own note is changed also by rows that it inserts
    /// for itself: for a window function, an index or `ANALYZE`.
    pub(crate) fn note_insert(&mut self, statement: &PreparedStatement) {
        if statement.may_insert() && self.core.changes() > 0 {
            self.last_insert_rowid = self.core.last_insert_rowid();
        }
    }

    /// Notes what a statement has inserted before it failed: SQLite keeps that too, also when the rows are gone.
    pub(crate) fn note_failed_insert(&mut self, statement: &PreparedStatement, rowid_before: i64) {
        let rowid = self.core.last_insert_rowid();
        if statement.may_insert() && rowid != rowid_before {
            self.last_insert_rowid = rowid;
        }
    }

    /// Whether a transaction is open.
    pub(crate) fn in_transaction(&self) -> bool {
        !self.core.get_auto_commit()
    }

    /// The one statement of that SQL, from the cache or prepared; `None` if there is nothing but comments.
    pub(crate) fn statement(&mut self, sql: &str, work: Work<'_>) -> Result<Option<Box<PreparedStatement>>> {
        match self.cache.take(sql) {
            Some(kept) => Ok(Some(kept)),
            None => self.prepare(sql, work),
        }
    }

    fn prepare(&self, sql: &str, work: Work<'_>) -> Result<Option<Box<PreparedStatement>>> {
        let prepared = PreparedStatement::prepare(&self.core, sql, self.busy_timeout, work)?;
        Ok(prepared.map(Box::new))
    }

    /// Binds values to the parameters of a statement that is to run next.
    ///
    /// The engine, where it finds that the schema has changed since a statement was prepared that neither asks nor changes
    /// rows, lets go of what is read beside it: the rows would end too early. So one that was kept is prepared anew there; but
    /// what is wrong with the values is told first, as in `sqlite3`, which has kept it too.
    pub(crate) fn bind(
        &self,
        statement: &mut Box<PreparedStatement>,
        parameters: Params,
        work: Work<'_>,
    ) -> Result<()> {
        if statement.has_run() && !statement.asks_or_changes_rows() && self.is_half_read() {
            statement.bind(parameters.clone())?;
            if let Some(anew) = self.prepare(statement.sql(), work)? {
                *statement = anew;
            }
        }
        statement.bind(parameters)
    }

    /// Whether a cursor has a statement that is not at its end.
    fn is_half_read(&self) -> bool {
        self.half_read.iter().flatten().any(|other| other.statement.is_some())
    }

    /// The first statement of a script, and where the rest of the script begins; `None` if there is no statement left.
    pub(crate) fn first_statement(&self, script: &str, work: Work<'_>) -> Result<Option<(PreparedStatement, usize)>> {
        PreparedStatement::prepare_first(&self.core, script, self.busy_timeout, work)
    }

    /// Gives back a statement that has ended, for the next time.
    pub(crate) fn give_back(&mut self, mut statement: Box<PreparedStatement>) -> Result<()> {
        statement.reset()?;
        self.cache.put(statement);
        Ok(())
    }

    /// Keeps a statement that a cursor reads from.
    pub(crate) fn keep(&mut self, statement: Box<PreparedStatement>) -> StatementKey {
        let half_read = Some(HalfRead {
            statement: Some(statement),
            in_transaction: self.in_transaction(),
            is_cut_off: false,
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
        self.half_read.get_mut(key.0)?.as_mut()?.statement.as_deref_mut()
    }

    /// Whether a rollback came before the last row of the statement that a cursor reads from.
    pub(crate) fn is_cut_off(&self, key: StatementKey) -> bool {
        let half_read = self.half_read.get(key.0).and_then(Option::as_ref);
        half_read.is_some_and(|half_read| half_read.is_cut_off)
    }

    /// Ends the half-read statements before a rollback. The engine would let them go on behind it as if they were at their
    /// end, or panic. Those that have further rows are cut off: their cursors learn of it, and of no false end.
    pub(crate) fn cut_off_half_read(&mut self, work: Work<'_>) {
        self.cut_off(|statement| !matches!(statement.step(work), Ok(Step::Done)));
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
                half_read.is_cut_off = has_further_rows(&mut statement);
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

    /// Ends the statements that waited for the end of a transaction, if it has come.
    pub(crate) fn release_waiting(&mut self) {
        if !self.waiting.is_empty() && !self.in_transaction() {
            for statement in std::mem::take(&mut self.waiting) {
                // Nobody is left to whom an error could be told; the statement is dropped with it.
                let _ = self.give_back(Box::new(statement));
            }
        }
    }

    /// Runs SQL that gives no rows and has no parameters.
    pub(crate) fn run(&mut self, sql: &str, work: Work<'_>) -> Result<()> {
        let Some(mut statement) = self.statement(sql, work)? else {
            return Ok(());
        };
        self.bind(&mut statement, Params::None, work)?;
        while statement.step(work)? == Step::Row {}
        self.give_back(statement)
    }

    #[cfg(feature = "sync")]
    pub(crate) fn keep_shape_until_push(&mut self, last_pushed: LastPushed) {
        self.last_pushed = Some(last_pushed);
    }

    /// Refuses changes of the schema that the sync engine loses, and to take a column from a table of which changes wait for a
    /// push: they were noted by the places of its columns, and would reach the server in others.
    #[cfg(feature = "sync")]
    pub(crate) fn refuse_what_can_not_be_pushed(
        &mut self,
        statement: &PreparedStatement,
        work: Work<'_>,
    ) -> Result<()> {
        let Some(last_pushed) = &self.last_pushed else {
            return Ok(());
        };
        let refused = match sql::hard_to_push(statement.sql()) {
            None => None,
            Some(HardToPush::NotNotedIfNew(name)) => {
                let is_there = self.finds("SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE", &name, work)?;
                (!is_there).then(not_noted)
            }
            Some(HardToPush::NotNoted) => Some(not_noted()),
            Some(HardToPush::OddName) => Some(Error::not_supported(
                "the sync engine can't push a table with a quotation mark in its name: name it otherwise",
            )),
            Some(HardToPush::LosesColumn(table)) => {
                let last_pushed = last_pushed().unwrap_or(i64::MAX);
                let waiting = format!(
                    "SELECT 1 FROM turso_cdc WHERE change_id > {last_pushed} AND table_name = ? COLLATE NOCASE"
                );
                self.finds(&waiting, &table, work)?.then(|| {
                    Error::operational(format!(
                        "\"{table}\" has changes that were not pushed, and they could not be told without the column: push() \
                         first, then alter it"
                    ))
                })
            }
        };
        refused.map_or(Ok(()), Err)
    }

    /// Whether a query for a name gives a row.
    #[cfg(feature = "sync")]
    fn finds(&mut self, query: &str, name: &str, work: Work<'_>) -> Result<bool> {
        let Some(mut query) = self.statement(query, work)? else {
            return Ok(false);
        };
        query.bind([name].into())?;
        let is_found = query.step(work)? == Step::Row;
        self.give_back(query)?;
        Ok(is_found)
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

    /// Begins a transaction around one statement, if its failure would end what is half read; tells whether it did. When a
    /// statement fails outside of a transaction, the engine rolls back, and what other statements read ends too early.
    pub(crate) fn begin_around(&mut self, statement: &PreparedStatement, work: Work<'_>) -> Result<bool> {
        let is_needed = statement.changes_rows() && !self.in_transaction() && self.is_half_read();
        if is_needed {
            self.run("BEGIN", work)?;
        }
        Ok(is_needed)
    }

    /// Ends the transaction around one statement. What a statement that failed has left of itself is committed: nothing,
    /// or with `OR FAIL` what SQLite leaves. One that was stopped is rolled back with its transaction, by `abandon`.
    pub(crate) fn end_around<T>(&mut self, outcome: Result<T>, work: Work<'_>) -> Result<T> {
        if !self.in_transaction() || work.is_stopped() {
            return outcome;
        }
        if let Err(error) = self.run("COMMIT", work) {
            // The error of the statement, if there is one, came first.
            let error = outcome.err().unwrap_or(error);
            work.shield();
            self.cut_off_half_read(work);
            let _ = self.run("ROLLBACK", work);
            return Err(error);
        }
        outcome
    }

    /// Begins a transaction if the mode wants one before a statement that changes data.
    pub(crate) fn begin_before_dml(
        &mut self,
        autocommit: Autocommit,
        isolation_level: Option<IsolationLevel>,
        work: Work<'_>,
    ) -> Result<()> {
        match (autocommit, isolation_level) {
            (Autocommit::Legacy, Some(level)) if !self.in_transaction() => self.run(begin(level), work),
            _ => Ok(()),
        }
    }

    /// What `commit` does in that mode; see [`Connection::commit`](crate::Connection::commit).
    pub(crate) fn commit(&mut self, autocommit: Autocommit, work: Work<'_>) -> Result<()> {
        self.end_transaction("COMMIT", autocommit, work)
    }

    /// What `rollback` does in that mode; see [`Connection::rollback`](crate::Connection::rollback). Nothing stops it.
    pub(crate) fn rollback(&mut self, autocommit: Autocommit, work: Work<'_>) -> Result<()> {
        work.shield();
        if autocommit != Autocommit::Enabled {
            self.cut_off_half_read(work);
        }
        self.end_transaction("ROLLBACK", autocommit, work)
    }

    fn end_transaction(&mut self, sql: &str, autocommit: Autocommit, work: Work<'_>) -> Result<()> {
        match autocommit {
            Autocommit::Legacy if self.in_transaction() => self.run(sql, work),
            Autocommit::Legacy | Autocommit::Enabled => Ok(()),
            Autocommit::Disabled => {
                self.run(sql, work)?;
                self.run("BEGIN", work)
            }
        }
    }

    /// Cleans up behind a statement that failed, and gives its error on. The statement is kept for the next time, as in
    /// `sqlite3`, if it was not stopped.
    pub(crate) fn abandon(&mut self, statement: Box<PreparedStatement>, error: Error, work: Work<'_>) -> Error {
        if work.is_stopped() {
            return self.drop_failed(*statement, error, work);
        }
        // One that can't be made ready again is dropped.
        let _ = self.give_back(statement);
        error
    }

    /// As [`abandon`](Self::abandon), and drops the statement. If it was stopped while it changed data inside a transaction,
    /// the whole transaction is rolled back, as SQLite does: its changes are half done.
    pub(crate) fn drop_failed(&mut self, statement: PreparedStatement, error: Error, work: Work<'_>) -> Error {
        let was_writing = !statement.is_readonly();
        drop(statement);
        if was_writing && self.in_transaction() && work.is_stopped() {
            work.shield();
            self.cut_off_half_read(work);
            // If the rollback fails too, the transaction stays open and the engine refuses its COMMIT: the caller
            // learns of it there. What ended the statement is the more useful of the two errors.
            let _ = self.run("ROLLBACK", work);
        }
        error
    }

    /// Ends every statement and closes the engine's connection, which rolls back an open transaction.
    pub(crate) fn close(mut self) -> Result<()> {
        self.half_read.clear();
        self.waiting.clear();
        self.free.clear();
        self.cache.clear();
        if !self.has_nothing_to_write_back() {
            self.core.close()?;
        }
        // Dropped unclosed, the engine's connection ends all the same, without a checkpoint.
        Ok(())
    }

    /// Whether the checkpoint that comes with the close of a database's last connection would be for nothing. The engine
    /// tells the disk three times to write what it has, also when there is nothing.
    fn has_nothing_to_write_back(&self) -> bool {
        // Whoever else has the engine's connection would keep it open.
        !self.in_transaction() && Arc::strong_count(&self.core) == 1 && self.log.is_empty()
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

    /// The SQL of the statements in the cache, the oldest first.
    #[cfg(test)]
    pub(crate) fn cached(&self) -> Vec<&str> {
        self.cache.kept()
    }
}

/// The statement that begins a transaction of that level.
fn begin(level: IsolationLevel) -> &'static str {
    match level {
        IsolationLevel::Unspecified => "BEGIN",
        IsolationLevel::Deferred => "BEGIN DEFERRED",
        IsolationLevel::Immediate => "BEGIN IMMEDIATE",
        IsolationLevel::Exclusive => "BEGIN EXCLUSIVE",
    }
}

/// The error for a change of the schema that would be lost.
#[cfg(feature = "sync")]
fn not_noted() -> Error {
    Error::not_supported(
        "the sync engine pushes neither views and triggers nor new names, and the next pull would undo this: do it on the server \
         and pull, or make it TEMP",
    )
}
