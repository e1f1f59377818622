//! Jobs and rows that come into the database together, or not at all.

use async_proxy::sync_proxy;
use turso_driver::Row;

use crate::error::Result;
use crate::job::InsertOptions;
use crate::parameters::Parameters;
use crate::pool::Session;
use crate::schema;

/// An open transaction. One that is dropped without a commit is rolled back.
pub struct Transaction {
    session: Session,
    max_attempts: u32,
}

/// A transaction: jobs and the program's own rows come into the database together, or not at all.
#[sync_proxy]
impl Transaction {
    /// Runs a statement and gives the number of rows that it changed.
    #[proxy(signature = (sql, parameters = ()))]
    pub async fn execute(&self, sql: &str, parameters: Parameters) -> Result<u64> {
        self.session.execute(sql, parameters.0).await
    }

    /// Runs a query and gives its first row; it is an error if there is none.
    #[proxy(signature = (sql, parameters = ()))]
    pub async fn fetch_one(&self, sql: &str, parameters: Parameters) -> Result<Row> {
        self.session.fetch_one(sql, parameters.0).await
    }

    /// Runs a query and gives its first row, if there is one.
    #[proxy(signature = (sql, parameters = ()))]
    pub async fn fetch_optional(&self, sql: &str, parameters: Parameters) -> Result<Option<Row>> {
        self.session.fetch_optional(sql, parameters.0).await
    }

    /// Runs a query and gives all of its rows.
    #[proxy(signature = (sql, parameters = ()))]
    pub async fn fetch_all(&self, sql: &str, parameters: Parameters) -> Result<Vec<Row>> {
        self.session.fetch_all(sql, parameters.0).await
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
        schema::insert(&self.session, kind, payloads, &options, self.max_attempts).await
    }

    /// Keeps what was done, and ends the transaction.
    #[proxy(close)]
    pub async fn commit(self) -> Result<()> {
        self.session.commit().await
    }

    /// Undoes what was done, and ends the transaction.
    #[proxy(abandon)]
    pub async fn rollback(self) -> Result<()> {
        self.session.rollback().await
    }
}

impl Transaction {
    pub(crate) fn new(session: Session, max_attempts: u32) -> Self {
        Self { session, max_attempts }
    }
}
