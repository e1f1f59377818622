//! `cargo xtask mutants`: workers with one bug each, and the tests that must fail on them.
//!
//! Each mutant is a text in a source file and what stands in its place. A text that is not there exactly once, a mutant that
//! does not compile and one on which its test passes fail the run, so that neither mutants nor tests rot. Everything happens
//! in copies under `target/mutants/`, each with a build folder of its own: two copies that share one would be taken for each
//! other by cargo.

mod copy;
mod cursors;
mod ends;
mod engine;
mod laboratory;
mod list;
mod queue;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};
use crate::terminal::Terminal;
use crate::workspace::Workspace;
use laboratory::{Laboratory, Verdict};
use list::{MUTANTS, Mutant};

/// What a run covers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Scope {
    /// One mutant of each kind of bug.
    pub(crate) quick: bool,
    /// Those whose test needs the engine, which takes minutes to build, in place of the others.
    pub(crate) with_engine: bool,
}

struct Row {
    mutant: &'static Mutant,
    verdict: Verdict,
    time: Duration,
}

/// Runs the mutants whose bug or test contains the word; how many were killed.
///
/// # Errors
/// If one survived, or could not be tried.
pub(crate) fn run(workspace: &Workspace, scope: Scope, word: &str, terminal: Terminal) -> Result<usize> {
    let selected: Vec<&'static Mutant> = MUTANTS
        .iter()
        .copied()
        .flatten()
        .filter(|mutant| scope.with_engine == mutant.test.needs_engine())
        .filter(|mutant| !scope.quick || mutant.quick)
        .filter(|mutant| mutant.bug.contains(word) || mutant.test.name.contains(word))
        .collect();
    if selected.is_empty() {
        return Err(Failure::new(format!("no mutant has `{word}` in its bug or its test")));
    }
    // Before anything is built: a text that has changed is told at once.
    check_fit(workspace)?;
    let width = selected.iter().map(|mutant| mutant.bug.len()).max().unwrap_or(0);
    let (next, rows, failure) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(None));
    let lanes = if scope.with_engine {
        1
    } else {
        lanes().min(selected.len())
    };
    std::thread::scope(|scope_of_threads| {
        for lane in 0..lanes {
            let (next, rows, failure, selected) = (&next, &rows, &failure, &selected);
            scope_of_threads.spawn(move || {
                let work = || -> Result<()> {
                    let laboratory = Laboratory::prepare(workspace, lane, scope.with_engine)?;
                    let ours: Vec<_> = selected
                        .iter()
                        .skip(lane)
                        .step_by(lanes)
                        .map(|mutant| mutant.test)
                        .collect();
                    laboratory.check_healthy(&ours)?;
                    while let Some(mutant) = selected.get(next.fetch_add(1, Ordering::SeqCst)) {
                        let started = Instant::now();
                        let verdict = laboratory.try_mutant(mutant)?;
                        let time = started.elapsed();
                        terminal.note(&line(mutant, &verdict, time, width));
                        rows.lock().expect("no lane panics").push(Row { mutant, verdict, time });
                    }
                    Ok(())
                };
                if let Err(error) = work() {
                    *failure.lock().expect("no lane panics") = Some(error);
                }
            });
        }
    });
    if let Some(failure) = failure.into_inner().expect("no lane panics") {
        return Err(failure);
    }
    let rows = rows.into_inner().expect("no lane panics");
    summarise(&selected, &rows, width, terminal)
}

/// An error that names every mutant whose text its source no longer has, also of those that a quick run leaves out; how many
/// fit otherwise.
pub(crate) fn check_fit(workspace: &Workspace) -> Result<usize> {
    let all = || MUTANTS.iter().copied().flatten();
    let outgrown: Vec<String> = all()
        .filter_map(|mutant| mutant.check(&workspace.root).err())
        .map(|failure| failure.to_string())
        .collect();
    if outgrown.is_empty() {
        return Ok(all().count());
    }
    Err(Failure::new(outgrown.join("\n")))
}

fn summarise(selected: &[&'static Mutant], rows: &[Row], width: usize, terminal: Terminal) -> Result<usize> {
    terminal.note("");
    terminal.note(&format!("{:<width$}  verdict", "bug"));
    let mut survivors = Vec::new();
    for mutant in selected {
        let Some(row) = rows.iter().find(|row| std::ptr::eq(row.mutant, *mutant)) else {
            return Err(Failure::new(format!("\"{}\" was not tried", mutant.bug)));
        };
        terminal.note(&line(mutant, &row.verdict, row.time, width));
        if row.verdict == Verdict::Survived {
            survivors.push(format!("\"{}\" ({})", mutant.bug, mutant.test));
        }
    }
    if survivors.is_empty() {
        return Ok(rows.len());
    }
    Err(Failure::new(format!(
        "{} of {} mutants survived: {}; make the test that is named fail on the bug that is named",
        survivors.len(),
        rows.len(),
        survivors.join(", ")
    )))
}

fn line(mutant: &Mutant, verdict: &Verdict, time: Duration, width: usize) -> String {
    format!(
        "{:<width$}  {:<9} {:>5.1} s  {}",
        mutant.bug,
        verdict.to_string(),
        time.as_secs_f64(),
        mutant.test
    )
}

/// How many are tried at a time: the compiler is busy with one crate after the other, so as many as there are processors.
fn lanes() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bug: a mutant whose text was edited away is never tried again, and nobody notices.
    #[test]
    fn every_mutant_still_fits_its_source() {
        let workspace = Workspace::find().unwrap();
        if let Err(failure) = check_fit(&workspace) {
            panic!("{failure}");
        }
    }
}
