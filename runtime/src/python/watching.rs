//! How an event loop comes to watch for results.

use std::os::fd::RawFd;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Has an event loop call that whenever the descriptor can be read from, in an empty context.
///
/// What a loop watches it calls in the context in which it was told to. The task that first needs a result is no better than
/// those after it: its context variables would be those of what is made of everybody's results, and live as long as the loop.
///
/// # Errors
/// Those of the loop: it watches no descriptors, say, or is closed.
pub(super) fn watch(event_loop: &Bound<'_, PyAny>, descriptor: RawFd, callback: Bound<'_, PyAny>) -> PyResult<()> {
    static CONTEXT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = event_loop.py();
    let context = CONTEXT.import(py, "contextvars", "Context")?.call0()?;
    let add = event_loop.getattr(intern!(py, "add_reader"))?;
    context
        .call_method1(intern!(py, "run"), (add, descriptor, callback))
        .map(drop)
}
