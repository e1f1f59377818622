//! Opening a queue.

use std::path::Path;

use async_proxy::sync_proxy;

use crate::client::Client;
use crate::error::{JobsError, Result};
use crate::pool::Pool;

/// How a queue is opened. Times are in seconds.
#[sync_proxy]
#[derive(Clone, PartialEq, Debug)]
pub struct ClientOptions {
    /// How long a claimed job belongs to who has claimed it, where the claim says nothing else.
    #[proxy(default = 30.0, keyword_only)]
    pub lease: f64,
    /// How often a job is tried, where the insert says nothing else.
    #[proxy(default = 5)]
    pub max_attempts: u32,
    /// How long a job waits after its first failure. Each further failure doubles it.
    #[proxy(default = 1.0)]
    pub backoff: f64,
    /// The longest that it waits.
    #[proxy(default = 3600.0)]
    pub longest_backoff: f64,
    /// How often `deliveries` looks for new jobs while there are none.
    #[proxy(default = 0.5)]
    pub poll: f64,
    /// The most connections to the database. Each is a thread; they are opened when they are needed.
    #[proxy(default = 8)]
    pub connections: u32,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            lease: 30.0,
            max_attempts: 5,
            backoff: 1.0,
            longest_backoff: 3600.0,
            poll: 0.5,
            connections: 8,
        }
    }
}

impl ClientOptions {
    fn check(&self) -> Result<()> {
        for (name, seconds) in [
            ("lease", self.lease),
            ("backoff", self.backoff),
            ("longest_backoff", self.longest_backoff),
            ("poll", self.poll),
        ] {
            check_seconds(name, seconds)?;
        }
        if self.max_attempts == 0 || self.connections == 0 {
            return Err(JobsError::BadSetting(
                "`max_attempts` or `connections` is 0: give at least 1".to_owned(),
            ));
        }
        Ok(())
    }
}

/// The longest time that can be given, in seconds: some thirty thousand years. A [`std::time::Duration`] has an end.
const LONGEST_SECONDS: f64 = 1e12;

/// Gives a time back if it is one that can be waited for.
pub(crate) fn check_seconds(name: &str, seconds: f64) -> Result<f64> {
    if seconds > 0.0 && seconds <= LONGEST_SECONDS {
        return Ok(seconds);
    }
    Err(JobsError::BadSetting(format!(
        "`{name}` is {seconds}: give seconds, more than 0 and at most {LONGEST_SECONDS}"
    )))
}

/// Opens the queue in the database at that path. The file is made if there is none; `migrate` makes its tables.
#[sync_proxy]
pub async fn connect(path: impl AsRef<Path>, #[proxy(spread)] options: ClientOptions) -> Result<Client> {
    options.check()?;
    let pool = Pool::open(path.as_ref(), options.connections).await?;
    Ok(Client::new(pool, options))
}
