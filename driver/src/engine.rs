//! What one operation at a time may use of the engine: its connection, the kept statements and those half read.

mod around;
pub(crate) mod batch;
mod half_read;
mod pages_in_memory;
mod snapshot;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::batch::Batch;
use self::half_read::HalfRead;
use self::pages_in_memory::PagesInMemory;
use self::snapshot::Snapshot;
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
    /// Whether the open transaction is known to have its snapshot.
    has_snapshot: bool,
    snapshot: Snapshot,
    log: LogFile,
    pages_in_memory: PagesInMemory,
    /// Set where changes are pushed to a server.
    #[cfg(feature = "sync")]
    last_pushed: Option<LastPushed>,
}

/// Tells the last change that was pushed; `None` if it can't be told.
#[cfg(feature = "sync")]
pub(crate) type LastPushed = Box<dyn Fn() -> Option<i64> + Send>;

impl Engine {
    pub(crate) fn new(core: Arc<turso_core::Connection>, cached_statements: usize, busy_timeout: Duration) -> Self {
        let cache = StatementCache::new(cached_statements);
        let log = LogFile::of(&core);
        let pages_in_memory = PagesInMemory::of(&core);
        Self {
            core,
            cache,
            half_read: Vec::new(),
            free: Vec::new(),
            waiting: Vec::new(),
            busy_timeout,
            last_insert_rowid: 0,
            has_snapshot: false,
            snapshot: Snapshot::default(),
            log,
            pages_in_memory,
            #[cfg(feature = "sync")]
            last_pushed: None,
        }
    }

    /// The engine's connection.
    pub(crate) fn core(&self) -> &turso_core::Connection {
        &self.core
    }

    /// Reads the schema anew from the file, for all connections to it, whatever they remember.
    ///
    /// # Errors
    /// The engine's, if a transaction is open here.
    #[cfg(feature = "sync")]
    pub(crate) fn reread_schema(&self) -> Result<()> {
        self.core.force_reparse_schema_without_publish()?;
        self.core.publish_schema_after_external_restore()?;
        Ok(())
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
    /// for itself: for a window function, an index or `ANALYZE`. So where a statement may have updated rows and inserted
    /// none, a rowid that is as it was before is no news.
    pub(crate) fn note_insert(&mut self, statement: &PreparedStatement, rowid_before: i64) {
        let rowid = self.core.last_insert_rowid();
        let is_news = rowid != rowid_before || !statement.may_update_instead();
        if statement.may_insert() && self.core.changes() > 0 && is_news {
            self.last_insert_rowid = rowid;
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

    /// Whether a query may be tried in the caller's thread: it would neither wait for a file, nor drop the pages in memory, nor be a
    /// part of a transaction, nor come between others that are half read.
    pub(crate) fn may_try(&self) -> bool {
        #[cfg(feature = "sync")]
        if self.last_pushed.is_some() {
            return false;
        }
        let is_free = !self.in_transaction() && !self.is_half_read() && self.waiting.is_empty();
        is_free && self.pages_in_memory.are_current()
    }

    /// Notes behind each operation but a try what other connections, and the next tries, have to know.
    pub(crate) fn note_pages_in_memory(&mut self) {
        self.pages_in_memory.note(&self.core);
    }

    /// The one statement of that SQL, if it was kept.
    pub(crate) fn kept_statement(&mut self, sql: &str) -> Option<Box<PreparedStatement>> {
        self.cache.take(sql)
    }

    /// The one statement of that SQL, from the cache or prepared; `None` if there is nothing but comments.
    pub(crate) fn statement(&mut self, sql: &str, work: Work<'_>) -> Result<Option<Box<PreparedStatement>>> {
        match self.cache.take(sql) {
            Some(kept) => Ok(Some(kept)),
            None => self.prepare(sql, work),
        }
    }

    fn prepare(&self, sql: &str, work: Work<'_>) -> Result<Option<Box<PreparedStatement>>> {
        let _kept = self.keep_foreign_keys();
        let prepared = PreparedStatement::prepare(&self.core, sql, self.busy_timeout, work)?;
        Ok(prepared.map(Box::new))
    }

    /// Binds values to the parameters of a statement that is to run next.
    ///
    /// The engine, where it finds that the schema has changed since a statement was prepared, lets go of what is read beside it, or takes
    /// a schema that is newer than that: the rows would end too early. So one that was kept is prepared anew there, and one that
    /// neither asks nor changes rows always; but what is wrong with the values is told first, as in `sqlite3`, which has kept it too.
    /// So is one that was told to be undone alone and that the engine would prepare anew itself.
    pub(crate) fn bind(
        &self,
        statement: &mut Box<PreparedStatement>,
        parameters: Params,
        work: Work<'_>,
    ) -> Result<()> {
        let lets_down = |statement: &PreparedStatement| !statement.asks_or_changes_rows() || statement.is_outdated();
        let is_let_down = self.is_half_read() && lets_down(statement);
        if statement.has_run() && (is_let_down || statement.is_undone_no_more()) {
            statement.bind(parameters.clone())?;
            if let Some(anew) = self.prepare(statement.sql(), work)? {
                *statement = anew;
            }
        }
        statement.bind(parameters)
    }

    /// The first statement of a script, and where the rest of the script begins; `None` if there is no statement left.
    pub(crate) fn first_statement(&self, script: &str, work: Work<'_>) -> Result<Option<(PreparedStatement, usize)>> {
        let _kept = self.keep_foreign_keys();
        PreparedStatement::prepare_first(&self.core, script, self.busy_timeout, work)
    }

    /// Gives back a statement that has ended, for the next time.
    pub(crate) fn give_back(&mut self, mut statement: Box<PreparedStatement>) -> Result<()> {
        self.share_transaction(&mut statement);
        statement.reset()?;
        self.cache.put(statement);
        Ok(())
    }

    /// Runs SQL that gives no rows and has no parameters.
    pub(crate) fn run(&mut self, sql: &str, work: Work<'_>) -> Result<()> {
        self.run_as(sql, false, work)
    }

    /// As [`run`](Self::run), and leaves the end of the transaction to others, if told so.
    fn run_as(&mut self, sql: &str, shares_transaction: bool, work: Work<'_>) -> Result<()> {
        self.has_snapshot = false;
        let Some(mut statement) = self.statement(sql, work)? else {
            return Ok(());
        };
        self.bind(&mut statement, Params::None, work)?;
        statement.share_transaction(shares_transaction);
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
                let is_there = self.finds(NAMED, &name, work)?;
                (!is_there).then(not_noted)
            }
            Some(HardToPush::NotNoted) => Some(not_noted()),
            Some(HardToPush::RowsNotNoted(name)) => {
                // With `IF NOT EXISTS` it does nothing then, and otherwise the engine has its own words.
                let is_there = self.finds(NAMED, &name, work)?;
                (!is_there).then(|| {
                    Error::not_supported(
                        "the sync engine notes none of the rows that a table begins with, and the next pull would take them away: \
                         CREATE TABLE with its columns, then INSERT … SELECT",
                    )
                })
            }
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
        // Behind a rollback nothing is half read.
        let shares = self.in_transaction() && self.guard_before_commit(work)?;
        match autocommit {
            Autocommit::Legacy if self.in_transaction() => {
                self.run_as(sql, shares, work)?;
                self.settle_snapshot();
                Ok(())
            }
            Autocommit::Legacy | Autocommit::Enabled => Ok(()),
            Autocommit::Disabled => {
                self.run_as(sql, shares, work)?;
                self.settle_snapshot();
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
    pub(crate) fn drop_failed(&mut self, mut statement: PreparedStatement, error: Error, work: Work<'_>) -> Error {
        let was_writing = !statement.is_readonly();
        self.share_transaction(&mut statement);
        statement.abolish();
        if was_writing && self.in_transaction() && work.is_stopped() {
            self.roll_back_half_done(work);
        }
        error
    }

    /// Rolls back a transaction in which something is half done. Nothing stops it.
    fn roll_back_half_done(&mut self, work: Work<'_>) {
        work.shield();
        self.cut_off_half_read(work);
        // If the rollback fails too, the transaction stays open and the engine refuses its COMMIT: the caller
        // learns of it there. What ended the statement is the more useful of the two errors.
        let _ = self.run("ROLLBACK", work);
    }

    /// Ends every statement and closes the engine's connection, which rolls back an open transaction.
    pub(crate) fn close(mut self) -> Result<()> {
        self.half_read.clear();
        self.snapshot = Snapshot::default();
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

/// Looks for something of that name.
#[cfg(feature = "sync")]
const NAMED: &str = "SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE";

/// The error for a change of the schema that would be lost.
#[cfg(feature = "sync")]
fn not_noted() -> Error {
    Error::not_supported(
        "the sync engine pushes neither views and triggers nor new names, and the next pull would undo this: do it on the server \
         and pull, or make it TEMP",
    )
}
