//! Random schedules: two replicas and a server write, push, pull, fail, are killed and started again; when nothing goes wrong
//! any more and all have synchronised, all three are equal, and no row is missing that was committed and that no other side
//! touched.
//!
//! `SYNC_SCHEDULES=200 cargo xtask test rust-sync` runs that many; a few are run otherwise. The seed of each one that fails is
//! printed with what was done, and `SYNC_SEED=…` runs that one again and prints the same. How a killed process has ended is for the system to say:
//! a schedule that kills one in the middle may go another way the next time.

mod oracle;
mod replica;
mod schedule;

use std::process::ExitCode;
use std::time::Instant;

use async_proxy_sync_tests::Kind;

/// How many are run if nobody says how many.
const FEW: u64 = 12;

/// How many steps each has.
const STEPS: usize = 60;

/// After how many it says how far it has got.
const PROGRESS: usize = 20;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == replica::ARGUMENT) {
        return match replica::be_a_replica() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("replica: {error}");
                ExitCode::FAILURE
            }
        };
    }
    if Kind::Ours.program().is_none() {
        eprintln!("left out: SYNC_TEST_SERVER names no server: `cargo xtask test rust-sync` sets it");
        return ExitCode::SUCCESS;
    }
    let seeds: Vec<u64> = match number("SYNC_SEED") {
        Some(seed) => vec![seed],
        None => {
            let first = number("SYNC_FIRST_SEED").unwrap_or_else(|| fastrand::u64(..1 << 40));
            (first..first + number("SYNC_SCHEDULES").unwrap_or(FEW)).collect()
        }
    };
    let begin = Instant::now();
    let mut failed = Vec::new();
    for (done, seed) in seeds.iter().enumerate() {
        if done > 0 && done % PROGRESS == 0 {
            println!("{done} schedules, {} failed", failed.len());
        }
        let outcome = schedule::run(*seed, STEPS);
        if !outcome.faults.is_empty() || number("SYNC_SEED").is_some() {
            println!("--- SYNC_SEED={seed}\n{}", outcome.log);
        }
        if !outcome.faults.is_empty() {
            println!("FAILED: {}", outcome.faults.join("\n  "));
            failed.push(*seed);
        }
    }
    let (all, seconds) = (seeds.len(), begin.elapsed().as_secs());
    let first = seeds.first().copied().unwrap_or_default();
    println!(
        "{} of {all} schedules of {STEPS} steps, from SYNC_FIRST_SEED={first} on, passed in {seconds} s",
        all - failed.len()
    );
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        println!("failed: {failed:?}; SYNC_SEED=… runs one of them again");
        ExitCode::FAILURE
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
