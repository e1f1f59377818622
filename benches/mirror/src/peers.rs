//! The peers: `block_on`, and pyo3-async-runtimes.

use std::hint::black_box;
use std::time::Instant;

use pyo3::prelude::*;
use pyo3_async_runtimes::tokio::{future_into_py, get_runtime};

use crate::{BlockingFutures, Futures};

/// An awaitable as pyo3-async-runtimes gives it.
#[pyfunction]
fn ready(py: Python<'_>, number: u64) -> PyResult<Bound<'_, PyAny>> {
    future_into_py(py, async move { Ok(Futures.ready(number).await) })
}

/// The same of the future that waits.
#[pyfunction]
fn hop(py: Python<'_>, number: u64) -> PyResult<Bound<'_, PyAny>> {
    future_into_py(py, async move { Ok(Futures.hop(number).await) })
}

/// What a twin written by hand does.
#[pyfunction]
fn ready_by_hand(py: Python<'_>, number: u64) -> u64 {
    py.detach(|| get_runtime().block_on(Futures.ready(number)))
}

/// The same of the future that waits.
#[pyfunction]
fn hop_by_hand(py: Python<'_>, number: u64) -> u64 {
    py.detach(|| get_runtime().block_on(Futures.hop(number)))
}

fn seconds_each(count: u64, mut call: impl FnMut(u64)) -> f64 {
    let begin = Instant::now();
    (0..count).for_each(&mut call);
    begin.elapsed().as_secs_f64() / count as f64
}

/// Seconds that one `block_on` takes in Rust: of the ready future, and of the one that waits.
#[pyfunction]
fn block_on(py: Python<'_>, count: u64) -> (f64, f64) {
    let runtime = get_runtime();
    py.detach(|| {
        (
            seconds_each(count, |number| _ = black_box(runtime.block_on(Futures.ready(number)))),
            seconds_each(count, |number| _ = black_box(runtime.block_on(Futures.hop(number)))),
        )
    })
}

/// Seconds that one blocking twin takes in Rust, likewise.
#[pyfunction]
fn twins(py: Python<'_>, count: u64) -> (f64, f64) {
    let futures = BlockingFutures::from(Futures);
    py.detach(|| {
        (
            seconds_each(count, |number| _ = black_box(futures.ready(number))),
            seconds_each(count, |number| _ = black_box(futures.hop(number))),
        )
    })
}

/// The module of the peers.
#[pymodule]
fn peers(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(ready, module)?,
        wrap_pyfunction!(hop, module)?,
        wrap_pyfunction!(ready_by_hand, module)?,
        wrap_pyfunction!(hop_by_hand, module)?,
        wrap_pyfunction!(block_on, module)?,
        wrap_pyfunction!(twins, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}
