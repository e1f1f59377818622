//! Measures the Rust proxies beside their peers: one workload with one driver in one process, the result as a line of JSON.
//!
//! `cargo xtask bench rust` builds this and runs it cell by cell.

#[cfg(feature = "peers")]
mod async_sqlite;
mod engine;
mod hop;
mod insert;
mod lag;
mod peer;
mod proxied;
mod select;
#[cfg(feature = "peers")]
mod spawn_blocking;
mod stopwatch;
#[cfg(feature = "peers")]
mod tokio_rusqlite;
#[cfg(feature = "peers")]
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
    #[value(name = "rust-hop")]
    Hop,
    /// A call that does nothing, by 16 tasks on one object
    #[value(name = "rust-hop-tasks")]
    HopTasks,
    /// One row by its id, by one task
    #[value(name = "rust-point-select")]
    PointSelect,
    /// 10,000 rows inserted by one statement that is run for each of them, in a transaction that is rolled back
    #[value(name = "rust-executemany")]
    Executemany,
    /// How late other tasks of the executor run while a heavy query runs
    #[value(name = "rust-lag")]
    Lag,
}

#[derive(Clone, Copy, ValueEnum)]
enum Driver {
    AsyncProxy,
    #[cfg(feature = "peers")]
    TokioRusqlite,
    #[cfg(feature = "peers")]
    AsyncSqlite,
    #[cfg(feature = "peers")]
    TursoCrate,
    #[cfg(feature = "peers")]
    SpawnBlocking,
    /// The engine alone, without a driver and without a thread
    Engine,
}

fn main() {
    let arguments = CommandLine::parse();
    let measurement = match arguments.driver {
        Driver::AsyncProxy => measure::<proxied::Proxied>(&arguments),
        #[cfg(feature = "peers")]
        Driver::TokioRusqlite => measure::<tokio_rusqlite::TokioRusqlite>(&arguments),
        #[cfg(feature = "peers")]
        Driver::AsyncSqlite => measure::<async_sqlite::AsyncSqlite>(&arguments),
        #[cfg(feature = "peers")]
        Driver::TursoCrate => measure::<turso_crate::TursoCrate>(&arguments),
        Driver::Engine => measure::<engine::Engine>(&arguments),
        #[cfg(feature = "peers")]
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
        Workload::Hop => hop::by_tasks::<P>(1, &arguments.database, effort),
        Workload::HopTasks => hop::by_tasks::<P>(16, &arguments.database, effort),
        Workload::PointSelect => select::points::<P>(&arguments.database, effort),
        Workload::Executemany => insert::all::<P>(&arguments.database, effort),
        Workload::Lag => lag::during_heavy_query::<P>(&arguments.database),
    }
}
