//! A cursor: it runs statements and reads their rows.

use std::fmt;

use async_proxy::async_proxy;

use crate::execution::Execution;
#[cfg(feature = "python")]
use crate::packing::Packing;
use crate::{Anything, Connection, Description, Error, Params, ParamsSequence, Result, Row, Rows};

/// A cursor of a [`Connection`].
///
/// ```
/// # use turso_driver::{ConnectOptions, connect};
/// # fn main() -> turso_driver::Result<()> {
/// let connection = connect(":memory:", ConnectOptions::default())?;
/// let mut cursor = connection.cursor()?;
/// cursor.execute("SELECT value FROM generate_series(1, 3)", ())?;
/// let sum = cursor.rows().map(|row| row?.get::<i64>(0)).sum::<turso_driver::Result<i64>>()?;
/// assert_eq!(sum, 6);
/// # Ok(())
/// # }
/// ```
pub struct Cursor {
    pub(crate) connection: Connection,
    pub(crate) execution: Execution,
    arraysize: usize,
    is_closed: bool,
}

/// Runs statements on a connection and reads their rows: PEP 249's cursor, with the behaviour of `sqlite3.Cursor`.
///
/// A cursor has one result set at a time: the next `execute` drops what was not read. Cursors of one connection share
/// its transaction and take turns on it.
#[async_proxy]
impl Cursor {
    /// Runs one statement. Its rows, if it has any, are then read with the `fetch` methods or by iteration.
    ///
    /// `parameters` are values for `?` and `?3` by position, or for `:name`, `@name` and `$name` by name, written
    /// without the sign. Before `INSERT`, `UPDATE`, `DELETE` and `REPLACE` a transaction begins if none is open, unless
    /// `isolation_level` is `None` or `autocommit` is set: the rule of `sqlite3`. A statement that changes data is run
    /// to its end, also with `RETURNING`; a query is run as far as its first row.
    ///
    /// # Errors
    /// `ProgrammingError` for a second statement behind the first, for a wrong number of parameters and for a name
    /// without a value. `OperationalError` for SQL that does not parse, a table that is not there, a lock that was not
    /// given within `timeout`, an interrupt. `IntegrityError` for a constraint.
    #[proxy(signature = (sql, parameters = ()), attempt = "try_execute")]
    pub fn execute(&mut self, sql: &str, parameters: impl Into<Params>) -> Result<&mut Self> {
        self.check_open().or_else(|error| self.execution.fail(error))?;
        let shared = &self.connection.shared;
        self.execution.execute(shared, sql, parameters.into())?;
        Ok(self)
    }

    /// Runs one statement once for each set of parameters. `rowcount` is then the sum.
    ///
    /// The parameters are taken from their source one by one while the statement runs, and the source may use the same
    /// connection. Rows that the statement gives (`RETURNING`) are dropped.
    ///
    /// # Errors
    /// `ProgrammingError` for a statement that changes nothing, such as `SELECT`; otherwise as `execute`. What ran
    /// before the error is done and, inside a transaction, still open to a rollback.
    pub fn executemany(&mut self, sql: &str, seq_of_parameters: impl Into<ParamsSequence>) -> Result<&mut Self> {
        self.check_open().or_else(|error| self.execution.fail(error))?;
        let shared = &self.connection.shared;
        self.execution.executemany(shared, sql, seq_of_parameters.into())?;
        Ok(self)
    }

    /// Runs all statements of a script, one after the other, and drops their rows. An open transaction is committed
    /// first, unless `autocommit` is set; no transaction is begun.
    ///
    /// # Errors
    /// The first statement's that fails; those before it are done.
    pub fn executescript(&mut self, sql_script: &str) -> Result<&mut Self> {
        self.check_open()?;
        self.execution.executescript(&self.connection.shared, sql_script)?;
        Ok(self)
    }

    /// The next row; `None` when there is none left, or when the statement has no rows.
    ///
    /// # Errors
    /// The engine's, when the row behind it can't be read: `sqlite3` reads one row ahead, and so does this.
    #[proxy(rows)]
    pub fn fetchone(&mut self) -> Result<Option<Row>> {
        self.check_open()?;
        self.execution.fetch(&self.connection.shared)
    }

    /// The next rows, as many as `size`, or as `arraysize` if `size` is `None`; fewer at the end. A size of 0 is all that
    /// remain, as in `sqlite3`.
    ///
    /// # Errors
    /// As `fetchone`; the rows read by this call before the error are lost.
    #[proxy(rows, size = "arraysize", signature = (size = None))]
    pub fn fetchmany(&mut self, size: Option<usize>) -> Result<Vec<Row>> {
        self.check_open()?;
        let size = match size.unwrap_or(self.arraysize) {
            0 => usize::MAX,
            size => size,
        };
        self.execution.fetch_many(&self.connection.shared, size)
    }

    /// All rows that remain.
    ///
    /// # Errors
    /// As `fetchone`; the rows read by this call before the error are lost.
    #[proxy(rows)]
    pub fn fetchall(&mut self) -> Result<Vec<Row>> {
        self.check_open()?;
        self.execution.fetch_many(&self.connection.shared, usize::MAX)
    }

    /// The rows that remain, one by one.
    #[proxy(rows)]
    pub fn rows(&mut self) -> Rows<'_> {
        Rows::new(self)
    }

    /// The columns of the result set; `None` if the last statement gives no rows, and before the first. It is there
    /// before the first row is read, and also if there is no row.
    #[proxy(property, snapshot)]
    pub fn description(&self) -> Option<Description> {
        self.execution.description.clone()
    }

    /// How many rows the last `INSERT`, `UPDATE`, `DELETE` or `REPLACE` changed; -1 for other statements and before the
    /// first. With `RETURNING` it is 0 until the last row is read.
    #[proxy(property, snapshot)]
    pub fn rowcount(&self) -> i64 {
        self.execution.rowcount
    }

    /// The rowid of the row that the connection inserted last, as of this cursor's last `execute`; `None` before it.
    /// `executemany` and `executescript` leave it as it is.
    #[proxy(property, snapshot)]
    pub fn lastrowid(&self) -> Option<i64> {
        self.execution.lastrowid
    }

    /// How many rows `fetchmany` reads if it is not told; 1 at first.
    #[proxy(property, snapshot)]
    pub fn arraysize(&self) -> usize {
        self.arraysize
    }

    /// Sets how many rows `fetchmany` reads if it is not told.
    #[proxy(setter)]
    pub fn set_arraysize(&mut self, arraysize: usize) {
        self.arraysize = arraysize;
    }

    /// The connection that made this cursor.
    #[proxy(parent)]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Does nothing: PEP 249 asks for it, and SQLite has no sizes to set.
    pub fn setinputsizes(&mut self, sizes: impl Into<Anything>) {
        let _ = sizes.into();
    }

    /// Does nothing: PEP 249 asks for it, and SQLite has no sizes to set.
    #[proxy(signature = (size, column = None))]
    pub fn setoutputsize(&mut self, size: i64, #[proxy(py = "object")] column: Option<Anything>) {
        let _ = (size, column);
    }

    /// Ends the statement and drops its rows. The cursor can't be used any more; closing it again does nothing.
    ///
    /// # Errors
    /// `ProgrammingError` if the connection is closed already, as in `sqlite3`.
    #[proxy(close)]
    pub fn close(&mut self) -> Result<()> {
        self.connection.shared.check_open()?;
        self.is_closed = true;
        self.execution.end(&self.connection.shared)
    }
}

impl Cursor {
    /// [`execute`](Self::execute) for a query that needs no wait: it was run before and is kept, its pages are in memory, no
    /// transaction is open, it gives no more than `most_rows` rows, and all of that within some twenty microseconds. The answer
    /// is whether it was run; otherwise nothing has happened, and `execute` is the way.
    ///
    /// It is for a thread that must not wait, such as that of an event loop.
    pub fn try_execute(&mut self, sql: &str, parameters: &Params, most_rows: usize) -> bool {
        let shared = &self.connection.shared;
        !self.is_closed && self.execution.try_execute(shared, sql, parameters, most_rows)
    }

    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            execution: Execution::default(),
            arraysize: 1,
            is_closed: false,
        }
    }

    /// Packs the next rows, as [`Execution::pack`].
    #[cfg(feature = "python")]
    pub(crate) fn pack(&mut self, packing: &mut Packing, wants_more: &mut dyn FnMut(&Packing) -> bool) -> Result<bool> {
        self.check_open()?;
        self.execution.pack(&self.connection.shared, packing, wants_more)
    }

    fn check_open(&self) -> Result<()> {
        if self.is_closed {
            return Err(Error::closed_cursor());
        }
        self.connection.shared.check_open()
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.execution.abandon(&self.connection.shared);
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cursor")
            .field("description", &self.execution.description)
            .field("rowcount", &self.execution.rowcount)
            .field("is_closed", &self.is_closed)
            .finish_non_exhaustive()
    }
}
