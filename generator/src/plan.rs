//! What a run would change in the output folder: files to write, files to leave, files to remove.
//!
//! The folder belongs to the generator alone. A file in it that is no longer generated is removed if it is ours (it
//! carries our header, or the lock of the earlier run lists it); one that is not ours is never touched, and a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use crate::header;
use crate::lock;
use crate::output::File;

/// The beginning of the names of files that are being written. One that is left over was never finished.
pub const TEMPORARY_PREFIX: &str = ".async-proxy-";

/// Folders in the output folder that tools make, and that are never looked into.
const IGNORED_FOLDERS: [&str; 5] = [
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
];

/// Ends of the names of files that tools make: compiled modules, bytecode, an editable install's metadata.
const IGNORED_ENDS: [&str; 6] = [".so", ".pyd", ".dylib", ".pyc", ".egg-info", ".DS_Store"];

/// What a run would change.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Files to write, by path.
    pub writes: Vec<Written>,
    /// Paths of files that are right as they are.
    pub unchanged: Vec<String>,
    /// Files of an earlier run that are no longer generated.
    pub removals: Vec<Removed>,
    /// Paths of files that are not ours.
    pub foreign: Vec<String>,
}

/// A file to write.
#[derive(Clone, Debug)]
pub struct Written {
    /// What to write.
    pub file: File,
    /// The bytes that it has now; `None` if it is not there.
    pub before: Option<Vec<u8>>,
}

/// A file to remove.
#[derive(Clone, Debug)]
pub struct Removed {
    /// Its path below the output folder, with `/`.
    pub path: String,
    /// The bytes that it has.
    pub before: Vec<u8>,
}

impl Plan {
    /// Whether the folder is as it should be.
    pub fn is_done(&self) -> bool {
        self.writes.is_empty() && self.removals.is_empty() && self.foreign.is_empty()
    }
}

/// A file or folder that cannot be read while the plan is made.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {error}")]
pub struct PlanError {
    path: String,
    error: io::Error,
}

/// Compares what was rendered with what is in the output folder.
pub fn plan(files: &[File], folder: &Path, locked_files: &[String]) -> Result<Plan, PlanError> {
    let mut present = BTreeMap::new();
    if folder.symlink_metadata().is_ok() {
        collect(folder, "", &mut present)?;
    }
    let wanted: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut plan = Plan::default();
    for file in files {
        let before = present.get(&file.path);
        match before {
            Some(bytes) if bytes == file.text.as_bytes() => plan.unchanged.push(file.path.clone()),
            // Somebody's work stands where ours would go. An empty file has nothing to lose.
            Some(bytes) if !bytes.is_empty() && !is_ours(&file.path, bytes, locked_files) => {
                plan.foreign.push(file.path.clone());
            }
            _ => plan.writes.push(Written {
                file: file.clone(),
                before: before.cloned(),
            }),
        }
    }
    for (path, before) in present {
        if wanted.contains(path.as_str()) {
            continue;
        }
        if is_ours(&path, &before, locked_files) {
            plan.removals.push(Removed { path, before });
        } else {
            plan.foreign.push(path);
        }
    }
    Ok(plan)
}

fn is_ours(path: &str, bytes: &[u8], locked_files: &[String]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with(TEMPORARY_PREFIX)
        || path == lock::PATH
        || locked_files.iter().any(|locked| locked == path)
        || header::is_marked(&String::from_utf8_lossy(bytes))
}

/// All files below a folder, by their paths with `/`. Links are files of others: they are not followed.
fn collect(folder: &Path, prefix: &str, present: &mut BTreeMap<String, Vec<u8>>) -> Result<(), PlanError> {
    let refuse = |path: &Path| {
        let path = path.display().to_string();
        move |error| PlanError { path, error }
    };
    for entry in fs::read_dir(folder).map_err(refuse(folder))? {
        let entry = entry.map_err(refuse(folder))?;
        let kind = entry.file_type().map_err(refuse(&entry.path()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_ignored(&name, kind.is_dir()) {
            continue;
        }
        let path = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        if kind.is_dir() {
            collect(&entry.path(), &path, present)?;
        } else if kind.is_file() {
            present.insert(path, fs::read(entry.path()).map_err(refuse(&entry.path()))?);
        } else {
            present.insert(path, Vec::new());
        }
    }
    Ok(())
}

/// Whether tools make files or folders of that name, which are none of our business.
pub fn is_ignored(name: &str, is_folder: bool) -> bool {
    (is_folder && IGNORED_FOLDERS.contains(&name)) || IGNORED_ENDS.iter().any(|end| name.ends_with(end))
}
