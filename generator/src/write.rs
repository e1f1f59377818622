//! Carries out a plan so that it happens whole or not at all.
//!
//! Every file is written beside its place under a temporary name first; only when all of them are on the disk is the
//! first one renamed. A disk that is full and a folder that can't be written show themselves before anything changed. What
//! is no longer generated is set aside under a temporary name too, and deleted at the end. If a rename fails all the same,
//! what was renamed before is put back.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::lock;
use crate::plan::{Plan, TEMPORARY_PREFIX, Written};

/// The output that cannot be written. The output folder is as it was.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}: {error}\nnote: nothing was changed\nhelp: {cure}")]
pub struct WriteError {
    action: &'static str,
    path: String,
    error: io::Error,
    cure: &'static str,
}

impl WriteError {
    fn new(action: &'static str, path: &Path, error: io::Error) -> Self {
        let cure = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                "make room on the disk (or raise the limit), then run again"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "make the output folder writable, or name another one under `[output]` in the config"
            }
            _ => "look at `folder` under `[output]` in the config: it must name a folder that can be written",
        };
        Self {
            action,
            path: path.display().to_string(),
            error,
            cure,
        }
    }
}

/// Writes and removes what the plan says.
pub fn apply(plan: &Plan, folder: &Path) -> Result<(), WriteError> {
    let mut made = MadeFolders::default();
    let mut undo = Undo::default();
    let result = write_all(plan, folder, &mut made).and_then(|ready| rename_all(ready, plan, folder, &mut undo));
    if result.is_err() {
        undo.put_back();
        made.remove();
        return result;
    }
    for (_, aside) in &undo.set_aside {
        // One that stays is known by its name, and taken away by the next run.
        let _ = fs::remove_file(aside);
        remove_emptied_folders(aside, folder);
    }
    Ok(())
}

/// A file that is written in full and waits for its rename.
struct Ready<'a> {
    file: NamedTempFile,
    target: PathBuf,
    written: &'a Written,
}

fn write_all<'a>(plan: &'a Plan, folder: &Path, made: &mut MadeFolders) -> Result<Vec<Ready<'a>>, WriteError> {
    let mut writes: Vec<&Written> = plan.writes.iter().collect();
    // The lock last: a run that is killed between two renames leaves the old one, and so is seen by `--check`.
    writes.sort_by_key(|written| written.file.path == lock::PATH);
    let mut ready = Vec::new();
    for written in writes {
        let target = folder.join(&written.file.path);
        let parent = target.parent().unwrap_or(folder);
        made.make(parent)
            .map_err(|error| WriteError::new("create the folder", parent, error))?;
        if target.is_dir() {
            let error = io::Error::new(io::ErrorKind::IsADirectory, "a folder of that name is in the way");
            return Err(WriteError::new("write", &target, error));
        }
        let file =
            write_temporary(parent, &written.file.text).map_err(|error| WriteError::new("write", &target, error))?;
        ready.push(Ready { file, target, written });
    }
    Ok(ready)
}

fn rename_all<'a>(ready: Vec<Ready<'a>>, plan: &Plan, folder: &Path, undo: &mut Undo<'a>) -> Result<(), WriteError> {
    for removed in &plan.removals {
        let path = folder.join(&removed.path);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let aside = path.with_file_name(format!("{TEMPORARY_PREFIX}{name}.old"));
        fs::rename(&path, &aside).map_err(|error| WriteError::new("remove", &path, error))?;
        undo.set_aside.push((path, aside));
    }
    for Ready { file, target, written } in ready {
        file.persist(&target)
            .map_err(|error| WriteError::new("write", &target, error.error))?;
        undo.renamed.push((target, written));
    }
    Ok(())
}

fn write_temporary(folder: &Path, text: &str) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX).suffix(".tmp");
    // A temporary file is private otherwise; ours becomes a source file, as readable as the umask lets it be.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    // Some file systems tell of a full disk only here.
    file.as_file().sync_all()?;
    Ok(file)
}

/// What was renamed so far.
#[derive(Default)]
struct Undo<'a> {
    renamed: Vec<(PathBuf, &'a Written)>,
    /// Files that are no longer generated: where they were, where they are.
    set_aside: Vec<(PathBuf, PathBuf)>,
}

impl Undo<'_> {
    /// Undoes the renames. There is nobody to tell of a second failure: the first one is on its way.
    fn put_back(&self) {
        for (target, written) in &self.renamed {
            let _ = match &written.before {
                Some(bytes) => fs::write(target, bytes),
                None => fs::remove_file(target),
            };
        }
        for (path, aside) in &self.set_aside {
            let _ = fs::rename(aside, path);
        }
    }
}

/// The folders that a run made, so that it can take them away when it fails.
#[derive(Default)]
struct MadeFolders {
    list: Vec<PathBuf>,
}

impl MadeFolders {
    fn make(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|one| !one.as_os_str().is_empty() && !one.exists())
            .collect();
        for one in missing.into_iter().rev() {
            fs::create_dir(one)?;
            self.list.push(one.to_path_buf());
        }
        // It may exist as a file.
        if folder.is_dir() || folder.as_os_str().is_empty() {
            Ok(())
        } else {
            Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                "a file of that name is in the way",
            ))
        }
    }

    fn remove(&self) {
        for one in self.list.iter().rev() {
            // Not ours any more if somebody put something into it.
            let _ = fs::remove_dir(one);
        }
    }
}

/// Removes the folders above a file that was removed, up to the output folder, as long as nothing else is in them.
fn remove_emptied_folders(file: &Path, folder: &Path) {
    let mut parent = file.parent();
    while let Some(emptied) = parent.filter(|parent| *parent != folder) {
        // Fails where something is left in it, which is the test.
        if fs::remove_dir(emptied).is_err() {
            break;
        }
        parent = emptied.parent();
    }
}
