//! One synchronising connection for each database: the sync engine keeps in memory how far it came, and a second one on the
//! same file would go on from another place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use turso_core::LimboError;

use crate::{Error, Result};

/// The databases that this process synchronises. Other processes are kept out by the lock on the file.
static CLAIMED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The right to synchronise a database, until it is dropped.
#[derive(Debug)]
pub(crate) struct Claim(Option<PathBuf>);

impl Claim {
    /// Claims a database; one in memory needs no claim.
    ///
    /// # Errors
    /// `OperationalError` if it is claimed already.
    pub(crate) fn on(database: Option<&Path>) -> Result<Self> {
        let Some(database) = database else {
            return Ok(Self(None));
        };
        let whole = whole(database);
        if CLAIMED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(whole.clone())
        {
            return Ok(Self(Some(whole)));
        }
        Err(Error::retold(
            format!(
                "database is locked: \"{}\" is synchronised by another connection of this process; use that one, or read it \
                 with connect",
                database.display()
            ),
            LimboError::Busy,
        ))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(database) = &self.0 {
            CLAIMED.lock().unwrap_or_else(PoisonError::into_inner).remove(database);
        }
    }
}

/// The path by which a file is known whatever it was called: the file itself need not be there yet.
fn whole(database: &Path) -> PathBuf {
    if let Ok(whole) = database.canonicalize() {
        return whole;
    }
    let directory = database.parent().filter(|directory| !directory.as_os_str().is_empty());
    let directory = directory.unwrap_or_else(|| Path::new(".")).canonicalize();
    match (directory, database.file_name()) {
        (Ok(directory), Some(name)) => directory.join(name),
        _ => database.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_claimed_once_under_all_its_names_and_again_when_it_is_let_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let other_name = directory.path().join(".").join("a.db");
        let claim = Claim::on(Some(&path)).unwrap();
        assert!(
            Claim::on(Some(&other_name))
                .unwrap_err()
                .to_string()
                .starts_with("database is locked")
        );
        drop(claim);
        assert!(Claim::on(Some(&other_name)).is_ok());
        assert!(Claim::on(None).is_ok() && Claim::on(None).is_ok());
    }
}
