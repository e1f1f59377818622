//! The native module of the Python package `station_aio`: what the generator wrote, compiled.

mod by_hand;

// Formatted by prettyplease, whose format is the format of record.
#[rustfmt::skip]
#[path = "../../generated/native/mod.rs"]
mod generated;
