//! Connections, of which each is used for one thing at a time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Turns, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use turso_driver::{AsyncConnection, AsyncCursor, ConnectOptions, Params, Row, connect_async};

use crate::error::{JobsError, Result};
use crate::transaction::Lent;

/// The connections that nobody uses, and how many more there may be.
pub(crate) struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<AsyncConnection>>,
    /// The sessions of open transactions, which may be held by those who have forgotten them; `None` once it is closed.
    kept: Mutex<Option<Vec<Weak<Lent>>>>,
    places: Arc<Semaphore>,
    writers: Arc<Turns<()>>,
}

/// Who writes to which file. The database lets one write at a time; its lock is asked for again and again, and whoever is
/// unlucky asks in vain. So the writers of a process queue up here, and only those of another process meet at the lock.
static WRITERS: Mutex<Option<HashMap<PathBuf, Weak<Turns<()>>>>> = Mutex::new(None);

fn writers_of(path: &Path) -> Arc<Turns<()>> {
    let mut writers = WRITERS.lock().unwrap_or_else(PoisonError::into_inner);
    let writers = writers.get_or_insert_default();
    writers.retain(|_, turns| turns.strong_count() > 0);
    let known = writers.get(path).and_then(Weak::upgrade);
    known.unwrap_or_else(|| {
        let turns = Arc::default();
        writers.insert(path.to_owned(), Arc::downgrade(&turns));
        turns
    })
}

impl Pool {
    /// Opens a connection for a moment, so that a file that is no database is noticed at once.
    pub(crate) async fn open(path: &Path, connections: u32) -> Result<Arc<Self>> {
        if path.as_os_str().is_empty() || path == Path::new(":memory:") {
            return Err(JobsError::BadSetting(
                "jobs are kept in a file, which all connections share: give its path".to_owned(),
            ));
        }
        connect_async(path, ConnectOptions::new()).await?.close().await?;
        let path = path
            .canonicalize()
            .map_err(|error| JobsError::Database(error.to_string()))?;
        Ok(Arc::new(Self {
            writers: writers_of(&path),
            path,
            idle: Mutex::default(),
            kept: Mutex::new(Some(Vec::new())),
            places: Arc::new(Semaphore::new(connections as usize)),
        }))
    }

    /// A connection; it waits for one if all are in use.
    pub(crate) async fn take(self: &Arc<Self>) -> Result<Session> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| closed())?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            // Transactions begin where they are written, and every other statement stands for itself.
            None => connect_async(&self.path, ConnectOptions::new().isolation_level(None)).await?,
        };
        Ok(Session {
            connection,
            pool: Arc::clone(self),
            _place: place,
            _turn: None,
        })
    }

    /// A connection in a transaction that may write.
    pub(crate) async fn begin(self: &Arc<Self>) -> Result<Session> {
        let turn = Arc::clone(&self.writers).lock_owned().await;
        let mut session = self.take().await?;
        session._turn = Some(turn);
        session.execute("BEGIN IMMEDIATE", Params::None).await?;
        Ok(session)
    }

    /// Lets no one begin anything new, waits for what runs, and closes the connections. A transaction that is open would keep
    /// its own for as long as somebody has it: it is rolled back.
    pub(crate) async fn close(&self, connections: u32) -> Result<()> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        for transaction in kept.iter().flatten().filter_map(Weak::upgrade) {
            drop(transaction.lock().await.take());
        }
        let all = self.places.acquire_many(connections).await;
        self.places.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in idle {
            connection.close().await?;
        }
        Ok(())
    }
}

fn closed() -> JobsError {
    JobsError::Database("the queue is closed: connect again".to_owned())
}

/// A connection in use. It goes back only by [`Session::give_back`] or at the end of its transaction: one that is dropped
/// before, because a future was cancelled or a call failed, is closed, and what it had begun is rolled back by that.
pub(crate) struct Session {
    connection: AsyncConnection,
    pool: Arc<Pool>,
    _place: OwnedSemaphorePermit,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Session {
    pub(crate) fn give_back(self) {
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(self.connection.clone());
    }

    /// Puts it where a transaction keeps it, unless the queue is closed.
    pub(crate) fn keep(self) -> Result<Arc<Lent>> {
        let pool = Arc::clone(&self.pool);
        let mut kept = pool.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_mut().ok_or_else(closed)?;
        kept.retain(|transaction| transaction.strong_count() > 0);
        let lent = Arc::new(Turns::new(Some(self)));
        kept.push(Arc::downgrade(&lent));
        Ok(lent)
    }

    /// Whether the transaction that it began is open: the database ends one at some errors.
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.connection.in_transaction().unwrap_or_default()
    }

    pub(crate) async fn commit(self) -> Result<()> {
        self.execute("COMMIT", Params::None).await?;
        self.give_back();
        Ok(())
    }

    pub(crate) async fn rollback(self) -> Result<()> {
        self.execute("ROLLBACK", Params::None).await?;
        self.give_back();
        Ok(())
    }

    async fn run(&self, sql: &str, parameters: impl Into<Params>) -> Result<AsyncCursor> {
        Ok(self.connection.execute(sql, parameters.into()).await?)
    }

    /// Runs a statement and gives the number of rows that it changed.
    pub(crate) async fn execute(&self, sql: &str, parameters: impl Into<Params>) -> Result<u64> {
        let cursor = self.run(sql, parameters).await?;
        Ok(cursor.rowcount().try_into().unwrap_or_default())
    }

    /// Runs a query and gives all of its rows.
    pub(crate) async fn fetch_all(&self, sql: &str, parameters: impl Into<Params>) -> Result<Vec<Row>> {
        Ok(self.run(sql, parameters).await?.fetchall().await?)
    }

    /// Runs a query and gives its first row, if there is one.
    pub(crate) async fn fetch_optional(&self, sql: &str, parameters: impl Into<Params>) -> Result<Option<Row>> {
        let cursor = self.run(sql, parameters).await?;
        let row = cursor.fetchone().await?;
        cursor.close().await?;
        Ok(row)
    }

    /// Runs a query and gives its first row.
    pub(crate) async fn fetch_one(&self, sql: &str, parameters: impl Into<Params>) -> Result<Row> {
        self.fetch_optional(sql, parameters).await?.ok_or(JobsError::NoRow)
    }
}
