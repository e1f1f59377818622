//! What a description of a blocking API says, and what follows from it.
//!
//! The macro and the generator run the same phases: [`parse`] reads annotated items, [`check`] applies the rules that one
//! item shows, [`resolve`] (the generator only) those between items; [`emit`] turns the model into Rust proxies. All faults
//! go to one [`report::Report`] and come out together, each at its span, each with what to write instead.

#![forbid(unsafe_code)]

pub mod check;
pub mod depth;
pub mod emit;
pub mod expand;
pub mod model;
pub mod names;
pub mod parse;
pub mod report;
pub mod resolve;
pub mod strip;
