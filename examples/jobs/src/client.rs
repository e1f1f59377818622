//! The client: what puts jobs into a queue.

mod deliver;
mod manage;

use std::sync::Arc;

use async_proxy::sync_proxy;

use crate::connect::ClientOptions;
use crate::error::Result;
use crate::job::InsertOptions;
use crate::pool::Pool;
use crate::schema;
use crate::transaction::Transaction;

/// An open queue. Any number of tasks and threads may use it at once.
#[derive(Clone)]
pub struct Client {
    pub(crate) pool: Arc<Pool>,
    pub(crate) options: Arc<ClientOptions>,
}

/// A persistent job queue. Any number of tasks and threads may use it at once.
#[sync_proxy]
impl Client {
    /// Makes the tables, or brings them to the version of this client. Gives the version that they had; 0 if there were none.
    ///
    /// To be called once before anything else; again does no harm.
    pub async fn migrate(&self) -> Result<u32> {
        let session = self.pool.begin().await?;
        let before = schema::migrate(&session).await?;
        session.commit().await?;
        Ok(before)
    }

    /// Inserts a job and gives its number. When this returns, the job is on the disk.
    #[proxy(signature = (kind, payload = "null", *, options))]
    pub async fn insert(&self, kind: &str, payload: &str, #[proxy(spread)] options: InsertOptions) -> Result<i64> {
        let numbers = self.insert_many(kind, &[payload.to_owned()], options).await?;
        Ok(numbers[0])
    }

    /// Inserts a job for each payload, all of them or none, and gives their numbers in order.
    pub async fn insert_many(
        &self,
        kind: &str,
        payloads: &[String],
        #[proxy(spread)] options: InsertOptions,
    ) -> Result<Vec<i64>> {
        let session = self.pool.begin().await?;
        let numbers = schema::insert(&session, kind, payloads, &options, self.options.max_attempts).await?;
        session.commit().await?;
        Ok(numbers)
    }

    /// Begins a transaction, in which jobs are inserted together with the program's own rows.
    ///
    /// It commits where its scope ends; where that ends by an exception it rolls back.
    #[proxy(child)]
    pub async fn transaction(&self) -> Result<Transaction> {
        let session = self.pool.begin().await?;
        Transaction::new(session, self.options.max_attempts)
    }

    /// Waits for the calls that run, rolls back the transactions that are open, and closes the database. Calls that come later
    /// fail.
    #[proxy(close)]
    pub async fn close(&self) -> Result<()> {
        self.pool.close(self.options.connections).await
    }
}

impl Client {
    pub(crate) fn new(pool: Arc<Pool>, options: ClientOptions) -> Self {
        Self {
            pool,
            options: Arc::new(options),
        }
    }
}
