//! Running other programs: announced, with their output where it belongs.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{Context, Failure, Result};
use crate::terminal::{Terminal, is_continuous_integration};

/// A program to run, with what a person needs to run it again by hand.
pub(crate) struct Program {
    command: Command,
    shown: Vec<String>,
    advice: Option<String>,
}

impl Program {
    /// A program by name or path, run in a folder.
    pub(crate) fn new(program: impl AsRef<OsStr>, folder: &Path) -> Self {
        let mut command = Command::new(program.as_ref());
        command.current_dir(folder);
        if is_continuous_integration() {
            command
                .env("CARGO_TERM_PROGRESS_WHEN", "never")
                .env("NO_COLOR", "1")
                .env("CARGO_TERM_COLOR", "never");
        }
        let shown = vec![as_seen_from_here(program.as_ref())];
        Self {
            command,
            shown,
            advice: None,
        }
    }

    /// The cargo that runs this tool.
    pub(crate) fn cargo(folder: &Path) -> Self {
        let mut program = Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), folder);
        program.shown = vec!["cargo".to_owned()];
        program
    }

    pub(crate) fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        let argument = argument.as_ref();
        self.command.arg(argument);
        self.shown.push(as_seen_from_here(argument));
        self
    }

    pub(crate) fn arguments<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Self {
        arguments.into_iter().fold(self, Self::argument)
    }

    pub(crate) fn environment(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value.as_ref());
        self.shown
            .insert(0, format!("{name}={}", value.as_ref().to_string_lossy()));
        self
    }

    /// What to do when the program fails, or when it is not there.
    pub(crate) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Runs it to its end with its output passed through, and fails if it does.
    pub(crate) fn run(mut self, terminal: Terminal) -> Result<()> {
        terminal.note(&format!("$ {}", self.shown.join(" ")));
        let status = self.command.status().map_err(|error| self.not_started(&error))?;
        if status.success() {
            Ok(())
        } else {
            Err(self.failed(&status.to_string()))
        }
    }

    /// Runs it to its end beside others: what it has written is passed on in one piece when it has ended. Fails if it does.
    pub(crate) fn run_beside(mut self, terminal: Terminal) -> Result<()> {
        terminal.note(&format!("$ {}", self.shown.join(" ")));
        self.command.stdin(Stdio::null());
        let output = self.command.output().map_err(|error| self.not_started(&error))?;
        for written in [&output.stdout, &output.stderr] {
            let written = String::from_utf8_lossy(written);
            if !written.trim().is_empty() {
                terminal.note(written.trim_end());
            }
        }
        if output.status.success() {
            Ok(())
        } else {
            Err(self.failed(&output.status.to_string()))
        }
    }

    /// Runs it to its end in silence; what it wrote on standard output, or a failure with what it wrote on standard error.
    pub(crate) fn read(mut self) -> Result<String> {
        self.command.stdin(Stdio::null());
        let output = self.command.output().map_err(|error| self.not_started(&error))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(self.failed(&format!("{}\n{}", output.status, said.trim_end())));
        }
        String::from_utf8(output.stdout).context(|| format!("the output of `{}`", self.shown.join(" ")))
    }

    fn not_started(&self, error: &std::io::Error) -> Failure {
        let reason = match error.kind() {
            ErrorKind::NotFound => "it is not installed, or not on PATH".to_owned(),
            _ => error.to_string(),
        };
        self.failure(&format!("`{}` could not be started: {reason}", self.shown.join(" ")))
    }

    fn failed(&self, how: &str) -> Failure {
        self.failure(&format!("`{}` failed: {how}", self.shown.join(" ")))
    }

    fn failure(&self, message: &str) -> Failure {
        match &self.advice {
            Some(advice) => Failure::new(format!("{message}\n    {advice}")),
            None => Failure::new(message),
        }
    }
}

/// A path below the current folder as one types it there; anything else as it is.
fn as_seen_from_here(text: &OsStr) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let path = Path::new(text);
    let seen = path
        .strip_prefix(&here)
        .ok()
        .filter(|relative| path.is_absolute() && !relative.as_os_str().is_empty());
    seen.map_or(text, Path::as_os_str).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named_with_what_to_do() {
        let program = Program::new("no-such-program-anywhere", Path::new(".")).advice("install it");
        let message = program.read().unwrap_err().to_string();
        assert!(
            message.contains("no-such-program-anywhere") && message.contains("not installed"),
            "{message}"
        );
        assert!(message.ends_with("install it"), "{message}");
    }

    #[test]
    fn a_program_that_fails_is_a_failure_with_its_own_words() {
        let program = Program::cargo(Path::new(".")).argument("no-such-command");
        let message = program.read().unwrap_err().to_string();
        assert!(message.starts_with("`cargo no-such-command` failed"), "{message}");
        assert!(message.contains("no such command"), "{message}");
    }
}
