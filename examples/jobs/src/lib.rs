//! A persistent job queue on Turso, written once as `async fn` and described for async-proxy.
//!
//! A program inserts jobs; workers, in the same process or in another run of it, claim them. A job is durable once `insert` has
//! returned. It is delivered at least once: who claims a job has it for the time of a lease, and if it is neither completed nor
//! failed by then, because the worker died or hangs, the next one gets it. A job that fails is tried again, each time later,
//! until its attempts are used up.
//!
//! The methods stand on the driver's generated async proxies; the attributes make the blocking twins out of them: a
//! `BlockingClient` and a `BlockingTransaction` in Rust, and a Python package whose methods are awaited, or called with `_sync`.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("jobs.db");
//! use jobs::{ClientOptions, InsertOptions};
//!
//! let client = jobs::connect_sync(&path, ClientOptions::default())?;
//! client.migrate()?;
//! let id = client.insert("greet", r#"{"whom": "Ada"}"#, InsertOptions::default())?;
//!
//! let claimed = client.claim("default", 1, None)?;
//! assert_eq!((claimed[0].id, claimed[0].attempt), (id, 1));
//! client.complete(id, claimed[0].attempt)?;
//! # client.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod client;
mod connect;
mod error;
mod job;
mod parameters;
mod pool;
mod schema;
mod transaction;

pub use crate::client::{BlockingClient, Client};
pub use crate::connect::{ClientOptions, connect, connect_sync};
pub use crate::error::{JobsError, Result};
pub use crate::job::{Health, InsertOptions, Job, QueueStats};
pub use crate::parameters::Parameters;
pub use crate::transaction::{BlockingTransaction, Transaction};
pub use turso_driver::Row;
