//! The native queue: what runs calls in a thread that does not take the GIL.
//!
//! A call has three phases. Its arguments become values of Rust when it is made, in the thread of whoever makes it; it
//! runs in the thread of the worker, without the GIL; its result becomes Python objects in the thread of the event loop
//! that waits for it. Results come to a loop in batches, through one notifier for each loop. Anything else that can be
//! called is run in the worker's thread with the GIL, as by a worker without this queue.

mod attached;
mod awaited;
mod call;
mod gate;
mod haste;
mod items;
mod notifier;
mod others;
mod running;
mod steps;
mod thread_end;
mod token;

pub use awaited::AwaitedCall;
pub use call::{Budget, Finish, GiveUp, NativeCall, Step, Work};
pub use items::NativeQueue;
pub use token::NativeToken;

pub(super) use notifier::raisable;
pub(super) use running::{deliver_part, is_interrupted};
