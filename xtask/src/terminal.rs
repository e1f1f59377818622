//! What is printed, and whether in colour.

use std::io::{IsTerminal, Write};
use std::time::Duration;
use std::{env, fmt, io};

/// Prints headings, notes and the summary. Everything goes to standard output, in the order in which it happens, so that the
/// lines of the tools that are run stand where they belong.
#[derive(Clone, Copy)]
pub(crate) struct Terminal {
    coloured: bool,
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// It did not run, because a step that it needs failed.
    Blocked,
}

const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";

impl Terminal {
    /// Colours where a person reads: not in a pipe, not with `CI=true`, not with `NO_COLOR`.
    pub(crate) fn detect() -> Self {
        let unwanted = is_continuous_integration() || env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            coloured: io::stdout().is_terminal() && !unwanted,
        }
    }

    /// Begins a step.
    pub(crate) fn heading(self, position: usize, count: usize, name: &str, purpose: &str) {
        self.line(&format!(
            "\n{} {name}: {purpose}",
            self.paint(BOLD, &format!("[{position}/{count}]"))
        ));
    }

    /// Something that is being done, within a step.
    pub(crate) fn note(self, text: &str) {
        self.line(&format!("    {text}"));
    }

    /// What went wrong.
    pub(crate) fn error(self, message: &impl fmt::Display) {
        self.line(&format!("{} {message}", self.paint(RED, "error:")));
    }

    /// The lines at the end: every step with its verdict and time.
    pub(crate) fn summary(self, rows: &[(String, Verdict, Duration, String)], total: Duration) {
        self.line("\nSummary");
        let width = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        for (name, verdict, time, remark) in rows {
            let (colour, word) = match verdict {
                Verdict::Passed => (GREEN, "passed"),
                Verdict::Failed => (RED, "FAILED"),
                Verdict::Blocked => (YELLOW, "not run"),
            };
            let word = self.paint(colour, &format!("{word:<8}"));
            let line = format!("  {name:<width$}  {word} {:>8}  {remark}", seconds(*time));
            self.line(line.trim_end());
        }
        let count = |wanted: Verdict| rows.iter().filter(|(_, verdict, ..)| *verdict == wanted).count();
        let (passed, failed, blocked) = (count(Verdict::Passed), count(Verdict::Failed), count(Verdict::Blocked));
        let blocked = if blocked == 0 {
            String::new()
        } else {
            format!(", {blocked} skipped")
        };
        self.line(&format!("In {}:", seconds(total)));
        // As test runners end, for those who read the last line alone.
        self.line(&format!("{passed} passed, {failed} failed{blocked}"));
    }

    fn paint(self, colour: &str, text: &str) -> String {
        if self.coloured {
            format!("{colour}{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn line(self, text: &str) {
        let mut output = io::stdout().lock();
        // A reader that has gone away (`| head`) is no reason to stop checking.
        let _ = writeln!(output, "{text}").and_then(|()| output.flush());
    }
}

/// Whether this runs where nobody watches.
pub(crate) fn is_continuous_integration() -> bool {
    env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// A time, as people write it.
pub(crate) fn seconds(time: Duration) -> String {
    if time.as_secs() < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_readable() {
        assert_eq!(seconds(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }
}
