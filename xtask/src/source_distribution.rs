//! The step that looks into the source distribution: what `pip install` builds where there is no wheel.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure, Result};
use crate::process::Program;
use crate::session::Session;
use crate::step::Remark;

/// What the wheel is made from, beside manifests: the crates that the native module needs, and what is generated.
const SOURCES: [&str; 7] = [
    "driver/src",
    "generated/native",
    "generated/python",
    "macros/src",
    "native/src",
    "runtime/src",
    "syntax/src",
];

/// Makes it, unpacks it, and looks whether all is there that cargo and Python need. Building it takes as long as a wheel does,
/// and what would be built is what the step `wheels` builds.
pub(crate) fn check(session: &mut Session) -> Result<Remark> {
    let (root, terminal) = (&session.workspace.root, session.terminal);
    let folder = session.workspace.target.join("source-distribution");
    if folder.exists() {
        fs::remove_dir_all(&folder).context(|| format!("removing {}", folder.display()))?;
    }
    session
        .tool("maturin")?
        .arguments(["sdist", "--out"])
        .argument(&folder)
        .run(terminal)?;
    let archive = only_one_in(&folder)?;
    Program::new(session.tools()?.python(), &folder)
        .arguments(["-m", "tarfile", "--extract"])
        .argument(&archive)
        .run(terminal)?;
    fs::remove_file(&archive).context(|| format!("removing {}", archive.display()))?;
    let unpacked = only_one_in(&folder)?;
    let mut missing = Vec::new();
    let mut count = 0;
    for source in SOURCES {
        for file in files_below(&root.join(source))? {
            count += 1;
            let relative = file.strip_prefix(root).unwrap_or(&file);
            if !unpacked.join(relative).is_file() {
                missing.push(relative.display().to_string());
            }
        }
    }
    if !missing.is_empty() {
        return Err(Failure::new(format!(
            "the source distribution lacks {}: see `include` in pyproject.toml",
            missing.join(", ")
        )));
    }
    // The crates find each other. (The lock has the crates of the whole workspace, so `--locked` would refuse it.)
    Program::cargo(&unpacked)
        .arguments(["tree", "--package", "aioturso-native"])
        .advice("a crate that the native module needs is missing in the source distribution")
        .read()?;
    Ok(format!("{count} sources"))
}

fn only_one_in(folder: &Path) -> Result<PathBuf> {
    let describe = || format!("reading {}", folder.display());
    let mut found = fs::read_dir(folder).context(describe)?;
    let first = found.next().transpose().context(describe)?;
    match (first, found.next()) {
        (Some(entry), None) => Ok(entry.path()),
        _ => Err(Failure::new(format!(
            "there is not one single file in {}",
            folder.display()
        ))),
    }
}

/// The files of a folder that belong to the sources: neither what Python has compiled, nor a module that was built in place.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let describe = || format!("reading {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).context(describe)? {
        let path = entry.context(describe)?.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "__pycache__") {
                files.extend(files_below(&path)?);
            }
        } else if path
            .extension()
            .is_none_or(|extension| extension != "so" && extension != "pyd")
        {
            files.push(path);
        }
    }
    Ok(files)
}
