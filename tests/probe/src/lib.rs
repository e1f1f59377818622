//! An API whose calls wait, fail and panic when a test says so, and that notes what became of them: what the fault matrix tries
//! workers with where it has to know, and not to guess, whether a call is queued, runs, or has run.

#![forbid(unsafe_code)]

mod charge;
mod gauge;
mod part;
mod probe;

pub use crate::charge::{Charge, Heavy};
pub use crate::gauge::Gauge;
pub use crate::part::Part;
pub use crate::probe::{Probe, open};

use std::{error, fmt};

use async_proxy::async_proxy;

/// The result of whatever can end with a [`ProbeError`].
pub type Result<T, E = ProbeError> = std::result::Result<T, E>;

/// What a call ends with when it does not end well.
#[async_proxy]
#[derive(Debug)]
pub enum ProbeError {
    /// It was interrupted.
    #[proxy(exception = "Interrupted")]
    Interrupted,
    /// It was to fail.
    #[proxy(exception = "Failed")]
    Failed,
}

impl fmt::Display for ProbeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Interrupted => "interrupted",
            Self::Failed => "it was to fail",
        })
    }
}

impl error::Error for ProbeError {}
