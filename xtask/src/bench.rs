//! `cargo xtask bench`: installs what is measured, side by side, and starts the measurements in `benches/python/measure`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::environment::Environment;
use crate::failure::{Context, Failure, Result};
use crate::interpreter::Interpreter;
use crate::process::Program;
use crate::servers::Servers;
use crate::terminal::Terminal;
use crate::workspace::Workspace;
use crate::{interpreter, wheel};

/// What a person reads with `--help`, below the options.
const HELP: &str = "\
What happens: the wheel of this repository is built as it is shipped and installed beside its peers, which come from the
package index in the versions of benches/requirements.txt, into target/venv/bench. Each cell (a workload, a driver and a
configuration) then runs in a process of its own, once in each round; the rounds are interleaved, so that what slows the
machine down for a while does not hit one driver alone. Every second round is only for the cells that decide whether a bar is
met. What counts is the ratio of the medians of one run.

How long it takes: twenty minutes for the measuring, since no round is begun that would not end by then (--minutes changes
that; with --rounds or --quick there is no such limit unless it is given), after the builds, which take some minutes more.

Filters of one kind add up, those of different kinds narrow each other down:
  workloads        point-select, insert, lag …; a part of a name selects all that contain it (`fetch`)
  drivers          aioturso, turso.aio, aiosqlite, apsw; other-worker (aioturso with the worker that is not the default);
                   the blocking aioturso.lib, turso, sqlite3; in Rust async-proxy, turso-crate, tokio-rusqlite, async-sqlite,
                   spawn-blocking, and engine
  configurations   asyncio, uvloop, tokio (the workloads in Rust), file, memory, all-cores, one-core

Examples:
  cargo xtask bench --quick                        a first impression, in minutes: asyncio, a file, all cores
  cargo xtask bench point-select-tasks --quick     one row of the table
  cargo xtask bench fetchall aioturso aiosqlite    one row, two drivers
  cargo xtask bench iterate one-core               pinned to one core
  cargo xtask bench --version-specific             what the stable ABI costs: the blocking driver, for one version of Python
                                                   (the column aioturso.lib-cp), beside the same for the stable ABI
  cargo xtask bench rust --quick                   the Rust proxies; their peers are built first, which takes minutes
  cargo xtask bench mirror                         by itself: what twins and awaitables of an async API cost beside block_on
                                                   and pyo3-async-runtimes
  cargo xtask bench sync                           by itself: what a synchronised connection can do while its pull
                                                   waits for the server
  cargo xtask bench point-select insert --profile  where the time of aioturso goes: by thread, and by function
  cargo xtask bench --update-docs                  all of it, and the tables into README.md and docs/benchmarks.md
  cargo xtask bench --as-measured --update-docs    the tables of the last run, without measuring again
  cargo xtask bench                                all of it; leave the machine alone meanwhile

The tables are printed, with what meets its bar and what is short by how much, and written to target/bench/whole (with filters or
--quick to target/bench/part, with --version-specific to target/bench/stable-abi): report.md, results.json with each single
value, and a picture (SVG) of each configuration. docs/benchmarks.md says how to read them.";

/// The command line of `cargo xtask bench`.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Workloads, drivers and configurations to measure; all when none is named
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,

    /// Fewer rounds of less work, only the first configuration unless one is named, and a wheel that is built quickly: it is
    /// a tenth slower in the engine than the one that is shipped
    #[arg(long)]
    quick: bool,

    /// Print the cells that would be measured, and stop
    #[arg(long)]
    list: bool,

    /// How many processes measure each cell that decides whether a bar is met, the others about half as many; 5 otherwise,
    /// or 3 with --quick
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Begin no round that would not end by then; the first is measured in any case
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    minutes: Option<u32>,

    /// Instead of comparing: where the time of aioturso goes in each workload, by thread and by function (asyncio, a file,
    /// all cores)
    #[arg(long, conflicts_with_all = ["update_docs", "as_measured", "every_combination", "version_specific"])]
    profile: bool,

    /// Put what was found into README.md and docs/benchmarks.md, with a profile of what is short of its bar; the whole of it
    /// only, so without filters
    #[arg(long, conflicts_with_all = ["filters", "quick", "list", "every_combination"])]
    update_docs: bool,

    /// Report what the last run has found, without measuring
    #[arg(long, conflicts_with_all = ["filters", "quick", "list", "rounds", "minutes", "every_combination"])]
    as_measured: bool,

    /// Every combination of loop, storage and cores, not only those that differ from the first in one thing
    #[arg(long)]
    every_combination: bool,

    /// Beside the wheel for the stable ABI, measure one that is built for just this version of Python; both are built quickly.
    /// Without filters, the blocking driver alone
    #[arg(long)]
    version_specific: bool,

    /// Measure the wheel that is installed already, without building
    #[arg(long)]
    as_installed: bool,

    /// The Python version to measure on; the newest that is found otherwise
    #[arg(long, value_name = "VERSION")]
    python: Option<String>,
}

/// How long a whole run may measure when nothing else is said.
const MINUTES: u32 = 20;

/// What the stable ABI can make dearer, measured where nothing but the driver works.
const STABLE_ABI: [&str; 10] = [
    "point-select",
    "iterate",
    "fetchmany",
    "fetchall",
    "insert",
    "executemany",
    "aioturso.lib",
    "aioturso.lib-cp",
    "asyncio",
    "file",
];

/// The filter that stands for the measurements of `benches/mirror`, which share nothing with the others.
const MIRROR: &str = "mirror";

/// The filter that stands for the measurements of `benches/sync`, which need a server.
const SYNC: &str = "sync";

/// Sets up and measures.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments, terminal: Terminal) -> Result<()> {
    if arguments.filters.iter().any(|filter| filter == SYNC) {
        return measure_sync(workspace, arguments, terminal);
    }
    if arguments.filters.iter().any(|filter| filter == MIRROR) {
        return measure_mirror(workspace, arguments, terminal);
    }
    let environment = prepare(workspace, &newest_interpreter(arguments.python.as_slice())?, terminal)?;
    if arguments.as_measured {
        return report_again(workspace, arguments, &environment, terminal);
    }
    let rust_program = workspace
        .target
        .join("release")
        .join(format!("rust-benches{}", std::env::consts::EXE_SUFFIX));
    let measurements = || command_line(workspace, arguments, &environment, &rust_program);
    // What is to be built depends on what was asked for; and a wrong filter is told before minutes are spent.
    let cells = measurements().argument("--list").read()?;
    if arguments.list {
        print!("{cells}");
        return Ok(());
    }
    let in_rust = |line: &str| line.starts_with("rust-");
    if cells.lines().any(in_rust) {
        build_rust_program(workspace, terminal)?;
    }
    if !arguments.as_installed && !cells.lines().all(in_rust) {
        let how = if arguments.quick || arguments.version_specific {
            wheel::Build::Quick
        } else {
            wheel::Build::Shipped
        };
        let built = wheel::build(workspace, &workspace.root, &environment, how, terminal)?;
        wheel::install_all(&[built], &environment, terminal)?;
    }
    if arguments.version_specific {
        install_for_one_version(workspace, &environment, terminal)?;
    }
    measurements()
        .advice("what failed is named above; `cargo xtask bench --list` shows the cells, `--help` the filters")
        .run(terminal)
}

/// The tables of the last run.
fn report_again(
    workspace: &Workspace,
    arguments: &Arguments,
    environment: &Environment,
    terminal: Terminal,
) -> Result<()> {
    let mut program = measure(workspace, arguments, environment).argument("--as-measured");
    if arguments.update_docs {
        program = program.argument("--docs").argument(&workspace.root);
    }
    program.run(terminal)
}

/// The blocking twins and the awaitables of an async API, beside what they would be made of by hand.
fn measure_mirror(workspace: &Workspace, arguments: &Arguments, terminal: Terminal) -> Result<()> {
    let others = arguments.filters.len() > 1 || arguments.every_combination || arguments.version_specific;
    let ways = arguments.profile || arguments.update_docs || arguments.as_measured || arguments.as_installed;
    if others || ways || arguments.rounds.is_some() || arguments.minutes.is_some() {
        return Err(Failure::new(
            "`mirror` is measured by itself: run `cargo xtask bench mirror`, with `--quick`, `--python` or `--list` at most",
        ));
    }
    let program = benches(workspace).join(MIRROR).join("measure.py");
    let mut wanted = vec![program.into_os_string()];
    for (is_wanted, option) in [(arguments.quick, "--quick"), (arguments.list, "--list")] {
        if is_wanted {
            wanted.push(option.into());
        }
    }
    Program::new(
        &newest_interpreter(arguments.python.as_slice())?.executable,
        &workspace.root,
    )
    .arguments(wanted)
    // Beside what `benches/rust` builds: under `target`, and nowhere else.
    .environment("CARGO_TARGET_DIR", workspace.target.join("bench").join(MIRROR))
    .advice("its peer comes from the registry of crates")
    .run(terminal)
}

/// What a connection that is synchronised can do while its pull waits for the server, beside the published driver.
fn measure_sync(workspace: &Workspace, arguments: &Arguments, terminal: Terminal) -> Result<()> {
    let others = arguments.filters.len() > 1 || arguments.every_combination || arguments.version_specific;
    let ways = arguments.profile || arguments.update_docs || arguments.as_measured;
    if others || ways || arguments.rounds.is_some() || arguments.minutes.is_some() {
        return Err(Failure::new(
            "`sync` is measured by itself: run `cargo xtask bench sync`, with `--quick` (a wheel that is built quickly), \
             `--as-installed`, `--python` or `--list` at most",
        ));
    }
    let environment = prepare(workspace, &newest_interpreter(arguments.python.as_slice())?, terminal)?;
    let program = || {
        Program::new(environment.python(), &workspace.root).argument(benches(workspace).join(SYNC).join("measure.py"))
    };
    if arguments.list {
        return program().argument("--list").run(terminal);
    }
    let server = Servers::build(workspace, terminal)?;
    if !arguments.as_installed {
        let how = if arguments.quick {
            wheel::Build::Quick
        } else {
            wheel::Build::Shipped
        };
        let built = wheel::build(workspace, &workspace.root, &environment, how, terminal)?;
        wheel::install_all(&[built], &environment, terminal)?;
    }
    server.tell(program()).run(terminal)
}

/// The program in `benches/python/measure`, as the person wants it.
fn command_line(
    workspace: &Workspace,
    arguments: &Arguments,
    environment: &Environment,
    rust_program: &Path,
) -> Program {
    let mut program = measure(workspace, arguments, environment)
        .argument("--rust")
        .argument(rust_program)
        .arguments(&arguments.filters);
    if arguments.version_specific && arguments.filters.is_empty() {
        program = program.arguments(STABLE_ABI);
    }
    if arguments.version_specific {
        program = program
            .argument("--for-one-version")
            .argument(site_for_one_version(workspace));
    }
    for (wanted, option) in [
        (arguments.quick, "--quick"),
        (arguments.every_combination, "--every-combination"),
        (arguments.profile, "--profile"),
    ] {
        if wanted {
            program = program.argument(option);
        }
    }
    if arguments.update_docs {
        program = program.argument("--docs").argument(&workspace.root);
    }
    let unlimited =
        arguments.quick || arguments.version_specific || arguments.rounds.is_some() || arguments.every_combination;
    let minutes = arguments.minutes.or_else(|| (!unlimited).then_some(MINUTES));
    for (number, option) in [(arguments.rounds, "--rounds"), (minutes, "--minutes")] {
        if let Some(number) = number {
            program = program.argument(option).argument(number.to_string());
        }
    }
    program
}

/// The program in `benches/python/measure`, and where it keeps its results: what took long to find out is not overwritten by a
/// first impression of something else.
fn measure(workspace: &Workspace, arguments: &Arguments, environment: &Environment) -> Program {
    let kept = if arguments.version_specific {
        "stable-abi"
    } else if arguments.quick || arguments.profile || !arguments.filters.is_empty() {
        "part"
    } else {
        "whole"
    };
    Program::new(environment.python(), &python_folder(workspace))
        .arguments(["-m", "measure", "--output"])
        .argument(workspace.target.join("bench").join(kept))
}

/// Builds the peers of the Rust proxies: a workspace of its own, so that nothing else ever builds them.
fn build_rust_program(workspace: &Workspace, terminal: Terminal) -> Result<()> {
    Program::cargo(&benches(workspace).join("rust"))
        .arguments(["build", "--release"])
        .environment("CARGO_TARGET_DIR", &workspace.target)
        .advice("its peers come from the registry of crates, and SQLite needs a C compiler")
        .run(terminal)
}

/// Builds the wheel without the stable ABI, and installs it where nothing finds it that does not look for it.
fn install_for_one_version(workspace: &Workspace, environment: &Environment, terminal: Terminal) -> Result<()> {
    let folder = workspace.target.join("wheels").join("for-one-version");
    let wheel = wheel::make(
        workspace,
        &workspace.root,
        environment,
        &folder,
        wheel::Build::OneVersion,
        terminal,
    )?;
    environment
        .pip(&workspace.root)
        .arguments(["--no-deps", "--upgrade", "--target"])
        .argument(site_for_one_version(workspace))
        .argument(wheel)
        .run(terminal)
}

fn site_for_one_version(workspace: &Workspace) -> PathBuf {
    workspace.target.join("bench").join("for-one-version")
}

/// Where what measures in Python stands, with its tests.
pub(crate) fn python_folder(workspace: &Workspace) -> PathBuf {
    benches(workspace).join("python")
}

fn benches(workspace: &Workspace) -> PathBuf {
    workspace.root.join("benches")
}

/// The environment with all that is measured but our own wheel.
pub(crate) fn prepare(workspace: &Workspace, newest: &Interpreter, terminal: Terminal) -> Result<Environment> {
    let venvs = workspace.target.join("venv");
    fs::create_dir_all(&venvs).context(|| format!("making {}", venvs.display()))?;
    let requirements = benches(workspace).join("requirements.txt");
    Environment::prepare("bench", newest, &requirements, &venvs, terminal)
}

/// The newest interpreter of those that were asked for, or of all.
pub(crate) fn newest_interpreter(wanted: &[String]) -> Result<Interpreter> {
    let newest = interpreter::find(wanted)?.interpreters.pop();
    newest.ok_or_else(|| Failure::new("there is no interpreter to measure on"))
}
