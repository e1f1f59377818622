//! What generated native modules of async APIs stand on: the same object from event loops and from blocking code.
//!
//! A method of such a class becomes two: one gives an awaitable, which starts the method's future on the runtime's threads
//! when it is first awaited; the other, its twin, runs the future in the calling thread. The GIL is held by neither while the
//! future runs: results are values of Rust until they are in the thread that asked for them.
//!
//! Calls that take `&self` run side by side. Those that take `&mut self` have the object to themselves, in the order in which
//! the calls were begun: an awaitable when it is first awaited, a twin when it is called.

mod call;
mod ended;
mod items;
mod notifier;
mod object;
mod run;

pub use call::{Call, Opening, Ready};
pub use items::{AsyncItems, Feeder, SyncItems};
pub use object::{Exclusive, Mirror, Shared};
pub use run::{Run, start};
