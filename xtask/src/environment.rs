//! Virtual environments under `target/venv/`, made once and made anew when what they were made from changes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Result};
use crate::interpreter::Interpreter;
use crate::process::Program;
use crate::terminal::Terminal;

/// A virtual environment with what one requirements file asks for.
#[derive(Clone)]
pub(crate) struct Environment {
    /// `3.12`, or `tools`.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
}

impl Environment {
    /// The environment of that name, set up if it is not there, or not as the interpreter and the requirements want it.
    pub(crate) fn prepare(
        name: &str,
        interpreter: &Interpreter,
        requirements: &Path,
        venvs: &Path,
        terminal: Terminal,
    ) -> Result<Self> {
        let environment = Self {
            name: name.to_owned(),
            folder: venvs.join(name),
        };
        let wanted = description(interpreter, requirements)?;
        if environment.stamp().is_some_and(|stamp| stamp == wanted) && environment.python().is_file() {
            terminal.note(&format!(
                "{name}: Python {}, as set up before",
                interpreter.full_version
            ));
            return Ok(environment);
        }
        terminal.note(&format!(
            "{name}: Python {} from {}",
            interpreter.full_version,
            interpreter.executable.display()
        ));
        if environment.folder.exists() {
            fs::remove_dir_all(&environment.folder).context(|| format!("removing {}", environment.folder.display()))?;
        }
        let here = venvs.parent().unwrap_or(venvs);
        Program::new(&interpreter.executable, here)
            .arguments(["-m", "venv"])
            .argument(&environment.folder)
            .advice("Debian, Ubuntu: `apt-get install python3-venv`")
            .run(terminal)?;
        environment
            .pip(here)
            .argument("--requirement")
            .argument(requirements)
            .advice("pip needs a package index: see `pip config` and the variables PIP_INDEX_URL and PIP_FIND_LINKS")
            .run(terminal)?;
        // Last, so that a set-up that broke off is done again.
        fs::write(environment.stamp_file(), wanted).context(|| environment.stamp_file().display().to_string())?;
        Ok(environment)
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> PathBuf {
        self.program("python")
    }

    /// A program that was installed into it.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        self.folder
            .join(folder)
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// `pip install …` into it.
    pub(crate) fn pip(&self, folder: &Path) -> Program {
        let options = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        Program::new(self.python(), folder).arguments(options)
    }

    fn stamp(&self) -> Option<String> {
        fs::read_to_string(self.stamp_file()).ok()
    }

    fn stamp_file(&self) -> PathBuf {
        self.folder.join("set-up-from.txt")
    }
}

/// All that an environment is made from, as text: the stamp that tells whether it is still as it should be.
fn description(interpreter: &Interpreter, requirements: &Path) -> Result<String> {
    let text = requirements_text(requirements)?;
    Ok(format!(
        "{} {}\n{text}",
        interpreter.full_version,
        interpreter.executable.display()
    ))
}

/// A requirements file with the files that it includes (`-r other.txt`).
fn requirements_text(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).context(|| format!("reading {}", file.display()))?;
    let mut all = text.clone();
    for included in text.lines().filter_map(|line| line.strip_prefix("-r ")) {
        all.push_str(&requirements_text(&file.with_file_name(included.trim()))?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_in_an_included_file_changes_the_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let (outer, inner) = (folder.path().join("tools.txt"), folder.path().join("base.txt"));
        fs::write(&outer, "-r base.txt\nmypy==1\n").unwrap();
        fs::write(&inner, "pytest==1\n").unwrap();
        let before = requirements_text(&outer).unwrap();
        fs::write(&inner, "pytest==2\n").unwrap();
        assert_ne!(before, requirements_text(&outer).unwrap());
    }
}
