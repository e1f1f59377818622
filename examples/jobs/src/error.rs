//! What can go wrong.

use async_proxy::{CallError, sync_proxy};

/// The result of whatever can end with a [`JobsError`].
pub type Result<T, E = JobsError> = std::result::Result<T, E>;

/// What can go wrong with a queue.
#[sync_proxy]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobsError {
    /// The database refused: it is locked, damaged, or the SQL of a transaction is wrong.
    #[error("{0}")]
    #[proxy(exception = "JobsError")]
    Database(String),
    /// The database has no tables of this version.
    #[error("the database is not prepared for jobs: call `migrate` once before anything else")]
    #[proxy(exception = "NotMigrated", base = "JobsError")]
    NotMigrated,
    /// There is no job of that number, or it is not in a state in which that can be done to it.
    #[error("there is no job {id} that could be {done}: list_jobs() tells what there is")]
    #[proxy(exception = "NoSuchJob", base = "JobsError")]
    NoSuchJob {
        /// The number that was asked for.
        id: i64,
        /// What was to be done to it.
        done: &'static str,
    },
    /// The job was claimed again since: its lease ran out before it was done.
    #[error(
        "attempt {attempt} of job {id} has lost its lease, and somebody else may have the job: claim it with a longer lease, \
             or extend the lease while it runs"
    )]
    #[proxy(exception = "LeaseLost", base = "JobsError")]
    LeaseLost {
        /// The job.
        id: i64,
        /// The attempt that had it.
        attempt: u32,
    },
    /// The transaction is over, and what was done in it is undone.
    #[error(
        "the transaction is over: a call of it was cancelled, a statement made the database end it, or the queue was closed; \
             begin a new one"
    )]
    #[proxy(exception = "TransactionOver", base = "JobsError")]
    TransactionOver,
    /// A query that was to give a row gave none.
    #[error("the query gave no row: call `fetch_optional` if there may be none")]
    #[proxy(exception = "NoRow", base = "JobsError")]
    NoRow,
    /// A setting has a value that it cannot have.
    #[error("{0}")]
    #[proxy(exception = "ValueError")]
    BadSetting(String),
}

impl From<CallError<turso_driver::Error>> for JobsError {
    fn from(error: CallError<turso_driver::Error>) -> Self {
        let text = error.to_string();
        if text.contains("no such table: job") {
            return Self::NotMigrated;
        }
        Self::Database(text)
    }
}

impl From<turso_driver::Error> for JobsError {
    fn from(error: turso_driver::Error) -> Self {
        CallError::Call(error).into()
    }
}
