//! Reads the description of a blocking API and writes what follows from it: the Rust async proxies, the source of a
//! Python module, the asyncio driver in front of that module and its type stubs.
//!
//! The way through, one module for each step: [`config`] says what is read and written, [`python`] and [`rust`] render
//! it in memory. Every fault of a description is collected in [`diagnose::Diagnostics`] and shown with its place in the
//! source.

#![forbid(unsafe_code)]

pub mod config;
pub mod diagnose;
pub mod header;
pub mod output;
pub mod python;

pub use config::{Config, load};
pub use output::File;
