//! The fault matrix: the steps that try its parts, and the one table of what came out.
//!
//! Each part (the Rust proxies, the Python worker) runs by itself and writes its rows to a file: a line for each, with the
//! columns separated by tabs. They are put together here, printed at the end of the run whether all is green or not, and
//! kept, in short, as Markdown under `target/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::environment::Environment;
use crate::failure::{Context, Failure, Result};
use crate::mutants;
use crate::process::Program;
use crate::session::Session;
use crate::step::Remark;
use crate::terminal::{Terminal, seconds};

/// The crate of the matrix of the Rust proxies.
pub(crate) const PACKAGE: &str = "async-proxy-faults";

/// The parts of the matrix of the Python workers that run side by side: what they are called, and their tests, for `-k`. Windows
/// has no other loop.
const PYTHON_PARTS: &[(&str, &str)] = if cfg!(windows) {
    &[("python-asyncio", "asyncio")]
} else {
    &[("python-asyncio", "asyncio"), ("python-other-loops", "not asyncio")]
};

/// The program that tries the Python worker with one bug at a time, in the folder of the Python tests.
const PYTHON_MUTANTS: &str = "faults/mutants/run.py";

/// What stands above the columns.
const HEAD: [&str; 5] = ["fault", "worker", "loop", "result", "measured"];
const RESULT: usize = 3;

/// One fault on one worker and one event loop or executor.
pub(crate) struct Row([String; 5]);

/// How much of the matrix is tried.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extent {
    /// How long each soak lasts; each part has its own default.
    pub(crate) soak_seconds: Option<u32>,
}

/// Tries the Rust proxies.
pub(crate) fn run_rust(session: &mut Session) -> Result<Remark> {
    let rows = rows_file(session, "rust")?;
    let mut program = session
        .cargo()
        .arguments(["test", "--package", PACKAGE])
        .environment("ASYNC_PROXY_MATRIX", &rows);
    if let Some(seconds) = session.extent.soak_seconds {
        program = program.environment("ASYNC_PROXY_SOAK_SECONDS", seconds.to_string());
    }
    let outcome = program.run(session.terminal);
    Ok(format!("{} rows", collect(session, &rows, outcome)?))
}

/// Tries the Python workers. It takes minutes, so on the newest interpreter alone, and on the event loops side by side: most
/// faults wait for something, and none depends on a quiet machine.
pub(crate) fn run_python(session: &mut Session) -> Result<Remark> {
    let name = newest(session)?.name.clone();
    let mut runs = Vec::new();
    for &(part, loops) in PYTHON_PARTS {
        let rows = rows_file(session, part)?;
        let mut program = Program::new(newest(session)?.python(), &session.workspace.root)
            .arguments(["-m", "pytest", "--quiet", "-k", loops, "--config-file"])
            .argument(session.python_tests().join("pytest.ini"))
            .argument("--matrix")
            .argument(&rows)
            // Otherwise it is put beside those of the latest runs, which both parts would clear away, maybe at the same time.
            .argument("--basetemp")
            .argument(rows.with_extension("files"));
        if let Some(seconds) = session.extent.soak_seconds {
            program = program.argument("--soak-seconds").argument(seconds.to_string());
        }
        let program = program.argument(session.python_tests().join("faults"));
        runs.push((rows, session.servers.tell(program)));
    }
    let terminal = session.terminal;
    let outcomes: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = runs
            .into_iter()
            .map(|(rows, program)| (rows, scope.spawn(move || program.run_beside(terminal))))
            .collect();
        running
            .into_iter()
            .map(|(rows, run)| (rows, run.join().expect("to run a program does not panic")))
            .collect()
    });
    let mut counts = Vec::new();
    for (rows, outcome) in outcomes {
        counts.push(collect(session, &rows, outcome));
    }
    let counts = counts.into_iter().collect::<Result<Vec<usize>>>()?;
    Ok(format!("{} rows, on {name}", counts.iter().sum::<usize>()))
}

/// Looks whether all mutants fit the sources as they are: to try them takes minutes, and this a second.
pub(crate) fn check_mutants_fit(session: &mut Session) -> Result<Remark> {
    let in_rust = mutants::check_fit(&session.workspace)?;
    Program::new(session.tools()?.python(), &session.workspace.root)
        .argument(session.python_tests().join(PYTHON_MUTANTS))
        .argument("--fit")
        .argument(session.workspace.root.join("generated/python/aioturso"))
        .advice("bring tests/python/faults/mutants/ up to date with what the generator writes")
        .run(session.terminal)?;
    Ok(format!("{in_rust} in Rust, and all in Python"))
}

/// Tries the Rust worker with one bug at a time.
pub(crate) fn run_mutants(session: &mut Session) -> Result<Remark> {
    let mut killed = 0;
    for with_engine in [false, true] {
        let scope = mutants::Scope {
            quick: true,
            with_engine,
        };
        killed += mutants::run(&session.workspace, scope, "", session.terminal)?;
    }
    Ok(format!("{killed} killed, none survived"))
}

/// Tries the Python worker with one bug at a time.
pub(crate) fn run_python_mutants(session: &mut Session) -> Result<Remark> {
    let environment = newest(session)?;
    let program = Program::new(environment.python(), &session.workspace.root)
        .argument(session.python_tests().join(PYTHON_MUTANTS));
    session.servers.tell(program).run(session.terminal)?;
    Ok(format!("on {}", environment.name))
}

fn newest(session: &Session) -> Result<&Environment> {
    session
        .interpreters
        .last()
        .ok_or_else(|| Failure::new("there is no interpreter to run the fault matrix on"))
}

fn folder(session: &Session) -> PathBuf {
    session.workspace.target.join("fault-matrix")
}

/// Where a part writes its rows to. What a run before has left there is removed.
fn rows_file(session: &Session, part: &str) -> Result<PathBuf> {
    let folder = folder(session);
    fs::create_dir_all(&folder).context(|| format!("making {}", folder.display()))?;
    let path = folder.join(part).with_extension("tsv");
    if path.exists() {
        fs::remove_file(&path).context(|| format!("removing {}", path.display()))?;
    }
    Ok(path)
}

/// Takes the rows of a part into the table, also those of one that failed; how many there are.
fn collect(session: &mut Session, path: &PathBuf, outcome: Result<()>) -> Result<usize> {
    let rows = match fs::read_to_string(path) {
        Ok(text) => parse(&text)?,
        Err(_) if outcome.is_err() => Vec::new(),
        Err(error) => return Err(Failure::new(format!("reading {}: {error}", path.display()))),
    };
    let count = rows.len();
    session.fault_rows.extend(rows);
    outcome?;
    if count == 0 {
        return Err(Failure::new(format!("no row of the matrix is in {}", path.display())));
    }
    Ok(count)
}

fn parse(text: &str) -> Result<Vec<Row>> {
    text.lines()
        .map(|line| {
            let columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
            let columns = columns.try_into();
            columns
                .map(Row)
                .map_err(|_| Failure::new(format!("this is no row of the fault matrix: {line:?}")))
        })
        .collect()
}

/// Prints the table, and writes it as Markdown beside the rows.
pub(crate) fn print_table(session: &Session) -> Result<()> {
    let rows = &session.fault_rows;
    if rows.is_empty() {
        return Ok(());
    }
    let path = folder(session).join("matrix.md");
    fs::write(&path, markdown(rows)).context(|| format!("writing {}", path.display()))?;
    session.terminal.note("");
    for line in lines(rows) {
        session.terminal.note(&line);
    }
    session
        .terminal
        .note(&format!("{} (in short: {})", counted(rows), path.display()));
    Ok(())
}

/// Prints how long the steps of the matrix took.
pub(crate) fn print_time<'a>(steps: impl Iterator<Item = (&'a str, Duration)>, terminal: Terminal) {
    let steps: Vec<_> = steps.collect();
    if steps.is_empty() {
        return;
    }
    let sum = seconds(steps.iter().map(|(_, time)| *time).sum());
    let each: Vec<_> = steps
        .iter()
        .map(|(name, time)| format!("{name} {}", seconds(*time)))
        .collect();
    terminal.note(&format!("fault matrix: {} took {sum} in all", each.join(", ")));
}

fn lines(rows: &[Row]) -> Vec<String> {
    let head = HEAD.map(str::to_owned);
    let all = || std::iter::once(&head).chain(rows.iter().map(|row| &row.0));
    let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    all()
        .map(|[fault, worker, event_loop, result, measured]| {
            let [first, second, third, fourth] = widths;
            format!("{fault:<first$}  {worker:<second$}  {event_loop:<third$}  {result:<fourth$}  {measured}")
                .trim_end()
                .to_owned()
        })
        .collect()
}

fn counted(rows: &[Row]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for Row(columns) in rows {
        match counts.iter_mut().find(|(result, _)| *result == columns[RESULT]) {
            Some((_, count)) => *count += 1,
            None => counts.push((&columns[RESULT], 1)),
        }
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(result, count)| format!("{count} {result}"))
        .collect();
    format!("fault matrix: {}", counts.join(", "))
}

/// What the rows of one fault on one worker have in common: its ways and loops are counted, what failed is named.
#[derive(Default)]
struct Group<'a> {
    ways: BTreeSet<&'a str>,
    loops: Vec<&'a str>,
    not_ok: Vec<String>,
    measured: Vec<&'a str>,
}

/// The table for a document: a line for each fault and worker.
fn markdown(rows: &[Row]) -> String {
    let mut groups: Vec<((&str, &str), Group<'_>)> = Vec::new();
    for Row([fault, worker, event_loop, result, measured]) in rows {
        let (name, way) = fault.split_once(": ").unwrap_or((fault, ""));
        let key = (name, worker.as_str());
        let place = groups.iter().position(|(other, _)| *other == key).unwrap_or_else(|| {
            groups.push((key, Group::default()));
            groups.len() - 1
        });
        let group = &mut groups[place].1;
        group.ways.insert(way);
        if !group.loops.contains(&event_loop.as_str()) {
            group.loops.push(event_loop);
        }
        if result != "ok" {
            group
                .not_ok
                .push(format!("{way} {event_loop} {result}").trim().to_owned());
        }
        if !measured.is_empty() {
            group.measured.push(measured);
        }
    }
    let line = |columns: [&str; 5]| format!("| {} |\n", columns.join(" | ")).replace("|  |", "| |");
    let mut text = line(HEAD) + &line(["---"; 5]);
    for ((name, worker), group) in &groups {
        let (name, measured) = match group.ways.len() {
            1 => ((*name).to_owned(), group.measured.first().copied().unwrap_or_default()),
            // Of several ways, each has its own in the table that is printed.
            ways => (format!("{name} ({ways} ways)"), ""),
        };
        let result = match group.not_ok.as_slice() {
            [] => "ok".to_owned(),
            not_ok => not_ok.join(", "),
        };
        text += &line([&name, worker, &group.loops.join(", "), &result, measured]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_apart_by_tabs_and_lines() {
        let rows = parse("a fault\tpython thread\tuvloop\tok\t5 ms\nother\tw\tl\tFAILED\t\n").unwrap();
        assert_eq!(
            lines(&rows),
            [
                "fault    worker         loop    result  measured",
                "a fault  python thread  uvloop  ok      5 ms",
                "other    w              l       FAILED",
            ]
        );
        assert_eq!(counted(&rows), "fault matrix: 1 ok, 1 FAILED");
    }

    #[test]
    fn a_document_has_one_line_for_each_fault_and_worker() {
        let text = "exit: by sys.exit\tw\tuvloop\tok\t5 ms\nexit: by sys.exit\tw\tasyncio\tok\t6 ms\n\
                    exit: by an error\tw\tuvloop\tFAILED\t\nother\tw\tl\tok\t7 ms\n";
        let printed = markdown(&parse(text).unwrap());
        let lines: Vec<&str> = printed.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| exit (2 ways) | w | uvloop, asyncio | by an error uvloop FAILED | |",
                "| other | w | l | ok | 7 ms |",
            ]
        );
    }

    #[test]
    fn a_line_that_is_no_row_is_refused() {
        assert!(parse("half\ta row").is_err());
    }
}
