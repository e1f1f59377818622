//! What one run knows and has set up so far.

use std::path::PathBuf;

use crate::environment::Environment;
use crate::failure::{Failure, Result};
use crate::faults::{Extent, Row};
use crate::process::Program;
use crate::servers::Servers;
use crate::terminal::Terminal;
use crate::workspace::Workspace;

/// Passed from step to step.
pub(crate) struct Session {
    pub(crate) terminal: Terminal,
    pub(crate) workspace: Workspace,
    /// The versions of Python that were asked for; all when empty.
    pub(crate) wanted_pythons: Vec<String>,
    /// For tools; set up by the step `environments`.
    pub(crate) tools: Option<Environment>,
    /// One for each interpreter; set up by the step `environments`.
    pub(crate) interpreters: Vec<Environment>,
    /// The Python packages; built by the step `wheels`.
    pub(crate) wheels: Vec<PathBuf>,
    /// How much of the fault matrix is tried.
    pub(crate) extent: Extent,
    /// What came out of it so far.
    pub(crate) fault_rows: Vec<Row>,
    /// What sync is tested against; set up by the step `sync-servers`.
    pub(crate) servers: Servers,
}

impl Session {
    /// cargo, at the root.
    pub(crate) fn cargo(&self) -> Program {
        Program::cargo(&self.workspace.root)
    }

    /// The environment of the tools.
    pub(crate) fn tools(&self) -> Result<&Environment> {
        self.tools
            .as_ref()
            .ok_or_else(|| Failure::new("the step `environments` has not run"))
    }

    /// A Python tool, at the root.
    pub(crate) fn tool(&self, name: &str) -> Result<Program> {
        Ok(Program::new(self.tools()?.program(name), &self.workspace.root))
    }

    /// Where environments stand.
    pub(crate) fn venvs(&self) -> PathBuf {
        self.workspace.target.join("venv")
    }

    /// The folder of the Python tests.
    pub(crate) fn python_tests(&self) -> PathBuf {
        self.workspace.root.join("tests").join("python")
    }
}
