//! Set-up and checks in one place: `cargo xtask test`.
//!
//! Portable on purpose (no shell, no `make`): everything is `std::process`. What a step needs it sets up by itself under
//! `target/`; what it cannot set up it names, with the command that does.

#![forbid(unsafe_code)]

mod bench;
mod benches;
mod environment;
mod failure;
mod faults;
mod interpreter;
mod mutants;
mod process;
mod runner;
mod servers;
mod session;
mod source_distribution;
mod step;
mod steps;
mod terminal;
mod wheel;
mod workspace;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::faults::Extent;
use crate::terminal::Terminal;
use crate::workspace::Workspace;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Set-up and checks of this repository"
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every check, or the ones that are named, with all the set-up they need
    Test(TestArguments),
    /// Try the tests of the worker on workers with one bug each: every one of them must fail
    Mutants(MutantsArguments),
    /// Measure what an await costs, beside the drivers that people use today, and compare with where it must stand
    Bench(bench::Arguments),
}

#[derive(Args)]
struct MutantsArguments {
    /// Only mutants whose bug or test contains this
    #[arg(value_name = "WORD", default_value = "")]
    word: String,

    /// Only one mutant of each kind of bug
    #[arg(long)]
    quick: bool,

    /// Those that the fault matrix must find, in place of the others: the engine takes minutes to build
    #[arg(long)]
    with_engine: bool,
}

#[derive(Args)]
struct TestArguments {
    /// Steps or groups of steps (see --list); all when none is named
    #[arg(value_name = "STEP")]
    steps: Vec<String>,

    /// Print the steps and the groups they belong to, and stop
    #[arg(long)]
    list: bool,

    /// Stop at the first step that fails; otherwise the steps that do not depend on it still run
    #[arg(long)]
    fail_fast: bool,

    /// Use only these Python versions, separated by commas (3.10,3.13); every one that is found otherwise
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',')]
    python: Vec<String>,

    /// How long each soak of the fault matrix lasts, in seconds (ten minutes: 600); some seconds otherwise
    #[arg(long, value_name = "SECONDS")]
    soak_seconds: Option<u32>,
}

fn main() -> ExitCode {
    let terminal = Terminal::detect();
    match CommandLine::parse().command {
        Command::Test(arguments) => test(&arguments, terminal),
        Command::Mutants(arguments) => try_mutants(&arguments, terminal),
        Command::Bench(arguments) => measure(&arguments, terminal),
    }
}

fn measure(arguments: &bench::Arguments, terminal: Terminal) -> ExitCode {
    match Workspace::find().and_then(|workspace| bench::run(&workspace, arguments, terminal)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.error(&failure);
            ExitCode::from(1)
        }
    }
}

fn try_mutants(arguments: &MutantsArguments, terminal: Terminal) -> ExitCode {
    let scope = mutants::Scope {
        quick: arguments.quick,
        with_engine: arguments.with_engine,
    };
    let outcome = Workspace::find().and_then(|workspace| mutants::run(&workspace, scope, &arguments.word, terminal));
    match outcome {
        Ok(killed) => {
            terminal.note(&format!("{killed} of {killed} mutants killed"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            terminal.error(&failure);
            ExitCode::from(1)
        }
    }
}

fn test(arguments: &TestArguments, terminal: Terminal) -> ExitCode {
    if arguments.list {
        runner::print_steps();
        return ExitCode::SUCCESS;
    }
    let extent = Extent {
        soak_seconds: arguments.soak_seconds,
    };
    let outcome = runner::select(&arguments.steps)
        .and_then(|selected| runner::run(&selected, &arguments.python, extent, arguments.fail_fast, terminal));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            terminal.error(&failure);
            ExitCode::from(2)
        }
    }
}
