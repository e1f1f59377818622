//! The way of jobs to those who do them.

use std::future::Future;
use std::time::Duration;

use async_proxy::sync_proxy;
use futures::Stream;
use futures::stream::try_unfold;
use turso_driver::{Params, Value};

use super::{BlockingClient, Client};
use crate::connect::check_seconds;
use crate::error::{JobsError, Result};
use crate::job::Job;
use crate::schema::now;

#[sync_proxy(extend)]
impl Client {
    /// Claims up to `limit` jobs of a queue that may run now, the most urgent first. Each belongs to the caller for `lease`
    /// seconds; if it is neither completed nor failed by then, somebody else gets it.
    #[proxy(signature = (queue = "default", limit = 1, lease = None))]
    pub async fn claim(&self, queue: &str, limit: u32, lease: Option<f64>) -> Result<Vec<Job>> {
        let (now, lease) = (now(), check_seconds("lease", lease.unwrap_or(self.options.lease))?);
        let session = self.pool.begin().await?;
        // Those whose last attempt ran out of its lease have failed for good.
        let expired = "queue = ?1 AND state = 'running' AND leased_until < ?2";
        session
            .execute(
                &format!("UPDATE job SET state = 'failed', error = 'its lease ran out' WHERE {expired} AND attempt >= max_attempts"),
                (queue, now),
            )
            .await?;
        let ready = session
            .fetch_all(
                &format!(
                    "SELECT id FROM job WHERE (({expired}) OR (queue = ?1 AND state = 'available' AND run_at <= ?2))
                         AND queue NOT IN (SELECT queue FROM paused_queue)
                     ORDER BY priority DESC, run_at, id LIMIT ?3"
                ),
                (queue, now, i64::from(limit)),
            )
            .await?;
        let mut jobs = Vec::with_capacity(ready.len());
        for row in ready {
            let sql = format!(
                "UPDATE job SET state = 'running', attempt = attempt + 1, leased_until = ? WHERE id = ? RETURNING {}",
                Job::COLUMNS
            );
            let claimed = session.fetch_all(&sql, (now + lease, row.get::<i64>(0)?)).await?;
            jobs.extend(claimed.iter().map(Job::read).collect::<Result<Vec<_>>>()?);
        }
        session.commit().await?;
        Ok(jobs)
    }

    /// The jobs of a queue as they come, each claimed when it is asked for. It never ends by itself.
    #[proxy(signature = (queue = "default", lease = None))]
    pub fn deliveries(&self, queue: &str, lease: Option<f64>) -> impl Stream<Item = Result<Job>> + Send + use<> {
        let (client, queue) = (self.clone(), queue.to_owned());
        try_unfold((client, queue), move |(client, queue)| async move {
            loop {
                if let Some(job) = client.claim(&queue, 1, lease).await?.pop() {
                    return Ok(Some((job, (client, queue))));
                }
                tokio::time::sleep(Duration::from_secs_f64(client.options.poll)).await;
            }
        })
    }

    /// Says that a claimed job is done. `attempt` is the job's own, which shows that the caller still has it.
    pub async fn complete(&self, job_id: i64, attempt: u32) -> Result<()> {
        let sql = "UPDATE job SET state = 'completed', leased_until = NULL, error = NULL
                   WHERE id = ? AND attempt = ? AND state = 'running'";
        self.end_attempt(sql, job_id, attempt, Vec::new()).await
    }

    /// Says that a claimed job has failed, and why. It is tried again, later each time, until its attempts are used up.
    pub async fn fail(&self, job_id: i64, attempt: u32, error: &str) -> Result<()> {
        let doubled = self.options.backoff * 2_f64.powi(attempt.saturating_sub(1).min(60) as i32);
        let run_at = now() + doubled.min(self.options.longest_backoff);
        let sql = "UPDATE job SET leased_until = NULL, error = ?, run_at = ?,
                       state = CASE WHEN attempt >= max_attempts THEN 'failed' ELSE 'available' END
                   WHERE id = ? AND attempt = ? AND state = 'running'";
        self.end_attempt(sql, job_id, attempt, vec![error.into(), run_at.into()])
            .await
    }

    /// Gives the caller `lease` seconds more, from now on, for a job that it has claimed.
    pub async fn extend(&self, job_id: i64, attempt: u32, lease: f64) -> Result<()> {
        let sql = "UPDATE job SET leased_until = ? WHERE id = ? AND attempt = ? AND state = 'running'";
        self.end_attempt(
            sql,
            job_id,
            attempt,
            vec![(now() + check_seconds("lease", lease)?).into()],
        )
        .await
    }

    /// Does the jobs of a queue until the returned error, or until the future is dropped.
    ///
    /// # Errors
    /// What the database fails with. An error of the handler is the job's failure.
    #[proxy(
        skip = "a worker runs for as long as its program, and its handler is Rust; from Python: `async for job in deliveries()`"
    )]
    pub async fn work<F>(&self, queue: &str, mut handler: impl FnMut(Job) -> F) -> Result<()>
    where
        F: Future<Output = Result<(), String>>,
    {
        loop {
            let Some(job) = self.claim(queue, 1, None).await?.pop() else {
                tokio::time::sleep(Duration::from_secs_f64(self.options.poll)).await;
                continue;
            };
            let (id, attempt) = (job.id, job.attempt);
            let ended = match handler(job).await {
                Ok(()) => self.complete(id, attempt).await,
                Err(error) => self.fail(id, attempt, &error).await,
            };
            match ended {
                Err(JobsError::LeaseLost { .. }) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Client {
    async fn end_attempt(&self, sql: &str, job_id: i64, attempt: u32, mut values: Vec<Value>) -> Result<()> {
        values.extend([Value::from(job_id), Value::from(i64::from(attempt))]);
        let session = self.pool.begin().await?;
        let changed = session.execute(sql, Params::positional(values)).await?;
        session.commit().await?;
        if changed == 0 {
            return Err(JobsError::LeaseLost { id: job_id, attempt });
        }
        Ok(())
    }
}
