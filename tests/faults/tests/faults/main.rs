//! The fault matrix of the Rust proxies: each line of what a worker owes, tried as the worst user would, on the real engine
//! and real files, on every executor that makes a difference.
//!
//! `cargo test -p async-proxy-faults` runs all of it and prints one table; a word after `--` selects the faults whose name
//! contains it. `ASYNC_PROXY_SOAK_SECONDS` sets how long the last of them lasts, `ASYNC_PROXY_KILLS` how often a process is
//! killed.

mod callbacks;
mod cancelling;
mod closing;
mod desk;
mod executor;
mod many;
mod matrix;
mod opening;
mod process;
mod processes;
mod random;
mod resources;
mod runtimes;
mod scratch;

use std::process::ExitCode;

use matrix::Fault;

/// All faults, in the order in which they are tried.
const FAULTS: &[&[Fault]] = &[
    cancelling::FAULTS,
    runtimes::FAULTS,
    closing::FAULTS,
    opening::FAULTS,
    callbacks::FAULTS,
    processes::FAULTS,
    many::FAULTS,
];

fn main() -> ExitCode {
    if let Some(status) = processes::run_as_child() {
        return status;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for fault in FAULTS.iter().copied().flatten() {
            println!("{}: guards against {}", fault.name, fault.bug);
        }
        return ExitCode::SUCCESS;
    }
    let words: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let selected = FAULTS
        .iter()
        .copied()
        .flatten()
        .filter(|fault| words.is_empty() || words.iter().any(|word| fault.name.contains(word)));
    matrix::run(selected)
}
