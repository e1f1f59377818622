//! The generator as a person runs it: each test makes a crate in a folder of its own and looks at what comes of it.

mod changes;
mod config;
mod corners;
mod expansion;
mod failing;
mod faults;
mod inspect;
mod project;
mod sources;
mod twins;
mod writing;
