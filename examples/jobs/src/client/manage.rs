//! Looking after queues.

use std::time::Instant;

use async_proxy::sync_proxy;
use turso_driver::{Params, Value};

use super::{BlockingClient, Client};
use crate::error::{JobsError, Result};
use crate::job::{Health, Job, QueueStats};
use crate::schema::{self, now};

#[sync_proxy(extend)]
impl Client {
    /// Has a job that failed or was cancelled run again, with all of its attempts.
    pub async fn retry(&self, job_id: i64) -> Result<()> {
        let sql = "UPDATE job SET state = 'available', attempt = 0, run_at = ?, error = NULL
                   WHERE id = ? AND state IN ('failed', 'cancelled')";
        self.change_one(sql, (now(), job_id).into(), job_id, "tried again")
            .await
    }

    /// Cancels a job that waits. One that runs is not touched: who has claimed it may be half through.
    pub async fn cancel(&self, job_id: i64) -> Result<()> {
        let sql = "UPDATE job SET state = 'cancelled' WHERE id = ? AND state = 'available'";
        self.change_one(sql, [job_id].into(), job_id, "cancelled").await
    }

    /// Has the failed jobs run again, of a kind and of a queue if these are given. Gives their number.
    #[proxy(signature = (kind = None, queue = None))]
    pub async fn retry_failed(&self, kind: Option<&str>, queue: Option<&str>) -> Result<u64> {
        let sql = "UPDATE job SET state = 'available', attempt = 0, run_at = ?, error = NULL
                   WHERE state = 'failed' AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR queue = ?3)";
        self.change(sql, Params::positional([now().into(), kind.into(), Value::from(queue)]))
            .await
    }

    /// Deletes the failed jobs of a kind. Gives their number.
    pub async fn discard_failed(&self, kind: &str) -> Result<u64> {
        self.change("DELETE FROM job WHERE state = 'failed' AND kind = ?", [kind].into())
            .await
    }

    /// Has nothing be claimed from a queue until it is resumed. Jobs can be inserted all the same.
    pub async fn pause_queue(&self, queue: &str) -> Result<()> {
        self.change("INSERT OR IGNORE INTO paused_queue VALUES (?)", [queue].into())
            .await?;
        Ok(())
    }

    /// Lets jobs be claimed again from a queue that was paused.
    pub async fn resume_queue(&self, queue: &str) -> Result<()> {
        self.change("DELETE FROM paused_queue WHERE queue = ?", [queue].into())
            .await?;
        Ok(())
    }

    /// Cancels all jobs of a queue that wait. Gives their number.
    pub async fn drain_queue(&self, queue: &str) -> Result<u64> {
        let sql = "UPDATE job SET state = 'cancelled' WHERE state = 'available' AND queue = ?";
        self.change(sql, [queue].into()).await
    }

    /// How each queue stands that has jobs, or is paused, by their names.
    pub async fn queue_stats(&self) -> Result<Vec<QueueStats>> {
        let session = self.pool.take().await?;
        let rows = session
            .fetch_all(
                "SELECT queue, state, COUNT(*) FROM job GROUP BY queue, state
                 UNION ALL SELECT queue, 'paused', 0 FROM paused_queue ORDER BY 1",
                Params::None,
            )
            .await?;
        session.give_back();
        let mut queues: Vec<QueueStats> = Vec::new();
        for row in rows {
            let (queue, state, count): (String, String, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if queues.last().is_none_or(|last| last.queue != queue) {
                queues.push(QueueStats {
                    queue,
                    paused: false,
                    available: 0,
                    running: 0,
                    completed: 0,
                    failed: 0,
                    cancelled: 0,
                });
            }
            let Some(stats) = queues.last_mut() else { continue };
            match state.as_str() {
                "paused" => stats.paused = true,
                "available" => stats.available = count,
                "running" => stats.running = count,
                "completed" => stats.completed = count,
                "failed" => stats.failed = count,
                _ => stats.cancelled = count,
            }
        }
        Ok(queues)
    }

    /// Lists jobs by their numbers, of a queue, a kind and a state if these are given.
    #[proxy(signature = (queue = None, kind = None, state = None, *, limit = 100))]
    pub async fn list_jobs(
        &self,
        queue: Option<&str>,
        kind: Option<&str>,
        state: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Job>> {
        let sql = format!(
            "SELECT {} FROM job WHERE (?1 IS NULL OR queue = ?1) AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR state = ?3)
             ORDER BY id LIMIT ?4",
            Job::COLUMNS
        );
        let values = [queue.into(), kind.into(), state.into(), Value::from(i64::from(limit))];
        let session = self.pool.take().await?;
        let rows = session.fetch_all(&sql, Params::positional(values)).await?;
        session.give_back();
        rows.iter().map(Job::read).collect()
    }

    /// Asks the database whether the queue works.
    pub async fn health_check(&self) -> Result<Health> {
        let begin = Instant::now();
        let session = self.pool.take().await?;
        let schema_version = schema::version(&session).await?;
        if schema_version != schema::VERSION {
            return Err(JobsError::NotMigrated);
        }
        let row = session.fetch_one("SELECT COUNT(*) FROM job", Params::None).await?;
        session.give_back();
        Ok(Health {
            schema_version,
            jobs: row.get(0)?,
            seconds: begin.elapsed().as_secs_f64(),
        })
    }
}

impl Client {
    async fn change(&self, sql: &str, parameters: Params) -> Result<u64> {
        let session = self.pool.begin().await?;
        let changed = session.execute(sql, parameters).await?;
        session.commit().await?;
        Ok(changed)
    }

    async fn change_one(&self, sql: &str, parameters: Params, id: i64, done: &'static str) -> Result<()> {
        match self.change(sql, parameters).await? {
            0 => Err(JobsError::NoSuchJob { id, done }),
            _ => Ok(()),
        }
    }
}
