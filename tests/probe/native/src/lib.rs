//! The native module of the Python package `probe_aio`: what the generator wrote, compiled.

// Formatted by prettyplease, whose format is the format of record.
#[rustfmt::skip]
#[path = "../../generated/native/mod.rs"]
mod generated;
