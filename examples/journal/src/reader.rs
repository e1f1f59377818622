//! Reading a journal.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::Path;

use async_proxy::async_proxy;

use crate::entry::Entry;
use crate::error::{JournalError, Result};
use crate::record::{read_head, read_text};

/// A place in a journal, from which entries are read.
pub struct Reader {
    file: BufReader<File>,
    /// Where each entry begins, as the journal was when the reader was made.
    starts: Vec<u64>,
    /// The number of the next entry.
    next: u64,
}

/// Reads the entries of a journal in their order.
#[async_proxy]
impl Reader {
    /// Goes on at the entry of that number; the number behind the last entry is the end.
    pub fn seek(&mut self, number: u64) -> Result<&mut Self> {
        let length = self.starts.len() as u64;
        if number > length {
            return Err(JournalError::NoSuchEntry { number, length });
        }
        if let Some(start) = self.starts.get(number as usize) {
            self.file
                .seek(SeekFrom::Start(*start))
                .map_err(JournalError::file("reading the file"))?;
        }
        self.next = number;
        Ok(self)
    }

    /// The next entry, or nothing at the end.
    ///
    /// A damaged entry is an error; the call after it goes on with the entry behind.
    #[proxy(rows)]
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        let number = self.next;
        if number >= self.starts.len() as u64 {
            return Ok(None);
        }
        let text = read_head(&mut self.file, number).and_then(|head| read_text(&mut self.file, head, number));
        match text {
            Ok(text) => {
                self.next = number + 1;
                Ok(Some(Entry { number, text }))
            }
            Err(error) => {
                // The file is somewhere within the damaged entry.
                self.seek(number + 1)?;
                Err(error)
            }
        }
    }

    /// The next entries, at most `size` of them. If one of them is damaged, the error comes in place of those before it.
    #[proxy(rows)]
    pub fn next_entries(&mut self, size: usize) -> Result<Vec<Entry>> {
        self.entries().take(size).collect()
    }

    /// All entries that remain. If one of them is damaged, the error comes in place of those before it.
    #[proxy(rows)]
    pub fn remaining(&mut self) -> Result<Vec<Entry>> {
        self.entries().collect()
    }

    /// The entries that remain, one by one.
    #[proxy(rows)]
    pub fn entries(&mut self) -> Entries<'_> {
        Entries { reader: self }
    }
}

impl Reader {
    pub(crate) fn new(path: &Path, starts: Vec<u64>) -> Result<Self> {
        // A handle of its own: one that was duplicated would share its place in the file with the journal's.
        let file = File::open(path).map_err(JournalError::file(format!("opening {}", path.display())))?;
        Ok(Self {
            file: BufReader::new(file),
            starts,
            next: 0,
        })
    }
}

/// The entries that a reader has before it.
pub struct Entries<'reader> {
    reader: &'reader mut Reader,
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        self.reader.next_entry().transpose()
    }
}
