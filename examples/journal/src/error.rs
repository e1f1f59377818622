//! What can go wrong.

use std::path::PathBuf;
use std::{error, fmt, io};

use async_proxy::async_proxy;

/// The result of whatever can end with a [`JournalError`].
pub type Result<T, E = JournalError> = std::result::Result<T, E>;

/// What can go wrong with a journal.
#[async_proxy]
#[derive(Debug)]
pub enum JournalError {
    /// The system refused to open, read or write the file.
    #[proxy(exception = "JournalError")]
    File {
        /// What was being done: `opening …`.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// The file exists and is something else than a journal.
    #[proxy(exception = "NotAJournal", base = "JournalError")]
    NotAJournal(PathBuf),
    /// The file ends in the middle of an entry, as it does when a machine stops while one is being written.
    #[proxy(exception = "TruncatedJournal", base = "JournalError")]
    Truncated {
        /// The number of the entry that is incomplete.
        number: u64,
    },
    /// The checksum of an entry does not agree with what is written.
    #[proxy(exception = "CorruptEntry", base = "JournalError")]
    Corrupt {
        /// The number of the entry.
        number: u64,
    },
    /// Somebody else wrote to the file after it was opened here.
    #[proxy(exception = "ChangedElsewhere", base = "JournalError")]
    ChangedElsewhere,
    /// A text is longer than the journal takes.
    #[proxy(exception = "EntryTooLong", base = "JournalError")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The most that the journal takes.
        largest: u32,
    },
    /// There is no entry of that number.
    #[proxy(exception = "IndexError")]
    NoSuchEntry {
        /// The number that was asked for.
        number: u64,
        /// How many entries there are.
        length: u64,
    },
    /// A setting has a value that it cannot have.
    #[proxy(exception = "ValueError")]
    BadSetting(String),
}

impl JournalError {
    /// Says what was being done when the system refused.
    pub(crate) fn file(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::File { doing, source }
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { doing, source } => write!(formatter, "{doing}: {source}"),
            Self::NotAJournal(path) => write!(
                formatter,
                "{} is not a journal: give the path of one, or of a file that does not exist yet",
                path.display()
            ),
            Self::Truncated { number } => write!(
                formatter,
                "the file ends in the middle of entry {number}: open it with `repair` to cut that entry off and keep the \
                 ones before it"
            ),
            Self::Corrupt { number } => write!(
                formatter,
                "entry {number} is damaged: its checksum does not agree with its bytes; restore the file from a copy"
            ),
            Self::ChangedElsewhere => formatter.write_str(
                "the file was changed from elsewhere since it was opened: close the journal and open it again",
            ),
            Self::TooLong { length, largest } => write!(
                formatter,
                "the text has {length} bytes and the journal takes {largest}: split it, or raise `largest_entry`"
            ),
            Self::NoSuchEntry { number, length } => {
                write!(
                    formatter,
                    "there is no entry {number}: the journal has {length}, counted from 0"
                )
            }
            Self::BadSetting(message) => formatter.write_str(message),
        }
    }
}

impl error::Error for JournalError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            _ => None,
        }
    }
}
