//! Selecting steps and running them.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::failure::{Failure, Result};
use crate::faults::{self, Extent};
use crate::servers::Servers;
use crate::session::Session;
use crate::step::Step;
use crate::steps::{FAULTS, STEPS};
use crate::terminal::{Terminal, Verdict};
use crate::workspace::Workspace;

/// `cargo xtask test --list`.
pub(crate) fn print_steps() {
    let width = STEPS.iter().map(|step| step.name.len()).max().unwrap_or(0);
    println!("Steps, in the order in which they run; what a step needs is added to the selection:");
    for step in STEPS {
        let mut remarks = vec![format!("group {}", step.groups.join(", "))];
        if !step.needs.is_empty() {
            remarks.push(format!("needs {}", step.needs.join(", ")));
        }
        println!("  {:<width$}  {} [{}]", step.name, step.purpose, remarks.join("; "));
    }
}

/// The steps that the words select, with all that they need, in order. No word selects everything.
pub(crate) fn select(words: &[String]) -> Result<Vec<&'static Step>> {
    let mut names: BTreeSet<&'static str> = BTreeSet::new();
    for word in words {
        let matching: Vec<_> = STEPS
            .iter()
            .filter(|step| step.name == word || step.groups.contains(&word.as_str()))
            .collect();
        if matching.is_empty() {
            let groups: BTreeSet<_> = STEPS.iter().flat_map(|step| step.groups.iter().copied()).collect();
            let groups: Vec<_> = groups.into_iter().collect();
            let steps: Vec<_> = STEPS.iter().map(|step| step.name).collect();
            return Err(Failure::new(format!(
                "there is no step and no group `{word}`; groups: {}; steps: {}",
                groups.join(", "),
                steps.join(", ")
            )));
        }
        names.extend(matching.iter().map(|step| step.name));
    }
    // From the back: a step stands behind those that it needs.
    for step in STEPS.iter().rev() {
        if words.is_empty() || names.contains(step.name) {
            names.insert(step.name);
            names.extend(step.needs);
        }
    }
    Ok(STEPS.iter().filter(|step| names.contains(step.name)).collect())
}

/// Runs them; whether all passed.
pub(crate) fn run(
    steps: &[&Step],
    pythons: &[String],
    extent: Extent,
    fail_fast: bool,
    terminal: Terminal,
) -> Result<bool> {
    let workspace = Workspace::find()?;
    let wanted_pythons = pythons.to_vec();
    let mut session = Session {
        terminal,
        workspace,
        wanted_pythons,
        tools: None,
        interpreters: Vec::new(),
        wheels: Vec::new(),
        extent,
        fault_rows: Vec::new(),
        servers: Servers::default(),
    };
    let begin = Instant::now();
    let mut rows = Vec::new();
    let mut not_passed: Vec<&str> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let step_begin = Instant::now();
        let missing = step.needs.iter().copied().find(|need| not_passed.contains(need));
        let (verdict, remark) = if let Some(need) = missing {
            (Verdict::Blocked, format!("needs {need}"))
        } else if fail_fast && !not_passed.is_empty() {
            (
                Verdict::Blocked,
                "stopped at the first failure (--fail-fast)".to_owned(),
            )
        } else {
            terminal.heading(index + 1, steps.len(), step.name, step.purpose);
            match (step.run)(&mut session) {
                Ok(remark) => (Verdict::Passed, remark),
                Err(failure) => {
                    terminal.error(&failure);
                    (Verdict::Failed, in_short(&failure.to_string()))
                }
            }
        };
        if verdict != Verdict::Passed {
            not_passed.push(step.name);
        }
        rows.push((step.name.to_owned(), verdict, step_begin.elapsed(), remark));
    }
    faults::print_table(&session)?;
    let fault_times = steps
        .iter()
        .zip(&rows)
        .filter(|(step, _)| step.groups.contains(&FAULTS));
    faults::print_time(fault_times.map(|(step, (_, _, time, _))| (step.name, *time)), terminal);
    terminal.summary(&rows, begin.elapsed());
    Ok(not_passed.is_empty())
}

/// The beginning of a message, for a line of the summary; the whole of it stands above.
fn in_short(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    match line.char_indices().nth(100) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Vec<&'static str> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        select(&words).unwrap().iter().map(|step| step.name).collect()
    }

    #[test]
    fn no_word_selects_every_step() {
        let all: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names(&[]), all);
    }

    #[test]
    fn a_step_brings_what_it_needs_in_order() {
        assert_eq!(names(&["pytest"]), ["sync-servers", "environments", "wheels", "pytest"]);
    }

    #[test]
    fn a_group_selects_its_steps() {
        assert_eq!(
            names(&["rust"]),
            [
                "generated",
                "format",
                "clippy",
                "sync-servers",
                "rust-tests",
                "rust-faults",
                "rust-sync",
                "rust-docs"
            ]
        );
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_known_ones() {
        let message = select(&["pytests".to_owned()]).err().unwrap().to_string();
        assert!(
            message.contains("`pytests`") && message.contains("pytest,"),
            "{message}"
        );
    }

    #[test]
    fn a_long_message_is_cut_between_letters() {
        let message = format!("{}\nmore", "ü".repeat(200));
        assert_eq!(in_short(&message), format!("{} …", "ü".repeat(100)));
    }

    #[test]
    fn every_need_stands_before_the_step_that_has_it() {
        for (index, step) in STEPS.iter().enumerate() {
            for need in step.needs {
                assert!(
                    STEPS[..index].iter().any(|earlier| earlier.name == *need),
                    "{} needs {need}",
                    step.name
                );
            }
        }
    }
}
