//! A copy of the repository to work in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Finished, run};

/// The copy, always in the same place, so that a second run finds compiled what did not change.
pub(crate) struct Scratch {
    pub(crate) folder: PathBuf,
    pub(crate) target: PathBuf,
}

/// Files by their path from the root, with their content.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

impl Scratch {
    /// Makes the copy be as the repository is: what git knows or would add, as it stands on the disk.
    pub(crate) fn prepare() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the tests stand in a folder of the workspace");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let folder = target.join("regeneration").join("copy");
        let listed = run(Command::new("git").current_dir(root).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]));
        listed.expect_code(0, "the test copies what git lists and needs a checkout");
        let mut wanted: Files = listed
            .text
            .split('\0')
            .filter(|path| !path.is_empty())
            .filter_map(|path| Some((path.to_owned(), fs::read(root.join(path)).ok()?)))
            .collect();
        let scratch = Self { folder, target };
        // Cargo tells packages in one target folder apart by their place in the workspace and by their version, not by the
        // place of the workspace: without this, it would take what it compiled here for the repository's own.
        let manifest = wanted
            .get_mut("Cargo.toml")
            .expect("git lists the manifest of the workspace");
        *manifest = with_another_version(&String::from_utf8_lossy(manifest)).into_bytes();
        // An extension module has no hash in its file's name: under the repository's own name, the next wheel of the
        // repository would be made of the copy's.
        for (path, name) in [
            ("native/Cargo.toml", "aioturso_native"),
            ("examples/jobs/native/Cargo.toml", "jobs_native"),
        ] {
            let native = wanted.get_mut(path).expect("git lists the native crates");
            *native = String::from_utf8_lossy(native)
                .replace(&format!("\"{name}\""), &format!("\"{name}_of_the_copy\""))
                .into_bytes();
        }
        for path in scratch.files().keys().filter(|path| !wanted.contains_key(*path)) {
            fs::remove_file(scratch.folder.join(path)).expect("a file of an earlier run can be removed");
        }
        for (path, content) in &wanted {
            scratch.write(path, content);
        }
        scratch
    }

    /// Writes a file, unless it is so already: its time stays, and cargo compiles nothing for it.
    pub(crate) fn write(&self, path: &str, content: &[u8]) {
        let file = self.folder.join(path);
        if fs::read(&file).is_ok_and(|there| there == content) {
            return;
        }
        fs::create_dir_all(file.parent().expect("a file stands in a folder"))
            .expect("folders can be made under target/");
        fs::write(&file, content).unwrap_or_else(|error| panic!("writing {}: {error}", file.display()));
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap_or_else(|error| panic!("reading {path}: {error}"))
    }

    /// All of its files.
    pub(crate) fn files(&self) -> Files {
        let mut files = Files::new();
        self.collect(&self.folder, &mut files);
        files
    }

    fn collect(&self, folder: &Path, files: &mut Files) {
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                self.collect(&path, files);
            } else if let (Ok(relative), Ok(content)) = (path.strip_prefix(&self.folder), fs::read(&path)) {
                files.insert(relative.to_string_lossy().replace('\\', "/"), content);
            }
        }
    }

    /// The files that are new, other, or gone.
    pub(crate) fn files_changed_since(&self, before: &Files) -> Vec<String> {
        let now = self.files();
        let paths = before
            .keys()
            .chain(now.keys().filter(|path| !before.contains_key(*path)));
        paths
            .filter(|path| before.get(*path) != now.get(*path))
            .cloned()
            .collect()
    }

    /// The generator, in the copy, as the README says it.
    pub(crate) fn generator(&self, arguments: &[&str]) -> Finished {
        run(self
            .cargo()
            .args(["run", "--quiet", "--package", "generator", "--"])
            .args(arguments))
    }

    /// cargo in the copy, with the target folder of the repository.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.folder).env("CARGO_TARGET_DIR", &self.target);
        // What cargo tells the test that it runs is not for the cargo that the test runs.
        for (name, _) in std::env::vars_os() {
            if name
                .to_str()
                .is_some_and(|name| name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR")
            {
                command.env_remove(name);
            }
        }
        command
    }
}

/// A workspace's manifest with another version, in the requirements of its members on each other too.
fn with_another_version(manifest: &str) -> String {
    let version = manifest
        .split("\nversion = \"")
        .nth(1)
        .and_then(|behind| behind.split_once('"'));
    let (version, _) = version.expect("[workspace.package] has a version");
    let (release, _) = version.rsplit_once('.').expect("a version has three parts");
    manifest.replace(&format!("\"{version}\""), &format!("\"{release}.999\""))
}
