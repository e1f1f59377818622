//! Wheels: built once for all interpreters (the stable ABI), installed where they are tested.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::failure::{Context, Failure, Result};
use crate::process::Program;
use crate::terminal::Terminal;
use crate::workspace::Workspace;

/// Builds the wheel of each Python project of the repository, for tests.
pub(crate) fn build_all(workspace: &Workspace, tools: &Environment, terminal: Terminal) -> Result<Vec<PathBuf>> {
    if workspace.python_projects.is_empty() {
        return Err(Failure::new(
            "there is no pyproject.toml to build a wheel from, neither at the root nor in examples/ or tests/",
        ));
    }
    let mut wheels = Vec::new();
    for project in &workspace.python_projects {
        wheels.push(build(workspace, project, tools, Build::Quick, terminal)?);
    }
    Ok(wheels)
}

/// Builds the wheel of one Python project.
pub(crate) fn build(
    workspace: &Workspace,
    project: &Path,
    tools: &Environment,
    how: Build,
    terminal: Terminal,
) -> Result<PathBuf> {
    let name = project
        .file_name()
        .filter(|_| project != workspace.root)
        .unwrap_or_else(|| "root".as_ref());
    let folder = workspace.target.join("wheels").join(name);
    let wheel = make(workspace, project, tools, &folder, how, terminal)?;
    if wheel.to_string_lossy().contains("-abi3-") {
        Ok(wheel)
    } else {
        Err(Failure::new(format!(
            "{} is not a wheel of the stable ABI (abi3)",
            wheel.display()
        )))
    }
}

/// How a wheel is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// In a few minutes, for tests.
    Quick,
    /// As it is shipped: optimized as a whole.
    Shipped,
    /// Quickly, for the Python that builds it alone: without the stable ABI.
    OneVersion,
}

impl Build {
    /// What maturin takes beside its settings in pyproject.toml.
    fn arguments(self) -> &'static str {
        match self {
            Self::Quick => "--profile release",
            Self::Shipped => "",
            Self::OneVersion => "--profile release --no-default-features",
        }
    }
}

/// Builds a wheel into a folder.
pub(crate) fn make(
    workspace: &Workspace,
    project: &Path,
    tools: &Environment,
    folder: &Path,
    how: Build,
    terminal: Terminal,
) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).context(|| format!("removing {}", folder.display()))?;
    }
    // As a user's `pip install .` does it: with the build tool that pyproject.toml asks for, in an environment of its own.
    // Cargo's target folder is the workspace's, so that the engine is built once.
    Program::new(tools.python(), project)
        .arguments(["-m", "pip", "wheel", ".", "--no-deps", "--quiet"])
        .arguments(["--disable-pip-version-check", "--wheel-dir"])
        .argument(folder)
        .environment("CARGO_TARGET_DIR", &workspace.target)
        .environment("MATURIN_PEP517_ARGS", how.arguments())
        .advice("pip fetches maturin for it: see `pip config` and the variables PIP_INDEX_URL and PIP_FIND_LINKS")
        .run(terminal)?;
    let describe = || format!("reading {}", folder.display());
    let mut built = Vec::new();
    for entry in fs::read_dir(folder).context(describe)? {
        built.push(entry.context(describe)?.path());
    }
    match built.as_slice() {
        [wheel] => Ok(wheel.clone()),
        _ => Err(Failure::new(format!(
            "pip left {} files in {} where one was expected",
            built.len(),
            folder.display()
        ))),
    }
}

/// Installs wheels into an environment, each only if it is not the one that was installed last.
pub(crate) fn install_all(wheels: &[PathBuf], environment: &Environment, terminal: Terminal) -> Result<()> {
    let stamp_file = environment.folder.join("wheels.txt");
    let mut wanted = String::new();
    for wheel in wheels {
        let mut hasher = DefaultHasher::new();
        fs::read(wheel)
            .context(|| format!("reading {}", wheel.display()))?
            .hash(&mut hasher);
        wanted.push_str(&format!("{} {:016x}\n", wheel.display(), hasher.finish()));
    }
    if fs::read_to_string(&stamp_file).is_ok_and(|stamp| stamp == wanted) {
        terminal.note(&format!("{}: the same wheels are installed already", environment.name));
        return Ok(());
    }
    let here = environment.folder.parent().unwrap_or(&environment.folder);
    environment
        .pip(here)
        .arguments(["--force-reinstall", "--no-deps"])
        .arguments(wheels)
        .run(terminal)?;
    fs::write(&stamp_file, wanted).context(|| stamp_file.display().to_string())
}
