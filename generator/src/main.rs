//! The command line of the generator.

#![forbid(unsafe_code)]

use std::env;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use generator::config::{FILE_NAME, find, load};
use generator::run::{Mode, run};

/// Reads a blocking Rust API and writes its async bindings: Rust proxies, a Python module, an asyncio driver and stubs.
#[derive(Parser)]
#[command(
    name = "generator",
    version,
    after_help = "\
Examples:
  cargo run -p generator                        write what changed, say what that means for callers
  cargo run -p generator -- --check             write nothing; show what is stale and exit with 1 if anything is
  cargo run -p generator -- inspect             print each member with its kind and its signature on every side
  cargo run -p generator -- --config examples/journal/async-proxy.toml

The config async-proxy.toml is looked for in the current folder and in those above it. The shortest one:
  [source]
  crate = \"my_driver\"              # how Rust names the crate with the blocking API
  root = \"my-driver/src/lib.rs\"    # its root file; its modules are followed
  [output]
  folder = \"generated\"             # belongs to the generator alone
  command = \"cargo run -p generator\"
  [rust]                           # write the Rust proxies
  [python]                         # write the Python package
  package = \"aiomydriver\"
  module = \"_native\"

What a Python package may have besides:
  profile = \"dbapi\"                # PEP 249: exceptions, row factories, a `with` that commits
  [python.types]                   # how a type of Rust is called in annotations
  \"Params\" = \"Parameters\"
  [python.aliases]                 # what such a name stands for
  \"Parameters\" = \"Sequence[int | str]\"
  [python.submodules]              # what is in aiomydriver.sync, and not in aiomydriver itself
  sync = [\"ConnectionSync\", \"connect_sync\"]

Exit codes: 0 all is well; 1 the output is stale, or the description has faults; 2 wrong usage or a wrong config."
)]
struct Arguments {
    /// Write nothing; show what is stale, missing or left over, and exit with 1 if anything is
    #[arg(long)]
    check: bool,

    /// The config to use in place of the nearest async-proxy.toml
    #[arg(long, value_name = "PATH", global = true)]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Print the API as a table: member, kind, lane, signature on each side
    Inspect,
}

/// The parser, the printer and what lies between them go down as deep as the sources are nested: a main thread has as little
/// as 1 MB for that. What is reserved and not used costs nothing.
const STACK: usize = 256 << 20;

fn main() -> ExitCode {
    let worker = thread::Builder::new().stack_size(STACK).spawn(run_command);
    match worker.map(thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // The panic's message has been shown.
        Ok(Err(_)) => ExitCode::from(101),
        Err(error) => {
            anstream::eprintln!("error: cannot start a thread: {error}\nhelp: free some memory, and run again");
            ExitCode::from(2)
        }
    }
}

fn run_command() -> ExitCode {
    let arguments = Arguments::parse();
    let mode = match (arguments.command, arguments.check) {
        (Some(Command::Inspect), false) => Mode::Inspect,
        (Some(Command::Inspect), true) => {
            let message = "`--check` and `inspect` do different things: give one of them";
            Arguments::command().error(ErrorKind::ArgumentConflict, message).exit()
        }
        (None, true) => Mode::Check,
        (None, false) => Mode::Write,
    };
    let Some(path) = arguments
        .config
        .or_else(|| env::current_dir().ok().and_then(|folder| find(&folder)))
    else {
        anstream::eprintln!(
            "error: there is no {FILE_NAME} in the current folder or in one above it\n\
             help: run in the workspace that has one, or name it with `--config PATH`; `--help` shows what stands in it"
        );
        return ExitCode::from(2);
    };
    let config = match load(&path) {
        Ok(config) => config,
        Err(error) => {
            anstream::eprint!("{error}");
            return ExitCode::from(2);
        }
    };
    let colours = std::io::stderr().is_terminal();
    let outcome = run(&config, mode, colours, &mut |line| {
        anstream::eprintln!("generator: {line}")
    });
    anstream::eprint!("{}", outcome.faults);
    anstream::print!("{}", outcome.output);
    ExitCode::from(outcome.code)
}
