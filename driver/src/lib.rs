//! A blocking driver for Turso (an engine that speaks SQLite's SQL and file format) in the terms of PEP 249.
//!
//! It behaves as Python's `sqlite3` module does, because that is what users of such an API know: implicit transactions,
//! `rowcount`, `description`, the class of every error. Where a rule comes from PEP 249 or from CPython's `sqlite3`, the
//! documentation of the item says so.
//!
//! ```
//! use turso_driver::{ConnectOptions, connect};
//!
//! # fn main() -> turso_driver::Result<()> {
//! let connection = connect(":memory:", ConnectOptions::default())?;
//! connection.execute("CREATE TABLE cities (name TEXT, inhabitants INTEGER)", ())?;
//! connection.executemany("INSERT INTO cities VALUES (?, ?)", [("Bern", 134_000), ("Basel", 177_000)])?;
//! connection.commit()?;
//!
//! let mut cursor = connection.execute("SELECT name FROM cities WHERE inhabitants > :least", [("least", 150_000)])?;
//! let row = cursor.fetchone()?.expect("one city is that large");
//! assert_eq!(row.get::<String>("name")?, "Basel");
//! # Ok(())
//! # }
//! ```
//! Each of these has an async proxy, made by `#[async_proxy]`: the calls run on a thread of the connection's own, and any
//! executor will do to await them.
//!
//! ```
//! use turso_driver::{ConnectOptions, connect_async};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # futures::executor::block_on(async {
//! let connection = connect_async(":memory:", ConnectOptions::default()).await?;
//! let cursor = connection.execute("SELECT 6 * ?", (7,)).await?;
//! let row = cursor.fetchone().await?.expect("a row");
//! assert_eq!(row.get::<i64>(0)?, 42);
//! connection.close().await?;
//! # Ok(())
//! # })
//! # }
//! ```
#![deny(unsafe_code)]

mod cache;
mod connection;
mod cursor;
mod description;
mod dialect;
mod engine;
mod error;
mod execution;
mod interrupt;
mod log_file;
mod open;
mod options;
#[cfg(feature = "python")]
mod packing;
mod params;
#[cfg(feature = "python")]
mod python;
mod refusing_io;
mod row;
mod rows;
mod session;
#[cfg(target_os = "linux")]
mod small_pages;
mod sql;
mod statement;
#[cfg(feature = "sync")]
mod sync;
#[cfg(test)]
mod tests;
mod uri;
mod value;

pub use connection::{Anything, AsyncConnection, Connection, connect, connect_async};
pub use cursor::{AsyncCursor, Cursor};
pub use description::{Column, Description};
pub use error::{Error, Fault, Result};
pub use open::sqlite_version;
pub use options::{Autocommit, ConnectOptions, Encryption, IsolationLevel};
pub use params::{Lookup, Params, ParamsSequence, Unfit};
pub use row::{FromValue, Row, RowIndex};
pub use rows::Rows;
#[cfg(feature = "sync")]
pub use sync::{
    AsyncConnectionSync, Conflict, ConnectionSync, Keep, PartialSyncBootstrap, PartialSyncOpts,
    PartialSyncPrefixBootstrap, PartialSyncQueryBootstrap, RemoteEncryptionCipher, SuppliedText, SyncOptions,
    SyncStats, connect_sync, connect_sync_async,
};
pub use value::Value;

/// The examples of the README are documentation tests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
