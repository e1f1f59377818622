//! Async proxies for blocking Rust APIs, and what the generated code stands on.
//!
//! [`async_proxy`] on an inherent `impl` block declares a proxied class and emits its proxy beside it. The object is made,
//! used and dropped on a worker thread of its own; each method of the proxy queues a call and returns a future of its
//! result. The futures are `Send` and need no particular executor.
//!
//! ```
//! use async_proxy::{CallError, async_proxy};
//!
//! /// A blocking store: methods as one writes them without a thought of async.
//! pub struct Store {
//!     lines: Vec<String>,
//! }
//!
//! #[async_proxy]
//! impl Store {
//!     /// Opens a store.
//!     #[proxy(open)]
//!     pub fn open(name: &str) -> Result<Self, std::io::Error> {
//!         if name.is_empty() {
//!             return Err(std::io::ErrorKind::NotFound.into());
//!         }
//!         Ok(Self { lines: Vec::new() })
//!     }
//!
//!     /// Appends a line and gives its number.
//!     pub fn append(&mut self, line: &str) -> usize {
//!         self.lines.push(line.to_owned());
//!         self.lines.len()
//!     }
//!
//!     /// Ends the store.
//!     #[proxy(close)]
//!     pub fn close(self) -> Result<(), std::io::Error> {
//!         Ok(())
//!     }
//! }
//!
//! # fn main() {
//! futures::executor::block_on(async {
//!     let store = AsyncStore::open("notes").await.unwrap();
//!     // Queued in the order in which the methods are called, whether or not anybody awaits them yet.
//!     let (first, second) = (store.append("one"), store.append("two"));
//!     assert_eq!(second.await, Ok(2));
//!     assert_eq!(first.await, Ok(1));
//!     store.close().await.unwrap();
//!     assert_eq!(store.append("late").await, Err(CallError::Closed));
//!
//!     assert!(matches!(AsyncStore::open("").await, Err(CallError::Call(_))));
//! });
//! # }
//! ```
//!
//! # What one can rely on
//!
//! - A call runs at most once, in the order in which the calls were made. It is queued when the method is called, not when
//!   its future is first polled.
//! - A future that is dropped while its call is queued cancels it: it never runs. One that is dropped while its call runs
//!   calls the class's `interrupt` member, at a moment at which that call and no other is the current one; the call runs to
//!   its end, and its result is dropped. That moment may be after the method's last statement and before its result is
//!   stored: an `interrupt` member that sets a flag leaves it set then, so each method clears it when it begins, or looks at
//!   its [`CallToken`] in its place.
//! - A panic in a call is [`CallError::Panicked`] for its caller, and the worker goes on. So it does when an argument, a
//!   result, the object itself or a waker panics in the worker.
//! - `close` runs once, after what was queued before it; later calls give [`CallError::Closed`] at once. Its future, and that
//!   of each further close, is ready when the object is dropped and the worker's thread is about to end. It is not undone by
//!   dropping the future.
//! - A class with a member that answers also when it is closed keeps its object until the last proxy is dropped; all others
//!   are dropped by their close, on their worker.
//! - To wake a sleeping thread takes far longer than a short call. So a worker that got its latest call within 100 µs looks for the
//!   next one for as long before it sleeps; one worker does at a time on two processors, none on one, and few where such looks
//!   find nothing.
//! - When the last proxy of an object is dropped, what is queued is run, the object is dropped on its worker and the thread
//!   ends. Objects that were handed out keep the one that they come from open.
//! - An `open` that fails, panics or is dropped leaves neither an object nor a thread. If no thread can be started, it gives
//!   [`CallError::Gone`].
//!
//! # What to avoid
//!
//! A method that runs on the worker (a callback that it was given, say) may make calls through the proxy of its own object,
//! but must not block until they are done: they wait for the worker, which waits for them. Nothing can tell such a wait from
//! others, so it hangs.
//!
//! A member marked `rows` reads a result set that is there or can be computed: rows are read ahead, up to 64 or for a
//! millisecond, and the first of them are read by the call that begins the result set. One that waits for the outside world
//! (the next message of a subscription) is an ordinary call.
//!
//! Lanes end before their object: when it is closed, calls that wait in a lane are refused and those that run are
//! interrupted, and the close waits for the latter; an API with lanes gives each an `interrupt` member, or looks at the
//! [`CallToken`].
#![forbid(unsafe_code)]

mod call;
mod class;
mod closing;
mod error;
mod handle;
mod haste;
mod lanes;
mod outcome;
#[cfg(feature = "python")]
pub mod python;
mod queue;
mod rows;
mod span;
mod storage;
mod task;
#[cfg(feature = "twins")]
pub mod twin;
mod worker;

pub use async_proxy_macros::async_proxy;
#[cfg(feature = "twins")]
pub use async_proxy_macros::sync_proxy;
pub use call::{Call, Child, Open};
pub use class::{
    Absent, Extendable, ExtendedBoard, HandsOut, Keeper, NoSnapshot, Proxied, Proxy, ResultSet, Snapshot, check,
};
pub use closing::Close;
pub use error::CallError;
pub use handle::{Handle, open};
pub use outcome::{Answer, AsGiven, Checked, InNormalForm, Outcome, Plain};
pub use rows::{HandsDownRows, NextRow, NoRows, OneRow, RowBuffer, RowCount, RowStream, Rows};
pub use span::call_began;
pub use storage::{
    Access, Derive, Exclusive, Extends, InPlace, Owned, Place, ReachedExclusively, ReachedInPlace, Shared, Store,
    as_base,
};
pub use task::CallToken;
pub use worker::Worker;
