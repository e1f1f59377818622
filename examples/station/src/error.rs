//! What can go wrong.

use std::{error, fmt, io};

use async_proxy::async_proxy;

/// The result of whatever can end with a [`StationError`].
pub type Result<T, E = StationError> = std::result::Result<T, E>;

/// What can go wrong with a station.
#[async_proxy]
#[derive(Debug)]
pub enum StationError {
    /// The system refused to read or write a file.
    #[proxy(exception = "StationError")]
    File {
        /// What was being done: `opening …`.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// A call was interrupted.
    #[proxy(exception = "Interrupted", base = "StationError")]
    Interrupted,
    /// Something was given that cannot be measured.
    #[proxy(exception = "ValueError")]
    BadReading(String),
}

impl StationError {
    /// Says what was being done when the system refused.
    pub(crate) fn file(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::File { doing, source }
    }
}

impl fmt::Display for StationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { doing, source } => write!(formatter, "{doing}: {source}"),
            Self::Interrupted => formatter.write_str("interrupted: call it again to go on"),
            Self::BadReading(message) => formatter.write_str(message),
        }
    }
}

impl error::Error for StationError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            _ => None,
        }
    }
}
