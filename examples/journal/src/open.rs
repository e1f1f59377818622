//! Opening a journal.

use std::path::Path;

use async_proxy::async_proxy;

use crate::error::Result;
use crate::journal::Journal;

/// How a journal is opened.
#[async_proxy]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenOptions {
    /// Whether a file that does not exist is made.
    #[proxy(default = True)]
    pub create: bool,
    /// The most bytes that one entry may have.
    #[proxy(default = 1048576)]
    pub largest_entry: u32,
    /// Whether an entry that is incomplete at the end of the file is cut off. Without it such a file is refused.
    #[proxy(default = False, keyword_only)]
    pub repair: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            create: true,
            largest_entry: 1_048_576,
            repair: false,
        }
    }
}

/// Opens the journal at that path.
///
/// Every head in the file is looked at once, to find where the entries begin; their texts are not read. A file that ends in the
/// middle of an entry is an error, unless `repair` says to cut that entry off.
#[async_proxy]
pub fn open(path: impl AsRef<Path>, #[proxy(spread)] options: OpenOptions) -> Result<Journal> {
    Journal::open(path.as_ref(), options)
}
