//! A crate and its config in a folder of their own, and the generator run on them as a person runs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use tempfile::TempDir;

/// A config for a crate `toy` with the target for Rust.
pub(crate) const CONFIG: &str = r#"[source]
crate = "toy"
root = "src/lib.rs"

[output]
folder = "generated"
command = "cargo run -p generator"

[rust]
"#;

/// What asks for the targets for Python too.
pub(crate) const PYTHON: &str = "\n[python]\npackage = \"aiotoy\"\nmodule = \"_native\"\n";

/// A description with a bit of everything.
pub(crate) const TOY: &str = r#"//! A toy.

pub struct Lamp;

/// A lamp.
#[async_proxy]
impl Lamp {
    /// Makes one.
    #[proxy(open)]
    pub fn plug_in(socket: &str) -> Result<Self, Fault> { todo!() }

    /// Sets its brightness.
    #[proxy(signature = (percent, fade = 0.5))]
    pub fn dim(&mut self, percent: u8, fade: f64) -> Result<(), Fault> { todo!() }

    /// Its brightness.
    pub fn brightness(&self) -> u8 { todo!() }

    /// Unplugs it.
    #[proxy(close)]
    pub fn unplug(&mut self) -> Result<(), Fault> { todo!() }
}

/// What can go wrong.
#[async_proxy]
pub enum Fault {
    /// The bulb is gone.
    #[proxy(exception = "BulbError")]
    Bulb(String),
    /// No current.
    #[proxy(exception = "OSError")]
    Dark,
}
"#;

pub(crate) struct Project {
    folder: TempDir,
}

/// How a run of the generator ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) faults: String,
}

impl Project {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A crate `toy` whose root is that text.
    pub(crate) fn with_root(text: &str) -> Self {
        let project = Self::empty();
        project.write("async-proxy.toml", CONFIG);
        project.write("src/lib.rs", text);
        project
    }

    /// A project that was generated once.
    pub(crate) fn generated() -> Self {
        let project = Self::with_root(TOY);
        let run = project.run(&[]);
        assert_eq!(run.code, Some(0), "{run:?}");
        project
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Replaces a piece of a file, which must be there.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, text.replacen(from, to, 1));
    }

    /// Runs the generator in the project's folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_in("", arguments)
    }

    /// Runs the generator in a folder of the project.
    pub(crate) fn run_in(&self, folder: &str, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_generator"));
        command.args(arguments).current_dir(self.path(folder));
        run(&mut command)
    }

    /// Every file below a folder, with its bytes.
    pub(crate) fn bytes(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        self.entries(folder)
            .into_iter()
            .map(|(path, (bytes, _))| (path, bytes))
            .collect()
    }

    /// Every file below a folder, with its bytes and the time of its last change.
    pub(crate) fn entries(&self, folder: &str) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
        let mut entries = BTreeMap::new();
        let root = self.path(folder);
        if root.exists() {
            collect(&root, &root, &mut entries);
        }
        entries
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Run {
    let output = command.env("NO_COLOR", "1").output().unwrap();
    Run {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).unwrap(),
        faults: String::from_utf8(output.stderr).unwrap(),
    }
}

fn collect(root: &Path, folder: &Path, entries: &mut BTreeMap<PathBuf, (Vec<u8>, SystemTime)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, entries);
        } else {
            let changed = path.metadata().unwrap().modified().unwrap();
            let bytes = fs::read(&path).unwrap();
            entries.insert(path.strip_prefix(root).unwrap().to_path_buf(), (bytes, changed));
        }
    }
}

impl Run {
    /// The faults without the lines of progress.
    pub(crate) fn shown_faults(&self) -> String {
        self.faults
            .lines()
            .filter(|line| !line.starts_with("generator: "))
            .map(|line| format!("{line}\n"))
            .collect()
    }
}
