//! The tables, and how jobs come into them.

use std::time::{SystemTime, UNIX_EPOCH};

use turso_driver::{Params, Value};

use crate::error::Result;
use crate::job::InsertOptions;
use crate::pool::Session;

/// The version of the tables: the number of steps below.
pub(crate) const VERSION: u32 = STEPS.len() as u32;

/// What each version added to the one before it.
const STEPS: [&[&str]; 1] = [&[
    "CREATE TABLE job (
        id INTEGER PRIMARY KEY,
        queue TEXT NOT NULL,
        kind TEXT NOT NULL,
        payload TEXT NOT NULL,
        state TEXT NOT NULL,
        priority INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        max_attempts INTEGER NOT NULL,
        run_at REAL NOT NULL,
        leased_until REAL,
        error TEXT
    )",
    "CREATE INDEX job_by_state ON job (queue, state, run_at)",
    "CREATE TABLE paused_queue (queue TEXT PRIMARY KEY)",
]];

/// The most jobs that one statement inserts.
const MOST_IN_STATEMENT: usize = 64;

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64()
}

/// The version of the tables that there are; 0 without any.
pub(crate) async fn version(session: &Session) -> Result<u32> {
    let row = session.fetch_one("PRAGMA user_version", Params::None).await?;
    Ok(row.get(0)?)
}

/// Brings the tables to this version, and gives the version that they had.
pub(crate) async fn migrate(session: &Session) -> Result<u32> {
    let before = version(session).await?;
    for step in STEPS.iter().skip(before as usize) {
        for statement in *step {
            session.execute(statement, Params::None).await?;
        }
    }
    if before < VERSION {
        session
            .execute(&format!("PRAGMA user_version = {VERSION}"), Params::None)
            .await?;
    }
    Ok(before)
}

/// Inserts jobs of one kind and gives their numbers, in order.
pub(crate) async fn insert(
    session: &Session,
    kind: &str,
    payloads: &[String],
    options: &InsertOptions,
    max_attempts: u32,
) -> Result<Vec<i64>> {
    options.check()?;
    let run_at = now() + options.delay;
    let mut numbers = Vec::with_capacity(payloads.len());
    for payloads in payloads.chunks(MOST_IN_STATEMENT) {
        let places = vec!["(?, ?, ?, 'available', ?, 0, ?, ?)"; payloads.len()].join(", ");
        let values = payloads.iter().flat_map(|payload| -> [Value; 6] {
            [
                options.queue.as_str().into(),
                kind.into(),
                payload.as_str().into(),
                options.priority.into(),
                i64::from(options.max_attempts.unwrap_or(max_attempts)).into(),
                run_at.into(),
            ]
        });
        let sql = format!(
            "INSERT INTO job (queue, kind, payload, state, priority, attempt, max_attempts, run_at) VALUES {places}
             RETURNING id"
        );
        for row in session.fetch_all(&sql, Params::positional(values)).await? {
            numbers.push(row.get(0)?);
        }
    }
    Ok(numbers)
}
