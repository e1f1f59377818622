//! A local database that is synchronised with a server.

mod address;
mod claim;
mod conflicts;
mod drive;
mod forced;
mod gate;
mod io;
mod line;
mod names;
mod opening;
mod options;
mod paging;
mod pipeline;
mod proxy;
mod refusal;
mod replica;
mod request;
mod resolve;
mod seal;
mod side;
mod stats;
mod supplied;
mod unpushed;
mod whole;
mod wire;

use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use async_proxy::async_proxy;

use crate::session::Shared;
use crate::{Autocommit, Connection, Result};

pub use conflicts::{Conflict, Keep};
pub use options::{
    PartialSyncBootstrap, PartialSyncOpts, PartialSyncPrefixBootstrap, PartialSyncQueryBootstrap,
    RemoteEncryptionCipher, SyncOptions,
};
pub use stats::SyncStats;
pub use supplied::SuppliedText;

use replica::{Attachment, Replica};

/// Opens a local database that is synchronised with a server. The first time it fetches the server's, unless
/// `bootstrap_if_empty` is off; later it needs no server to be opened.
///
/// # Errors
/// An `OperationalError` if the server can't be reached or refuses, in its words; if the file can't be opened. A
/// `ProgrammingError` for a URL that is none, or if the file is a database already that is not synchronised. A failed call
/// leaves no file behind that was not there before.
///
/// ```no_run
/// use turso_driver::{SyncOptions, connect_sync};
///
/// # fn main() -> turso_driver::Result<()> {
/// let connection = connect_sync("cities.db", SyncOptions::new("http://127.0.0.1:8080"))?;
/// connection.execute("CREATE TABLE IF NOT EXISTS cities (name TEXT PRIMARY KEY)", ())?;
/// connection.execute("INSERT INTO cities VALUES ('Bern') ON CONFLICT DO NOTHING", ())?;
/// connection.commit()?;
/// connection.push()?;
/// while connection.pull()? {}
/// connection.close()?;
/// # Ok(())
/// # }
/// ```
#[async_proxy]
pub fn connect_sync(path: impl AsRef<Path>, #[proxy(spread)] options: SyncOptions) -> Result<ConnectionSync> {
    let (replica, core) = opening::open(path.as_ref(), &options)?;
    let shared = Shared::new(
        core,
        options.cached_statements,
        replica.busy_timeout,
        options.isolation_level,
        options.autocommit,
    );
    shared.accompany(Box::new(Attachment(Arc::downgrade(&replica))));
    let pushed = replica.pushed.clone();
    shared.keep_shape_until_push(Box::new(move || pushed.change_id()))?;
    let connection = Connection {
        shared: Arc::new(shared),
    };
    if options.autocommit == Autocommit::Disabled {
        connection.shared.operate(|engine, work| engine.run("BEGIN", work))?;
    }
    Ok(ConnectionSync { connection, replica })
}

/// A connection to a database that is synchronised with a server, made by [`connect_sync`]. It is a [`Connection`] too. A copy
/// is another handle of the same connection.
#[derive(Clone)]
pub struct ConnectionSync {
    connection: Connection,
    replica: Arc<Replica>,
}

impl Deref for ConnectionSync {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// A connection to a local database that is synchronised with a server.
///
/// What waits for the network holds up nothing else: statements run, and `stats` answers, while a pull waits for changes or a
/// push is under way. What was committed here is pushed, what was committed there is pulled; for one row that was changed on
/// both sides the side counts that was pushed last. A local change that the server refuses is lost by nothing: see
/// `conflicts`.
#[async_proxy(extends = Connection)]
impl ConnectionSync {
    /// Fetches what was committed on the server and applies it here; local changes that were not pushed yet stay, on top of
    /// it. Tells whether there was anything new. With `long_poll_timeout_ms` the server is waited for that long if there is
    /// nothing yet.
    ///
    /// Applying waits for up to `timeout` until no transaction is open here.
    ///
    /// # Errors
    /// `OperationalError` if the server can't be reached or answers with an error, if the call is interrupted, or if a
    /// transaction stays open; `IntegrityError` if local changes don't fit what the server has, and while a conflict is not
    /// resolved. The database is then as it was.
    #[proxy(lane = "pull")]
    pub fn pull(&self) -> Result<bool> {
        self.replica.pull(&self.connection.shared)
    }

    /// Sends what was committed here to the server. A batch of it (all of it, without `push_operations_threshold`) is
    /// committed there as a whole or not at all.
    ///
    /// # Errors
    /// `OperationalError` if the server can't be reached or answers with an error, and if the call is interrupted; a later
    /// push sends what did not come through. `IntegrityError` if the server refuses a change, with the table, the row and
    /// the server's words, and while such a conflict is not resolved; see `conflicts`.
    #[proxy(lane = "push")]
    pub fn push(&self) -> Result<()> {
        self.replica.push()
    }

    /// Moves the write-ahead log into the database file, which makes it small. What is needed to tell local changes from the
    /// server's is kept.
    ///
    /// # Errors
    /// `OperationalError` if a transaction stays open for longer than `timeout`.
    #[proxy(lane = "push")]
    pub fn checkpoint(&self) -> Result<()> {
        self.replica.checkpoint(&self.connection.shared)
    }

    /// How this database stands to its server. Asks no server, and waits for no pull and no push.
    ///
    /// # Errors
    /// `ProgrammingError` if the connection is closed.
    #[proxy(lane = "stats")]
    pub fn stats(&self) -> Result<SyncStats> {
        self.replica.stats()
    }

    /// The local changes that the server refused and that nobody has decided about. They are kept beside the database, so
    /// that they are known also after a restart.
    ///
    /// # Errors
    /// `ProgrammingError` if the connection is closed.
    #[proxy(lane = "stats")]
    pub fn conflicts(&self) -> Result<Vec<Conflict>> {
        self.replica.engine()?;
        Ok(self.replica.outside.book.undecided())
    }

    /// Decides which side of a conflict prevails; push and pull go on then.
    ///
    /// `"local"`: the next push sends the row as it is here by then, in the place of the server's rows that hold the same
    /// unique values; if it is not there any more, nothing. What is refused for another reason is only sent again, after it
    /// was mended on the server. `"remote"`: the row becomes here what it was before it was changed, and its changes are not
    /// pushed; the next pull brings what the server has.
    ///
    /// # Errors
    /// `ProgrammingError` if the conflict is resolved already; `NotSupportedError` for `"remote"` where it can't be told
    /// which row it is; `OperationalError` if a transaction stays open for longer than `timeout`.
    #[proxy(lane = "push")]
    pub fn resolve(&self, conflict: &Conflict, keep: Keep) -> Result<()> {
        self.replica.resolve(&self.connection.shared, conflict, keep)
    }

    /// Ends the pull that runs now with an `OperationalError` that says "interrupted"; does nothing if none runs. The request
    /// to the server is cut off. May be called from any thread and never waits.
    ///
    /// # Errors
    /// `ProgrammingError` if the connection is closed.
    #[proxy(interrupt, lane = "pull")]
    pub fn interrupt_pull(&self) -> Result<()> {
        self.connection.shared.check_open()?;
        self.replica.interrupt_pull();
        Ok(())
    }

    /// Ends the push that runs now as `interrupt_pull` ends a pull. What the server has committed of it by then stays
    /// committed, and the next push knows.
    ///
    /// # Errors
    /// `ProgrammingError` if the connection is closed.
    #[proxy(interrupt, lane = "push")]
    pub fn interrupt_push(&self) -> Result<()> {
        self.connection.shared.check_open()?;
        self.replica.interrupt_push();
        Ok(())
    }
}

impl fmt::Debug for ConnectionSync {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConnectionSync")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}
