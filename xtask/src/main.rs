//! Set-up and checks in one place: `cargo xtask test`.
//!
//! Portable on purpose (no shell, no `make`): everything is `std::process`. What a step needs it sets up by itself under
//! `target/`; what it cannot set up it names, with the command that does.

#![forbid(unsafe_code)]

mod environment;
mod failure;
mod interpreter;
mod process;
mod runner;
mod session;
mod step;
mod steps;
mod terminal;
mod wheel;
mod workspace;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::terminal::Terminal;

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
}

#[derive(Args)]
struct TestArguments {
    /// Steps or groups of steps (see --list); everything when none is named
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
}

fn main() -> ExitCode {
    let CommandLine {
        command: Command::Test(arguments),
    } = CommandLine::parse();
    let terminal = Terminal::detect();
    if arguments.list {
        runner::print_steps();
        return ExitCode::SUCCESS;
    }
    let outcome = runner::select(&arguments.steps)
        .and_then(|selected| runner::run(&selected, &arguments.python, arguments.fail_fast, terminal));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            terminal.error(&failure);
            ExitCode::from(2)
        }
    }
}
