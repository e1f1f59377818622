//! Measures the Rust proxies beside their peers: one workload with one driver in one process, the result as a line of JSON.
//!
//! `cargo xtask bench rust` builds this and runs it cell by cell.

mod async_sqlite;
mod engine;
mod hop;
mod insert;
mod lag;
mod peer;
mod proxied;
mod select;
mod spawn_blocking;
mod stopwatch;
mod tokio_rusqlite;
mod turso_crate;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::peer::Peer;
use crate::stopwatch::{Effort, Measurement};

#[derive(Parser)]
struct CommandLine {
    workload: Workload,
    driver: Driver,

    /// The database to read: one that `measure.data.write_template` made
    #[arg(long)]
    database: PathBuf,

    /// Which share of the full number of operations a pass has
    #[arg(long, default_value_t = 1.0)]
    share: f64,

    /// How many passes are measured, after one that warms up
    #[arg(long, default_value_t = 3)]
    passes: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Workload {
    /// A call that does nothing, by one task
    RustHop,
    /// A call that does nothing, by 16 tasks on one object
    RustHopTasks,
    /// One row by its id, by one task
    RustPointSelect,
    /// 10,000 rows inserted by one statement that is run for each of them, in a transaction that is rolled back
    RustExecutemany,
    /// How late other tasks of the executor run while a heavy query runs
    RustLag,
}

#[derive(Clone, Copy, ValueEnum)]
enum Driver {
    AsyncProxy,
    TokioRusqlite,
    AsyncSqlite,
    TursoCrate,
    SpawnBlocking,
    /// The engine alone, without a driver and without a thread
    Engine,
}

fn main() {
    let arguments = CommandLine::parse();
    let measurement = match arguments.driver {
        Driver::AsyncProxy => measure::<proxied::Proxied>(&arguments),
        Driver::TokioRusqlite => measure::<tokio_rusqlite::TokioRusqlite>(&arguments),
        Driver::AsyncSqlite => measure::<async_sqlite::AsyncSqlite>(&arguments),
        Driver::TursoCrate => measure::<turso_crate::TursoCrate>(&arguments),
        Driver::Engine => measure::<engine::Engine>(&arguments),
        Driver::SpawnBlocking => measure::<spawn_blocking::SpawnBlocking>(&arguments),
    };
    let line = serde_json::to_string(&measurement).expect("numbers and words make JSON");
    println!("{line}");
}

fn measure<P: Peer>(arguments: &CommandLine) -> Measurement {
    let effort = Effort {
        share: arguments.share,
        passes: arguments.passes,
    };
    match arguments.workload {
        Workload::RustHop => hop::by_tasks::<P>(1, &arguments.database, effort),
        Workload::RustHopTasks => hop::by_tasks::<P>(16, &arguments.database, effort),
        Workload::RustPointSelect => select::points::<P>(&arguments.database, effort),
        Workload::RustExecutemany => insert::all::<P>(&arguments.database, effort),
        Workload::RustLag => lag::during_heavy_query::<P>(&arguments.database),
    }
}
