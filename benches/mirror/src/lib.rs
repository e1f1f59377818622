//! The same futures, run by what is generated and by its peers.

// The generated glue names this crate from outside.
extern crate self as mirror_bench;

mod api;
// The generator, which makes it, does not look for it.
#[cfg(feature = "module")]
#[rustfmt::skip]
#[path = "../generated/native/mod.rs"]
mod generated;
mod peers;

pub use api::{BlockingFutures, Futures, make, make_sync};
