//! A copy of the crates that mutants need, with manifests that name no others.

use std::fs;
use std::path::Path;

use crate::failure::{Context, Failure, Result};

/// Folders that are copied as they are.
const SMALL: &[&str] = &["runtime", "macros", "syntax", "tests/src", "tests/tests"];
/// What the tests on the engine need beside them.
const ENGINE: &[&str] = &["driver", "tests/faults"];
/// Crates of this repository's that the copied tests do not use, and what only those tests use that are not copied.
const UNUSED: &[&str] = &[
    "generator",
    "async-proxy-syntax",
    "prettyplease",
    "proc-macro2",
    "quote",
    "syn",
    "trybuild",
];

/// Brings a copy up to date. Files that are as they should be are not touched, so that cargo builds nothing anew for them.
pub(super) fn refresh(root: &Path, copy: &Path, with_engine: bool) -> Result<()> {
    let folders = SMALL.iter().chain(if with_engine { ENGINE } else { &[] });
    for folder in folders {
        copy_folder(&root.join(folder), &copy.join(folder))?;
    }
    for file in ["Cargo.lock", "README.md"] {
        let source = root.join(file);
        if source.is_file() {
            write(&copy.join(file), &read(&source)?)?;
        }
    }
    let members = if with_engine {
        r#"["driver", "macros", "runtime", "syntax", "tests", "tests/faults"]"#
    } else {
        r#"["macros", "runtime", "syntax", "tests"]"#
    };
    let manifest = text(&root.join("Cargo.toml"))?;
    let manifest = replace_list(&manifest, "\nmembers = ", members)?;
    let manifest = replace_list(&manifest, "\ndefault-members = ", members)?;
    write(&copy.join("Cargo.toml"), manifest.as_bytes())?;
    let tests = text(&root.join("tests/Cargo.toml"))?;
    let is_used = |line: &&str| {
        !UNUSED
            .iter()
            .any(|name| line.starts_with(&format!("{name}.")) || line.starts_with(&format!("{name} ")))
    };
    let tests: Vec<&str> = tests.lines().filter(is_used).collect();
    write(&copy.join("tests/Cargo.toml"), (tests.join("\n") + "\n").as_bytes())?;
    Ok(())
}

/// Replaces the list that follows a key.
fn replace_list(manifest: &str, key: &str, list: &str) -> Result<String> {
    let changed = || {
        let begin = manifest.find(key)? + key.len();
        let end = begin + manifest[begin..].find(']')? + 1;
        Some(format!("{}{list}{}", &manifest[..begin], &manifest[end..]))
    };
    changed().ok_or_else(|| Failure::new(format!("Cargo.toml has no list `{}`", key.trim())))
}

fn copy_folder(source: &Path, target: &Path) -> Result<()> {
    let describe = || format!("reading {}", source.display());
    for entry in fs::read_dir(source).context(describe)? {
        let entry = entry.context(describe)?;
        let (from, to) = (entry.path(), target.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to)?;
        } else if !is_manifest_of_tests(&from) {
            write(&to, &read(&from)?)?;
        }
    }
    Ok(())
}

fn is_manifest_of_tests(path: &Path) -> bool {
    path.ends_with("tests/Cargo.toml")
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).context(|| format!("reading {}", path.display()))
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).context(|| format!("reading {}", path.display()))
}

/// Gives a build folder what another one has of crates from elsewhere, such as the engine, which takes minutes to build: by
/// links, which take no room. What is built of this repository's own crates is told apart by their path.
pub(super) fn borrow_build(from: &Path, to: &Path) -> Result<()> {
    for folder in ["deps", "build", ".fingerprint"] {
        if from.join(folder).is_dir() {
            link_folder(&from.join(folder), &to.join(folder))?;
        }
    }
    Ok(())
}

fn link_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).context(|| format!("making {}", to.display()))?;
    let describe = || format!("reading {}", from.display());
    for entry in fs::read_dir(from).context(describe)? {
        let entry = entry.context(describe)?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            link_folder(&source, &target)?;
        } else if fs::hard_link(&source, &target).is_err() {
            // Without links it is built anew, which only takes longer: a copy would look younger than what was made of it.
            return Ok(());
        }
    }
    Ok(())
}

/// Writes a file if it is not like that already.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    let describe = || format!("writing {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).context(describe)?;
    }
    fs::write(path, content).context(describe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_several_lines_is_replaced_as_a_whole() {
        let manifest = "[workspace]\nmembers = [\n    \"a\",\n    \"b\",\n]\nresolver = \"3\"\n";
        let replaced = replace_list(manifest, "\nmembers = ", "[\"c\"]").unwrap();
        assert_eq!(replaced, "[workspace]\nmembers = [\"c\"]\nresolver = \"3\"\n");
    }
}
