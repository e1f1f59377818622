//! A weather station, and one that exchanges its readings with others: a small blocking API, described for async-proxy.
//!
//! A station keeps its readings in a file. A linked station is a station ([`LinkedStation`] derefs to [`Station`]) that
//! sends its readings to a folder, which stands for a slow network, and fetches those that others put there. Fetching may
//! wait for long, so it has a lane of its own, and so has sending: measuring goes on meanwhile.
//!
//! Everything here is plain blocking Rust on the standard library. The attributes make the async side out of it.

#![forbid(unsafe_code)]

mod error;
mod link;
mod reader;
mod station;
mod wait;

pub use crate::error::{Result, StationError};
pub use crate::link::{
    AsyncLinkedStation, Exchange, LinkOptions, LinkedStation, Source, connect_link, connect_link_async,
};
pub use crate::reader::{AsyncMarkedReader, AsyncReader, MarkedReader, Reader};
pub use crate::station::{AsyncStation, Station, open, open_async};
