//! Running faults one by one, each guarded against hanging and measured for what it leaves behind, and the table of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use crate::executor::Executor;
use crate::resources::Resources;

/// One thing that can go wrong.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// The bug that it guards against.
    pub(crate) bug: &'static str,
    /// What stands behind the proxy.
    pub(crate) worker: &'static str,
    pub(crate) executors: &'static [Executor],
    /// Panics if it finds the bug; otherwise what was counted or measured.
    pub(crate) run: fn(Executor) -> String,
}

/// The engine's connection, one thread for each.
pub(crate) const DRIVER: &str = "rust thread";
/// A class of the tests on top of that, which can be made to wait and to panic.
pub(crate) const DESK: &str = "rust thread, own class";

/// Longer than any call takes that does not hang, also on a busy machine. Where a bug is put in on purpose, less is enough.
pub(crate) fn hanging() -> Duration {
    let seconds = std::env::var("ASYNC_PROXY_TEST_PATIENCE").ok();
    Duration::from_secs(seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(20))
}

/// Many times what any fault takes (the soak apart): one that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(600);

struct Row {
    fault: &'static str,
    worker: &'static str,
    executor: &'static str,
    seconds: f64,
    outcome: Result<String, String>,
}

/// Tries the faults and prints the table.
pub(crate) fn run(faults: impl Iterator<Item = &'static Fault>) -> ExitCode {
    crate::executor::start_threads();
    // Panics on a worker are part of some faults, and belong to their calls; those of the faults themselves are in the table.
    std::panic::set_hook(Box::new(|panic| {
        *lock(&LAST_PANIC) = panic.location().map(ToString::to_string).unwrap_or_default();
    }));
    let mut rows = Vec::new();
    let mut hangs = false;
    for fault in faults {
        for &executor in fault.executors {
            let started = Instant::now();
            let outcome = try_one(fault, executor);
            hangs |= outcome == Err(HANGS.to_owned());
            rows.push(Row {
                fault: fault.name,
                worker: fault.worker,
                executor: executor.name(),
                seconds: started.elapsed().as_secs_f64(),
                outcome,
            });
            print_row(rows.last().expect("one was just added"), fault.name.len());
        }
        if hangs {
            // What comes after would be measured beside a thread that is stuck.
            break;
        }
    }
    print_table(&rows);
    write_rows(&rows);
    let failed = rows.iter().filter(|row| row.outcome.is_err()).count();
    println!("{} of {} green", rows.len() - failed, rows.len());
    if failed == 0 && !rows.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Where the last panic was.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

fn lock(mutex: &Mutex<String>) -> MutexGuard<'_, String> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const HANGS: &str = "hangs";

fn try_one(fault: &'static Fault, executor: Executor) -> Result<String, String> {
    let before = Resources::now();
    let patience = PATIENCE + crate::many::soak_time();
    let (sender, receiver) = mpsc::channel();
    let run = fault.run;
    let thread = std::thread::Builder::new()
        .name("fault".to_owned())
        .spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| run(executor)));
            let _ = sender.send(());
            outcome
        })
        .expect("a thread for the fault");
    if receiver.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
        return Err(HANGS.to_owned());
    }
    let outcome = thread.join().and_then(|outcome| outcome);
    let remark = outcome.map_err(|payload| {
        let text = payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        format!(
            "{} at {} (bug: {})",
            text.unwrap_or_default(),
            lock(&LAST_PANIC),
            fault.bug
        )
    })?;
    before.check_restored()?;
    Ok(remark)
}

fn print_row(row: &Row, width: usize) {
    let (word, remark) = match &row.outcome {
        Ok(remark) => ("green", remark),
        Err(remark) => ("FAILED", remark),
    };
    println!(
        "{:<width$}  {:<22}  {:<16}  {word:<6}  {:>6.2} s  {remark}",
        row.fault, row.worker, row.executor, row.seconds
    );
}

/// Where the rows are written to, for the table of the whole matrix.
const ROWS: &str = "ASYNC_PROXY_MATRIX";

/// One line for each, its columns separated by tabs.
fn write_rows(rows: &[Row]) {
    let Some(path) = std::env::var_os(ROWS) else { return };
    let lines: String = rows
        .iter()
        .map(|row| {
            let (result, remark) = match &row.outcome {
                Ok(remark) => ("ok", remark),
                Err(remark) => ("FAILED", remark),
            };
            let columns = [row.fault, row.worker, row.executor, result, remark];
            columns.map(|column| column.replace(['\t', '\n'], " ")).join("\t") + "\n"
        })
        .collect();
    std::fs::write(&path, lines).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn print_table(rows: &[Row]) {
    let width = rows.iter().map(|row| row.fault.len()).max().unwrap_or(0);
    println!("\n{:<width$}  {:<22}  {:<16}  result", "fault", "worker", "executor");
    for row in rows {
        print_row(row, width);
    }
}
