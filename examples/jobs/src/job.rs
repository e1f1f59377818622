//! Jobs, and what is told of them.

use async_proxy::sync_proxy;
use turso_driver::Row;

use crate::error::{JobsError, Result};

/// A job, as it was when it was claimed or listed.
#[sync_proxy(value)]
#[derive(Clone, PartialEq, Debug)]
pub struct Job {
    /// Its number.
    pub id: i64,
    /// The queue in which it waits.
    pub queue: String,
    /// What is to be done.
    pub kind: String,
    /// What it is to be done with, in whatever form the program chooses; JSON by habit.
    pub payload: String,
    /// `available`, `running`, `completed`, `failed` or `cancelled`.
    pub state: String,
    /// Jobs with a higher one go first.
    pub priority: i64,
    /// How often it was claimed. Who has claimed it shows that it still has the job by this number.
    pub attempt: u32,
    /// How often it may be claimed before it has failed for good.
    pub max_attempts: u32,
    /// When it may be claimed, in seconds since 1970.
    pub run_at: f64,
    /// What its latest attempt failed with.
    pub error: Option<String>,
}

impl Job {
    /// The columns that [`Job::read`] reads.
    pub(crate) const COLUMNS: &str = "id, queue, kind, payload, state, priority, attempt, max_attempts, run_at, error";

    pub(crate) fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            queue: row.get(1)?,
            kind: row.get(2)?,
            payload: row.get(3)?,
            state: row.get(4)?,
            priority: row.get(5)?,
            attempt: row.get(6)?,
            max_attempts: row.get(7)?,
            run_at: row.get(8)?,
            error: row.get(9)?,
        })
    }
}

/// How a job is inserted.
#[sync_proxy]
#[derive(Clone, PartialEq, Debug)]
pub struct InsertOptions {
    /// The queue in which it waits.
    #[proxy(default = "default", keyword_only)]
    pub queue: String,
    /// Jobs with a higher one go first.
    #[proxy(default = 0)]
    pub priority: i64,
    /// How many seconds it waits before it may be claimed.
    #[proxy(default = 0.0)]
    pub delay: f64,
    /// How often it may be claimed before it has failed for good; the client's own number where it is left out.
    #[proxy(default = None)]
    pub max_attempts: Option<u32>,
}

impl Default for InsertOptions {
    fn default() -> Self {
        Self {
            queue: "default".to_owned(),
            priority: 0,
            delay: 0.0,
            max_attempts: None,
        }
    }
}

impl InsertOptions {
    pub(crate) fn check(&self) -> Result<()> {
        if !self.delay.is_finite() || self.delay < 0.0 {
            return Err(JobsError::BadSetting(format!(
                "`delay` is {}: give seconds, 0 or more",
                self.delay
            )));
        }
        if self.max_attempts == Some(0) {
            return Err(JobsError::BadSetting(
                "`max_attempts` is 0: a job is tried at least once".to_owned(),
            ));
        }
        Ok(())
    }
}

/// How a queue stands.
#[sync_proxy(value)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueStats {
    /// The queue.
    pub queue: String,
    /// Whether nothing is claimed from it until it is resumed.
    pub paused: bool,
    /// Jobs that wait, those for a later time among them.
    pub available: u64,
    /// Jobs that somebody has claimed.
    pub running: u64,
    /// Jobs that are done.
    pub completed: u64,
    /// Jobs whose attempts are used up.
    pub failed: u64,
    /// Jobs that were cancelled.
    pub cancelled: u64,
}

/// Whether the queue works.
#[sync_proxy(value)]
#[derive(Clone, PartialEq, Debug)]
pub struct Health {
    /// The version of the tables.
    pub schema_version: u32,
    /// How many jobs there are.
    pub jobs: u64,
    /// How many seconds it took to find out.
    pub seconds: f64,
}
