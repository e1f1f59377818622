//! Async proxies for blocking Rust APIs.
#![forbid(unsafe_code)]

mod call;
mod class;
mod closing;
mod error;
mod handle;
mod lanes;
mod outcome;
mod queue;
mod rows;
mod storage;
mod task;
mod worker;
#[cfg(feature = "python")]
pub mod python;

pub use async_proxy_macros::async_proxy;
pub use call::{Call, Child, Open};
pub use class::{
    Absent, Extendable, ExtendedBoard, HandsOut, Keeper, NoSnapshot, Proxied, Proxy, ResultSet, Snapshot, check,
};
pub use closing::Close;
pub use error::CallError;
pub use handle::{Handle, open};
pub use outcome::{Answer, AsGiven, Checked, InNormalForm, Outcome, Plain};
pub use rows::{HandsDownRows, NextRow, NoRows, OneRow, RowBuffer, RowCount, RowStream, Rows};
pub use storage::{Access, Derive, Exclusive, InPlace, Owned, Place, ReachedExclusively, ReachedInPlace, Shared, Store};
pub use task::CallToken;
pub use worker::Worker;
