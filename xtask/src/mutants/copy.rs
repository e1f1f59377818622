//! A copy of the crates that mutants need, with manifests that name no others.

use std::collections::HashSet;
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
/// links, which take no room.
///
/// Never of this repository's own crates: cargo knows them by their path within the workspace, so that those of a copy have the
/// same names, and it notes in place when it built them. With a link, each of the two would take what the other has built for
/// its own.
pub(super) fn borrow_build(root: &Path, from: &Path, to: &Path) -> Result<()> {
    let fingerprints = from.join(".fingerprint");
    if !fingerprints.is_dir() {
        return Ok(());
    }
    let own = own_hashes(&text(&root.join("Cargo.lock"))?, &names_in(&fingerprints)?);
    for folder in ["deps", "build", ".fingerprint"] {
        if from.join(folder).is_dir() {
            link_folder(&from.join(folder), &to.join(folder), &own)?;
        }
    }
    Ok(())
}

/// The hashes in the names of what cargo has built of the packages in a lock file that have no source elsewhere.
fn own_hashes(lock: &str, fingerprints: &[String]) -> HashSet<String> {
    let own: HashSet<&str> = lock
        .split("[[package]]")
        .filter(|package| !package.contains("\nsource = "))
        .filter_map(|package| package.split("\nname = \"").nth(1)?.split('"').next())
        .collect();
    fingerprints
        .iter()
        .filter_map(|name| name.rsplit_once('-'))
        .filter(|(package, _)| own.contains(package))
        .map(|(_, hash)| hash.to_owned())
        .collect()
}

/// The hash in a name such as `libturso_core-0123456789abcdef.rlib`.
fn hash_in(name: &str) -> Option<&str> {
    let stem = name.split('.').next()?;
    stem.rsplit_once('-').map(|(_, hash)| hash)
}

fn names_in(folder: &Path) -> Result<Vec<String>> {
    let describe = || format!("reading {}", folder.display());
    let entries = fs::read_dir(folder).context(describe)?;
    entries
        .map(|entry| Ok(entry.context(describe)?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn link_folder(from: &Path, to: &Path, own: &HashSet<String>) -> Result<()> {
    fs::create_dir_all(to).context(|| format!("making {}", to.display()))?;
    for name in names_in(from)? {
        if hash_in(&name).is_some_and(|hash| own.contains(hash)) {
            continue;
        }
        let (source, target) = (from.join(&name), to.join(&name));
        if source.is_dir() {
            link_folder(&source, &target, own)?;
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

    /// Bug: two workspaces share what cargo notes of the crates that both have, and build from what they are not.
    #[test]
    fn only_what_is_built_of_others_crates_is_borrowed() {
        let root = tempfile::tempdir().unwrap();
        let lock = "version = 4\n\n[[package]]\nname = \"engine\"\nversion = \"1.0.0\"\nsource = \"registry\"\n\n\
                    [[package]]\nname = \"our-driver\"\nversion = \"0.1.0\"\n";
        write(&root.path().join("Cargo.lock"), lock.as_bytes()).unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        let borrowed = [
            ".fingerprint/engine-01/lib-engine",
            "deps/libengine-01.rlib",
            "deps/engine-01.d",
        ];
        let own = [
            ".fingerprint/our-driver-02/lib-our_driver",
            "deps/libour_driver-02.rlib",
            "deps/faults-02",
        ];
        for file in borrowed.iter().chain(&own) {
            write(&from.join(file), b"").unwrap();
        }
        borrow_build(root.path(), &from, &to).unwrap();
        for file in borrowed {
            assert!(to.join(file).exists(), "{file}");
        }
        for file in own {
            assert!(!to.join(file).exists(), "{file}");
        }
    }
}
