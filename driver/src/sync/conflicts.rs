//! Local changes that the server refused, kept until a user has decided about them.

use async_proxy::async_proxy;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::io::write_durably;
use super::pipeline::{INFINITE, Sent};
use crate::{Error, Result};

/// A local change that the server refused. Nothing sent with it was kept there, and the local row is as it was.
///
/// `ConnectionSync.resolve` decides which side prevails; until then `pull` and `push` are refused.
#[async_proxy(value)]
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "python", derive(pyo3::FromPyObject))]
pub struct Conflict {
    /// The number of the change among the local ones.
    pub change_id: i64,
    /// The table, or for a change of the schema the name of what is changed.
    pub table: String,
    /// The row's local rowid; `None` for a change of the schema, and where it can't be told.
    pub rowid: Option<i64>,
    /// What was done: `"insert"`, `"update"`, `"delete"` or `"schema"`.
    pub operation: String,
    /// Why the server refused it, in its words.
    pub reason: String,
}

/// The operation of a conflict that is about the schema.
pub(crate) const SCHEMA_CHANGE: &str = "schema";

impl fmt::Display for Conflict {
    /// The row, what was done to it, and why the server refused that.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            table,
            operation,
            reason,
            ..
        } = self;
        match self.rowid {
            Some(rowid) => write!(
                formatter,
                "the {operation} of row {rowid} of table \"{table}\": {reason}"
            ),
            None if operation == SCHEMA_CHANGE => {
                write!(formatter, "the change of the schema at \"{table}\": {reason}")
            }
            None => write!(formatter, "the {operation} of \"{table}\": {reason}"),
        }
    }
}

impl Conflict {
    /// The error by which it is told.
    pub(crate) fn error(&self) -> Error {
        let local = if self.operation == SCHEMA_CHANGE {
            "sends it again, once the server is mended"
        } else {
            "lets the local change prevail"
        };
        let message = format!(
            "the server refuses {self}. Nothing that was sent with it was kept there, and all is here as it was; \
             resolve(conflict, \"local\") {local}, resolve(conflict, \"remote\") drops it here"
        );
        if self.reason == INFINITE {
            Error::data(message)
        } else if self.reason.contains("constraint failed") {
            Error::integrity(message)
        } else {
            Error::operational(message)
        }
    }
}

/// Which side of a conflict prevails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keep {
    /// The local row as it is by then: the next push sends it in the place of the server's rows that hold the same unique
    /// values. What is refused for another reason (a `CHECK`, a missing table) is only sent again.
    Local,
    /// The server's side: the row becomes locally what it was before it was changed, and its changes are not pushed.
    Remote,
}

impl FromStr for Keep {
    type Err = Error;

    /// The side of that name.
    fn from_str(side: &str) -> Result<Self> {
        match side {
            "local" => Ok(Self::Local),
            "remote" => Ok(Self::Remote),
            _ => Err(Error::programming(
                "a conflict is resolved with \"local\" or \"remote\"",
            )),
        }
    }
}

/// A conflict, and what is needed to resolve it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) conflict: Conflict,
    /// The statement that the server refused.
    pub(crate) refused: Sent,
    /// The local changes from this one on were not pushed.
    pub(crate) first_unpushed: i64,
    /// Whether it was decided that the local change prevails, and the next push will force it.
    pub(crate) is_forced: bool,
}

/// The conflicts of one database, in a file beside it.
pub(crate) struct ConflictBook {
    /// `None` for a database in memory.
    path: Option<PathBuf>,
    entries: Mutex<Vec<Entry>>,
}

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Page {
    version: u32,
    conflicts: Vec<Entry>,
}

const VERSION: u32 = 1;

impl ConflictBook {
    /// Where the conflicts of a database are kept.
    pub(crate) fn path(database: &Path) -> PathBuf {
        let mut name = database.as_os_str().to_owned();
        name.push("-conflicts");
        PathBuf::from(name)
    }

    /// Opens the book of a database; it is empty if there is none.
    ///
    /// # Errors
    /// `OperationalError` if it can't be read: what it holds must not be forgotten.
    pub(crate) fn open(database: Option<&Path>) -> Result<Self> {
        let path = database.map(Self::path);
        let entries = match path.as_deref().map(fs::read) {
            None => Vec::new(),
            Some(Err(error)) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Some(Err(error)) => return Err(unreadable(path.as_deref(), &error.to_string())),
            Some(Ok(content)) => {
                let page: Page = serde_json::from_slice(&content)
                    .map_err(|error| unreadable(path.as_deref(), &error.to_string()))?;
                if page.version != VERSION {
                    return Err(unreadable(
                        path.as_deref(),
                        "another version of the driver has written it",
                    ));
                }
                page.conflicts
            }
        };
        Ok(Self {
            path,
            entries: Mutex::new(entries),
        })
    }

    /// The conflicts that nobody has decided about.
    pub(crate) fn undecided(&self) -> Vec<Conflict> {
        let entries = self.lock();
        let undecided = entries.iter().filter(|entry| !entry.is_forced);
        undecided.map(|entry| entry.conflict.clone()).collect()
    }

    /// An error if there is a conflict that nobody has decided about.
    pub(crate) fn check(&self) -> Result<()> {
        match self.undecided().first() {
            Some(conflict) => Err(conflict.error()),
            None => Ok(()),
        }
    }

    /// Those for which it was decided that the local side prevails.
    pub(crate) fn forced(&self) -> Vec<Entry> {
        let entries = self.lock();
        entries.iter().filter(|entry| entry.is_forced).cloned().collect()
    }

    /// The entry of an undecided conflict.
    ///
    /// # Errors
    /// `ProgrammingError` if there is none, or none any more.
    pub(crate) fn find(&self, conflict: &Conflict) -> Result<Entry> {
        let entries = self.lock();
        let found = entries
            .iter()
            .find(|entry| !entry.is_forced && entry.conflict == *conflict);
        found.cloned().ok_or_else(|| {
            Error::programming("this conflict is resolved already: conflicts() gives those that are not")
        })
    }

    /// Writes down a conflict; it replaces one about the same change.
    pub(crate) fn add(&self, entry: Entry) -> Result<()> {
        self.change(|entries| {
            entries.retain(|other| other.conflict.change_id != entry.conflict.change_id);
            entries.push(entry);
        })
    }

    /// Writes down that the local side of a conflict prevails.
    pub(crate) fn force(&self, conflict: &Conflict) -> Result<()> {
        self.change(|entries| {
            for entry in entries.iter_mut().filter(|entry| entry.conflict == *conflict) {
                entry.is_forced = true;
            }
        })
    }

    /// Strikes a conflict out.
    pub(crate) fn remove(&self, conflict: &Conflict) -> Result<()> {
        self.change(|entries| entries.retain(|entry| entry.conflict != *conflict))
    }

    /// Strikes out the conflicts about changes that came through.
    pub(crate) fn forget(&self, changes: &[i64]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        self.change(|entries| entries.retain(|entry| !changes.contains(&entry.conflict.change_id)))
    }

    /// Strikes out what was forced: the push that followed came through.
    pub(crate) fn forget_forced(&self) -> Result<()> {
        if self.lock().iter().any(|entry| entry.is_forced) {
            self.change(|entries| entries.retain(|entry| !entry.is_forced))?;
        }
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Entry>)) -> Result<()> {
        let mut entries = self.lock();
        let mut changed = entries.clone();
        change(&mut changed);
        self.write(&changed)?;
        *entries = changed;
        Ok(())
    }

    fn write(&self, entries: &[Entry]) -> Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let unwritten = |error: &dyn fmt::Display| {
            Error::operational(format!(
                "the conflicts can't be written to \"{}\": {error}; look at the rights of the directory and at the space",
                path.display()
            ))
        };
        if entries.is_empty() {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(unwritten(&error)),
                _ => Ok(()),
            };
        }
        let page = Page {
            version: VERSION,
            conflicts: entries.to_vec(),
        };
        let content = serde_json::to_vec_pretty(&page).map_err(|error| unwritten(&error))?;
        write_durably(path, &content).map_err(|error| unwritten(&error))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unreadable(path: Option<&Path>, why: &str) -> Error {
    Error::operational(format!(
        "the conflicts in \"{}\" can't be read: {why}; mend the file, or move it away if they don't matter",
        path.unwrap_or_else(|| Path::new("")).display()
    ))
}
