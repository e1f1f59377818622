//! What a mutant is, and all of them.

use std::fmt;
use std::path::Path;

use super::{cursors, ends, engine, queue};
use crate::failure::{Context, Failure, Result};

/// All mutants, by what they break.
pub(super) const MUTANTS: &[&[Mutant]] = &[queue::MUTANTS, ends::MUTANTS, cursors::MUTANTS, engine::MUTANTS];

/// A worker with one bug.
pub(super) struct Mutant {
    /// The bug, as its user would tell it.
    pub(super) bug: &'static str,
    /// The source file, from the root.
    pub(super) file: &'static str,
    /// Stands there exactly once,
    pub(super) right: &'static str,
    /// and is replaced by this.
    pub(super) wrong: &'static str,
    /// The test that fails on it.
    pub(super) test: Test,
    /// Whether a quick run tries it.
    pub(super) quick: bool,
}

/// One test.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) package: &'static str,
    /// The file in `tests/`.
    pub(super) binary: &'static str,
    pub(super) name: &'static str,
}

/// A test of the Rust proxies, by its file and its name.
pub(super) const fn proxy(binary: &'static str, name: &'static str) -> Test {
    Test {
        package: "async-proxy-tests",
        binary,
        name,
    }
}

/// A fault of the matrix, which stands on the engine.
pub(super) const fn fault(name: &'static str) -> Test {
    Test {
        package: "async-proxy-faults",
        binary: "faults",
        name,
    }
}

impl Test {
    pub(super) fn needs_engine(self) -> bool {
        self.package == "async-proxy-faults"
    }
}

impl fmt::Display for Test {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.binary, self.name)
    }
}

impl Mutant {
    /// The source with the bug in it.
    pub(super) fn mutated(&self, source: &str) -> Result<String> {
        match source.matches(self.right).count() {
            1 => Ok(source.replacen(self.right, self.wrong, 1)),
            count => Err(Failure::new(format!(
                "the text that the mutant \"{}\" replaces stands {count} times in {}, not once: bring the mutant up to date with the source\n{}",
                self.bug, self.file, self.right
            ))),
        }
    }

    /// An error if it does not fit the sources under a root any more.
    pub(super) fn check(&self, root: &Path) -> Result<()> {
        let path = root.join(self.file);
        let source = std::fs::read_to_string(&path).context(|| format!("reading {}", path.display()))?;
        self.mutated(&source).map(drop)
    }
}
