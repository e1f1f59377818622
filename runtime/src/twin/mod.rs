//! What the blocking twins of an async API stand on: the other half of [`sync_proxy`](crate::sync_proxy).
//!
//! ```
//! use async_proxy::sync_proxy;
//! use async_proxy::twin::TwinError;
//!
//! /// A store whose author wrote `async fn`.
//! pub struct Store {
//!     lines: tokio::sync::Mutex<Vec<String>>,
//! }
//!
//! #[sync_proxy]
//! impl Store {
//!     /// Opens a store.
//!     #[proxy(open)]
//!     pub async fn open(name: &str) -> Result<Self, std::io::Error> {
//!         if name.is_empty() {
//!             return Err(std::io::ErrorKind::NotFound.into());
//!         }
//!         Ok(Self { lines: Default::default() })
//!     }
//!
//!     /// Appends a line and gives its number.
//!     pub async fn append(&self, line: &str) -> usize {
//!         let mut lines = self.lines.lock().await;
//!         lines.push(line.to_owned());
//!         lines.len()
//!     }
//! }
//!
//! # fn main() {
//! let store = BlockingStore::open("notes").unwrap();
//! assert_eq!(store.append("one").unwrap(), 1);
//! assert!(matches!(BlockingStore::open(""), Err(TwinError::Call(_))));
//! # }
//! ```
//!
//! # What one can rely on
//!
//! - A twin polls the future of its method in the thread that calls it, inside of the context of a tokio runtime: one that is
//!   made when the first twin is called and stays ([`Driver::shared`]), or a given one ([`Driver::on`], [`share`]). So the
//!   future need not be `Send`, arguments are lent as they are, and a panic goes to the caller, as from an `.await`.
//! - In a thread in which tokio polls a task a twin gives [`TwinError::OnRuntime`] and does nothing: while it waited, the tasks
//!   of that thread would stand still, and the one that it waits for may be among them. A thread of `spawn_blocking`, one
//!   inside of `block_in_place`, and one that runs an event loop of another kind may call twins.
//! - A future is dropped in the context of its runtime, and so is the object of a blocking class.
//! - After a fork the child's first twin makes a runtime of the child's own. What the object itself had running in the parent
//!   (a connection, a task) is the object's affair.

mod driver;
mod error;
mod items;
mod kept;
mod refuse;
mod shared;
mod wait;

pub use driver::Driver;
#[cfg(feature = "python")]
pub(crate) use error::Refused;
pub use error::{AlreadyShared, Answer, HandedOut, SingleThreaded, TwinError};
pub use items::Items;
pub use kept::{Blocking, Kept, Mirrored, awaitable, readable};
pub use shared::share;
#[cfg(feature = "python")]
pub(crate) use wait::Watch;
