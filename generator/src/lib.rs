//! Reads the description of a blocking API and writes what follows from it: the Rust async proxies, the source of a
//! Python module, the asyncio driver in front of that module and its type stubs.
//!
//! The way through, one module for each step: [`config`] says what is read and written; [`source`] finds the files and
//! takes out what [`cfg`](mod@cfg) says is not there; [`describe`](mod@describe) reads the API from them; [`rust`] and [`python`]
//! render it in memory and [`lock`](mod@lock) locks it; [`plan`](mod@plan) compares the result with the output folder;
//! [`write`](mod@write) carries the plan out, or [`check`] shows it; [`changes`] and [`summary`] say in words what came of
//! it. [`run`](mod@run) is the sequence. Every fault of a description is collected in [`diagnose::Diagnostics`] and shown
//! with its place in the source.

#![forbid(unsafe_code)]

pub mod cfg;
pub mod changes;
pub mod check;
pub mod config;
pub mod describe;
pub mod diagnose;
pub mod header;
pub mod inspect;
pub mod lock;
pub mod output;
pub mod plan;
pub mod python;
mod python_changes;
mod python_signatures;
pub mod renamed;
pub mod run;
pub mod rust;
pub mod select;
pub mod source;
pub mod summary;
pub mod text;
pub mod write;

pub use config::{Config, load};
pub use output::File;
pub use run::{Mode, Outcome, Rendered, render, run};
