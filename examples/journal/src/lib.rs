//! An append-only journal file: a small blocking API, described for async-proxy.
//!
//! A journal is a file of numbered texts. New ones are appended at its end, old ones are never changed, and each carries a
//! checksum, so that a file that was cut short or damaged is noticed and not misread.
//!
//! Everything here is plain blocking Rust on the standard library. The attributes make the async side out of it: an
//! `AsyncJournal` and an `AsyncReader` in Rust, and a Python package with a blocking and an asyncio side.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("ship.journal");
//! let mut journal = journal::open(&path, journal::OpenOptions::default())?;
//! journal.append("left the harbour")?;
//! journal.append("saw a whale")?;
//!
//! let mut reader = journal.read(1)?;
//! let entry = reader.next_entry()?.expect("there are two entries");
//! assert_eq!((entry.number, entry.text.as_str()), (1, "saw a whale"));
//! # journal.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod entry;
mod error;
mod journal;
mod open;
mod reader;
mod record;

pub use crate::entry::Entry;
pub use crate::error::{JournalError, Result};
pub use crate::journal::{AsyncJournal, Journal};
pub use crate::open::{OpenOptions, open, open_async};
pub use crate::reader::{AsyncReader, Entries, Reader};
