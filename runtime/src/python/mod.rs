//! The PyO3 side: what the source of a generated native module stands on.
//!
//! A native module has one class for each proxied type. Its objects hold the blocking object in [`Owned`] (one thread at
//! a time) or [`Shared`] (used in place); both run a call without the GIL from its beginning to its end, and never wait
//! for a lock of Rust while they hold the GIL. What the call gives comes back as a value, as an exception of the module
//! ([`IntoException`]), or, if the call panicked, as an exception too.
//!
//! Every call goes through one function, so that what is to happen around all of them (an answer to Ctrl-C in the main
//! thread, say) has one place to go. As in `sqlite3`, Ctrl-C does not interrupt a call that runs: `KeyboardInterrupt` is
//! raised when the call returns.

mod ahead;
mod arguments;
mod calls;
mod carried;
mod collector;
mod confined;
pub mod dbapi;
mod exceptions;
mod finalizer;
mod gather;
mod handed;
#[cfg(feature = "twins")]
pub mod mirror;
mod objects;
mod owned;
mod queue;
mod rows;
mod shared;
mod slot;
#[cfg(unix)]
mod wakeup;
#[cfg(unix)]
mod watching;

pub use ahead::{Ahead, ReaderCalls, Reads, TakeRows, Taken, Taking, end_over};
pub use arguments::{
    Given, Refusal, argument, given, given_path, leave_to_worker, path, recorded_argument, recorded_given,
};
pub use calls::{
    Calls, Making, call, call_for_child, call_for_child_tried, call_for_rows, call_for_rows_tried, call_to_close,
    call_unit, discard, discard_here,
};
pub use carried::carry;
pub use confined::Home;
pub use exceptions::{Failure, IntoException, Module};
pub use handed::Handed;
pub use objects::{Closed, Ran, Wrapper, run};
pub use owned::Owned;
pub use queue::{AwaitedCall, Budget, Finish, GiveUp, NativeCall, NativeQueue, NativeToken, Step, Work};
pub use rows::{Asker, Chunk, Limit, ReadRows, Rows, limit_of};
pub use shared::Shared;
pub use slot::Slot;
