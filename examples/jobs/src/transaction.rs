//! Jobs and rows that come into the database together, or not at all.

use std::sync::Arc;

use async_proxy::sync_proxy;
use tokio::sync::Mutex;
use turso_driver::Row;

use crate::error::{JobsError, Result};
use crate::job::InsertOptions;
use crate::parameters::Parameters;
use crate::pool::Session;
use crate::schema;

/// An open transaction. One that is dropped without a commit is rolled back.
pub struct Transaction {
    session: Arc<Lent>,
    max_attempts: u32,
}

/// The session of a transaction, while there is one and no call has it.
pub(crate) type Lent = Mutex<Option<Session>>;

/// A transaction: jobs and the program's own rows come into the database together, or not at all.
///
/// A call of it that is cancelled, or a statement that makes the database end it, is the end of it: nothing comes behind.
#[sync_proxy]
impl Transaction {
    /// Runs a statement and gives the number of rows that it changed.
    #[proxy(signature = (sql, parameters = ()))]
    pub async fn execute(&self, sql: &str, parameters: Parameters) -> Result<u64> {
        self.run(async |session| session.execute(sql, parameters.0).await).await
    }

    /// Runs a query and gives its first row; it is an error if there is none.
    #[proxy(signature = (sql, parameters = ()))]
    pub async fn fetch_one(&self, sql: &str, parameters: Parameters) -> Result<Row> {
        self.run(async |session| session.fetch_one(sql, parameters.0).await)
            .await
    }

    /// Runs a query and gives its first row, if there is one.
    #[proxy(signature = (sql, parameters = ()))]
    pub async fn fetch_optional(&self, sql: &str, parameters: Parameters) -> Result<Option<Row>> {
        self.run(async |session| session.fetch_optional(sql, parameters.0).await)
            .await
    }

    /// Runs a query and gives all of its rows.
    #[proxy(signature = (sql, parameters = ()))]
    pub async fn fetch_all(&self, sql: &str, parameters: Parameters) -> Result<Vec<Row>> {
        self.run(async |session| session.fetch_all(sql, parameters.0).await)
            .await
    }

    /// Inserts a job and gives its number. Workers see it when the transaction is committed.
    #[proxy(signature = (kind, payload = "null", *, options))]
    pub async fn insert(&self, kind: &str, payload: &str, #[proxy(spread)] options: InsertOptions) -> Result<i64> {
        let numbers = self.insert_many(kind, &[payload.to_owned()], options).await?;
        Ok(numbers[0])
    }

    /// Inserts a job for each payload and gives their numbers in order.
    pub async fn insert_many(
        &self,
        kind: &str,
        payloads: &[String],
        #[proxy(spread)] options: InsertOptions,
    ) -> Result<Vec<i64>> {
        self.run(async |session| schema::insert(session, kind, payloads, &options, self.max_attempts).await)
            .await
    }

    /// Keeps what was done, and ends the transaction.
    #[proxy(close)]
    pub async fn commit(self) -> Result<()> {
        match self.session.lock().await.take() {
            Some(session) if session.is_in_transaction() => session.commit().await,
            _ => Err(JobsError::TransactionOver),
        }
    }

    /// Undoes what was done, and ends the transaction.
    #[proxy(abandon)]
    pub async fn rollback(self) -> Result<()> {
        match self.session.lock().await.take() {
            Some(session) if session.is_in_transaction() => session.rollback().await,
            _ => Ok(()),
        }
    }
}

impl Transaction {
    pub(crate) fn new(session: Session, max_attempts: u32) -> Result<Self> {
        Ok(Self {
            session: session.keep()?,
            max_attempts,
        })
    }

    /// Lends the session to work. It comes back when the work has come to its end: if that is dropped before, the session is
    /// dropped with it, and what it has begun is rolled back.
    async fn run<T>(&self, work: impl AsyncFnOnce(&Session) -> Result<T>) -> Result<T> {
        let mut place = self.session.lock().await;
        let session = place.take().filter(Session::is_in_transaction);
        let session = session.ok_or(JobsError::TransactionOver)?;
        let outcome = work(&session).await;
        *place = Some(session);
        outcome
    }
}
