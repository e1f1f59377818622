//! A connection to a database.

mod dump;
mod unsupported;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_proxy::async_proxy;

use crate::session::Shared;
use crate::{Autocommit, ConnectOptions, Cursor, Error, IsolationLevel, Params, ParamsSequence, Result, open};

pub use unsupported::Anything;

/// Opens a database file, and makes it if it is not there. `:memory:` is a database of its own in memory, and so is an
/// empty path. One that is synchronised with a server (`connect_sync`) is opened for reading alone.
///
/// # Errors
/// An `OperationalError` that names the path if the file can't be opened: its directory is missing, it is a directory, it
/// may not be read, another process has it locked for longer than `timeout`. A `DatabaseError` if it is no database. A
/// failed call leaves no file behind that was not there before.
///
/// ```
/// # use turso_driver::{ConnectOptions, connect};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("cities.db");
/// let connection = connect(&path, ConnectOptions::default().timeout(1.0))?;
/// connection.execute("CREATE TABLE cities (name TEXT)", ())?;
/// connection.close()?;
/// # Ok(())
/// # }
/// ```
#[async_proxy]
pub fn connect(database: impl AsRef<Path>, #[proxy(spread)] options: ConnectOptions) -> Result<Connection> {
    let busy_timeout = open::busy_timeout(options.timeout)?;
    let core = open::open(database.as_ref(), &options, busy_timeout)?;
    let shared = Shared::new(
        core,
        options.cached_statements,
        busy_timeout,
        options.isolation_level,
        options.autocommit,
    );
    let connection = Connection {
        shared: Arc::new(shared),
    };
    if options.autocommit == Autocommit::Disabled {
        connection.shared.operate(|engine, work| engine.run("BEGIN", work))?;
    }
    Ok(connection)
}

/// A connection to a database, made by [`connect`]. A copy is another handle of the same connection; the database is
/// closed with the last of them and of its cursors, if nobody closed it before.
#[derive(Clone)]
pub struct Connection {
    pub(crate) shared: Arc<Shared>,
}

/// A connection to a database: PEP 249's, with the behaviour of `sqlite3.Connection`.
///
/// Calls take turns on it, from whatever thread they come. What is read without running a statement (`in_transaction`,
/// `total_changes`, `isolation_level`, `autocommit`) and `interrupt` never wait.
#[async_proxy]
impl Connection {
    /// A new cursor.
    ///
    /// # Errors
    /// `ProgrammingError` if the connection is closed.
    #[proxy(child)]
    pub fn cursor(&self) -> Result<Cursor> {
        self.shared.check_open()?;
        Ok(Cursor::new(self.clone()))
    }

    /// Makes a cursor and runs one statement with it: `cursor()` and then `execute`, and like that otherwise.
    ///
    /// # Errors
    /// Those of `Cursor.execute`.
    #[proxy(child, signature = (sql, parameters = ()), attempt = "try_execute")]
    pub fn execute(&self, sql: &str, parameters: impl Into<Params>) -> Result<Cursor> {
        let mut cursor = self.cursor()?;
        cursor.execute(sql, parameters)?;
        Ok(cursor)
    }

    /// Makes a cursor and runs one statement with it for each set of parameters.
    ///
    /// # Errors
    /// Those of `Cursor.executemany`.
    #[proxy(child)]
    pub fn executemany(&self, sql: &str, seq_of_parameters: impl Into<ParamsSequence>) -> Result<Cursor> {
        let mut cursor = self.cursor()?;
        cursor.executemany(sql, seq_of_parameters)?;
        Ok(cursor)
    }

    /// Makes a cursor and runs all statements of a script with it. An open transaction is committed first, unless
    /// `autocommit` is set.
    ///
    /// # Errors
    /// Those of `Cursor.executescript`.
    #[proxy(child)]
    pub fn executescript(&self, sql_script: &str) -> Result<Cursor> {
        let mut cursor = self.cursor()?;
        cursor.executescript(sql_script)?;
        Ok(cursor)
    }

    /// Commits the open transaction; does nothing if none is open. With `autocommit` off, the next one begins at once;
    /// with `autocommit` on, this does nothing at all.
    ///
    /// # Errors
    /// `OperationalError` if another connection holds a lock for longer than `timeout`; the transaction stays open then.
    pub fn commit(&self) -> Result<()> {
        self.shared
            .operate(|engine, work| engine.commit(self.shared.autocommit(), work))
    }

    /// Rolls the open transaction back; does nothing if none is open. With `autocommit` off, the next one begins at
    /// once; with `autocommit` on, this does nothing at all.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn rollback(&self) -> Result<()> {
        self.shared
            .operate(|engine, work| engine.rollback(self.shared.autocommit(), work))
    }

    /// Ends all statements, rolls an open transaction back and closes the database. Closing again does nothing.
    ///
    /// # Errors
    /// Those of the engine when it writes the log back into the file; the connection is closed all the same.
    #[proxy(close)]
    pub fn close(&self) -> Result<()> {
        self.shared.close()
    }

    /// Ends the call that runs on this connection now with an `OperationalError` that says "interrupted"; does nothing if
    /// none runs. A statement that was changing data inside a transaction takes the whole transaction with it, as in
    /// SQLite. May be called from any thread and never waits.
    ///
    /// # Errors
    /// `ProgrammingError` if the connection is closed.
    #[proxy(interrupt)]
    pub fn interrupt(&self) -> Result<()> {
        self.shared.check_open()?;
        self.shared.interrupt();
        Ok(())
    }

    /// Sets how long one call may take, in seconds; it then ends as if interrupted. `None` or 0 is no limit, and that is
    /// how it is at first.
    ///
    /// # Errors
    /// `ProgrammingError` for a time that is negative or not a number.
    pub fn set_query_timeout(&self, seconds: Option<f64>) -> Result<()> {
        self.shared.check_open()?;
        let timeout = match seconds {
            None => None,
            Some(0.0) => None,
            Some(seconds) => Some(Duration::try_from_secs_f64(seconds).map_err(|reason| {
                Error::programming(format!(
                    "the query timeout can't be {seconds}: {reason}; None is no limit"
                ))
            })?),
        };
        self.shared.set_query_timeout(timeout);
        Ok(())
    }

    /// How long one call may take, in seconds; `None` if there is no limit.
    ///
    /// # Errors
    /// `ProgrammingError` if the connection is closed.
    #[proxy(direct)]
    pub fn get_query_timeout(&self) -> Result<Option<f64>> {
        self.shared.check_open()?;
        Ok(self.shared.query_timeout().map(|timeout| timeout.as_secs_f64()))
    }

    /// Whether a transaction is open, as of the last call that has ended.
    ///
    /// # Errors
    /// `ProgrammingError` if the connection is closed.
    #[proxy(property, live)]
    pub fn in_transaction(&self) -> Result<bool> {
        self.shared.check_open()?;
        Ok(self.shared.in_transaction())
    }

    /// How many rows were inserted, changed or deleted since the connection was opened, as of the last call that has
    /// ended.
    ///
    /// # Errors
    /// `ProgrammingError` if the connection is closed.
    #[proxy(property, live)]
    pub fn total_changes(&self) -> Result<i64> {
        self.shared.check_open()?;
        Ok(self.shared.total_changes())
    }

    /// The word behind the `BEGIN` of implicit transactions; `None` if there are none. Only `autocommit` at its default
    /// heeds it.
    ///
    /// # Errors
    /// `ProgrammingError` if the connection is closed.
    #[proxy(property, live)]
    pub fn isolation_level(&self) -> Result<Option<IsolationLevel>> {
        self.shared.check_open()?;
        Ok(self.shared.isolation_level())
    }

    /// Sets the word behind the `BEGIN` of implicit transactions. `None`, which ends them, also commits the open
    /// transaction (CPython's `pysqlite_connection_set_isolation_level`); other values leave it as it is.
    ///
    /// # Errors
    /// Those of `commit`.
    #[proxy(setter)]
    pub fn set_isolation_level(&self, level: Option<IsolationLevel>) -> Result<()> {
        self.shared.operate(|engine, work| {
            self.shared.set_isolation_level(level);
            if level.is_none() {
                engine.commit(self.shared.autocommit(), work)
            } else {
                Ok(())
            }
        })
    }

    /// Who begins and ends transactions.
    ///
    /// # Errors
    /// `ProgrammingError` if the connection is closed.
    #[proxy(property, live)]
    pub fn autocommit(&self) -> Result<Autocommit> {
        self.shared.check_open()?;
        Ok(self.shared.autocommit())
    }

    /// Sets who begins and ends transactions. Switching it on commits an open transaction, switching it off begins one,
    /// and the default leaves things as they are (CPython's `set_autocommit`, Python 3.12).
    ///
    /// # Errors
    /// Those of `commit`; the mode is then as it was.
    #[proxy(setter)]
    pub fn set_autocommit(&self, autocommit: Autocommit) -> Result<()> {
        self.shared.operate(|engine, work| {
            match (autocommit, engine.in_transaction()) {
                (Autocommit::Enabled, true) => engine.commit(Autocommit::Legacy, work)?,
                (Autocommit::Disabled, false) => engine.run("BEGIN", work)?,
                _ => {}
            }
            self.shared.set_autocommit(autocommit);
            Ok(())
        })
    }
}

impl Connection {
    /// Makes a cursor and runs a query with it as [`Cursor::try_execute`] does; `None` if it did not.
    ///
    /// ```
    /// # use turso_driver::{ConnectOptions, Params, connect};
    /// # fn main() -> turso_driver::Result<()> {
    /// let connection = connect(":memory:", ConnectOptions::default())?;
    /// connection.execute("CREATE TABLE cities (name TEXT)", ())?;
    /// let (query, none) = ("SELECT name FROM cities", Params::None);
    /// assert!(connection.try_execute(query, &none, 64).is_none(), "it was never run");
    /// connection.execute(query, ())?;
    /// assert!(connection.try_execute(query, &none, 64).is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_execute(&self, sql: &str, parameters: &Params, most_rows: usize) -> Option<Cursor> {
        let mut cursor = self.cursor().ok()?;
        cursor.try_execute(sql, parameters, most_rows).then_some(cursor)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("is_closed", &self.shared.check_open().is_err())
            .field("in_transaction", &self.shared.in_transaction())
            .finish_non_exhaustive()
    }
}
