//! The journal itself.

use std::fs::{File, OpenOptions as FileOptions};
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use async_proxy::async_proxy;

use crate::error::{JournalError, Result};
use crate::open::OpenOptions;
use crate::reader::Reader;
use crate::record::{HEAD, MAGIC, read_head, write_record};

/// An open journal. It is closed when it is dropped, too, but then nobody hears of an error.
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Where each entry begins.
    starts: Vec<u64>,
    /// Where the next entry will begin: the length of the file.
    end: u64,
    largest_entry: u32,
}

/// An append-only file of numbered texts.
#[async_proxy]
impl Journal {
    /// Appends a text and gives the number of the entry that it became.
    ///
    /// When the write fails (the disk is full, say), the file is as it was.
    pub fn append(&mut self, text: &str) -> Result<u64> {
        self.append_texts(&[text])
    }

    /// Appends all of the texts or, if one of them cannot be appended, none. Gives the number of the first of them.
    pub fn append_all(&mut self, texts: &[String]) -> Result<u64> {
        self.append_texts(texts)
    }

    /// Waits until the disk has everything that was appended.
    pub fn flush_to_disk(&mut self) -> Result<()> {
        self.file.sync_all().map_err(JournalError::file("writing to the disk"))
    }

    /// Begins to read at the entry of that number. The reader sees the entries that the journal has now, and no later ones.
    #[proxy(child, signature = (first = 0))]
    pub fn read(&self, first: u64) -> Result<Reader> {
        let mut reader = Reader::new(&self.path, self.starts.clone())?;
        reader.seek(first)?;
        Ok(reader)
    }

    /// How many entries the journal has.
    #[proxy(property, snapshot)]
    pub fn length(&self) -> u64 {
        self.starts.len() as u64
    }

    /// Where the file is.
    #[proxy(property, snapshot)]
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// The most bytes that an entry may have. Longer ones that are in the file already can be read all the same.
    #[proxy(property, snapshot)]
    pub fn largest_entry(&self) -> u32 {
        self.largest_entry
    }

    /// Sets the most bytes that an entry may have.
    #[proxy(setter, check = "check_largest_entry")]
    pub fn set_largest_entry(&mut self, bytes: u32) -> Result<()> {
        Self::check_largest_entry(&bytes)?;
        self.largest_entry = bytes;
        Ok(())
    }

    /// Writes everything to the disk and closes the file.
    #[proxy(close)]
    pub fn close(mut self) -> Result<()> {
        self.flush_to_disk()
    }

    /// The file, to do something else with.
    #[proxy(skip = "a file handle would be used beside the worker that owns the journal")]
    pub fn into_file(self) -> File {
        self.file
    }
}

impl Journal {
    /// Whether `largest_entry` can be set to that value. Public, because the native module of Python asks too.
    ///
    /// # Errors
    /// [`JournalError::BadSetting`] for 0.
    pub fn check_largest_entry(bytes: &u32) -> Result<()> {
        if *bytes == 0 {
            return Err(JournalError::BadSetting(
                "`largest_entry` is 0, so that no text would fit: give at least 1".into(),
            ));
        }
        Ok(())
    }

    pub(crate) fn open(path: &Path, options: OpenOptions) -> Result<Self> {
        Self::check_largest_entry(&options.largest_entry)?;
        let describe = || format!("opening {}", path.display());
        let mut file = FileOptions::new()
            .read(true)
            .append(true)
            .create(options.create)
            .open(path)
            .map_err(JournalError::file(describe()))?;
        let length = file.metadata().map_err(JournalError::file(describe()))?.len();
        if length == 0 {
            file.write_all(&MAGIC).map_err(JournalError::file(describe()))?;
        }
        // The path is made absolute, so that a reader finds the file after the process has changed its folder.
        let path = path.canonicalize().map_err(JournalError::file(describe()))?;
        let mut journal = Self {
            file,
            path,
            starts: Vec::new(),
            end: MAGIC.len() as u64,
            largest_entry: options.largest_entry,
        };
        match journal.find_entries(length) {
            Err(JournalError::Truncated { .. }) if options.repair => journal.cut_to_end()?,
            outcome => outcome?,
        }
        Ok(journal)
    }

    /// Goes from head to head; at an error the journal holds the entries before it.
    fn find_entries(&mut self, length: u64) -> Result<()> {
        let mut file = BufReader::new(&self.file);
        file.seek(SeekFrom::Start(0))
            .map_err(JournalError::file("reading the file"))?;
        let mut magic = [0; MAGIC.len()];
        match file.read_exact(&mut magic) {
            Ok(()) if magic == MAGIC => {}
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => {
                return Err(JournalError::file("reading the file")(error));
            }
            _ => return Err(JournalError::NotAJournal(self.path.clone())),
        }
        while self.end < length {
            let number = self.starts.len() as u64;
            let head = read_head(&mut file, number)?;
            let next = self.end + HEAD + u64::from(head.length);
            if next > length {
                return Err(JournalError::Truncated { number });
            }
            file.seek_relative(i64::from(head.length))
                .map_err(JournalError::file("reading the file"))?;
            self.starts.push(self.end);
            self.end = next;
        }
        Ok(())
    }

    fn cut_to_end(&mut self) -> Result<()> {
        self.file
            .set_len(self.end)
            .map_err(JournalError::file("cutting off an incomplete entry"))
    }

    fn append_texts(&mut self, texts: &[impl AsRef<str>]) -> Result<u64> {
        let first = self.length();
        let mut records = Vec::new();
        let mut starts = Vec::with_capacity(texts.len());
        for text in texts.iter().map(AsRef::as_ref) {
            let length = u32::try_from(text.len())
                .ok()
                .filter(|length| *length <= self.largest_entry);
            let length = length.ok_or(JournalError::TooLong {
                length: text.len(),
                largest: self.largest_entry,
            })?;
            starts.push(self.end + records.len() as u64);
            write_record(&mut records, text, length);
        }
        let found = self
            .file
            .metadata()
            .map_err(JournalError::file("looking at the file"))?
            .len();
        if found != self.end {
            return Err(JournalError::ChangedElsewhere);
        }
        if let Err(error) = self.file.write_all(&records) {
            // Half of a record may be there. If it cannot be cut off either, the next open will find it and say so.
            let _ = self.cut_to_end();
            return Err(JournalError::file("appending")(error));
        }
        self.end += records.len() as u64;
        self.starts.append(&mut starts);
        Ok(first)
    }
}
