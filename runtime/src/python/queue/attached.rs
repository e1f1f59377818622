//! What a queue's thread calls with the GIL.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::awaited::Waiter;
use super::call::NativeCall;
use super::notifier::Completion;
use crate::error::drop_guarded;

/// What the thread calls with the GIL.
pub(super) struct Attached {
    pub(super) run: Py<PyAny>,
    pub(super) lose: Py<PyAny>,
}

impl Attached {
    pub(super) fn run(&self, item: Py<PyAny>) {
        Python::attach(|py| report(py, self.run_in_list(item.into_bound(py))));
    }

    /// The list is emptied by what is called, so that what is left of the call is not dropped here.
    fn run_in_list(&self, item: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = item.py();
        self.run.call1(py, (PyList::new(py, [item])?,))
    }

    pub(super) fn run_pair(&self, waiter: &Waiter, call: Py<NativeCall>) {
        Python::attach(|py| {
            // Where its loop is gone nobody waits.
            let future = waiter.future(py).unwrap_or_else(|_| py.None().into_bound(py));
            let pair = PyTuple::new(py, [future, call.into_bound(py).into_any()]);
            report(py, pair.and_then(|pair| self.run_in_list(pair.into_any())));
        });
    }

    /// The loop of a call is closed. The object is lost with it only if somebody waited there for the call: one that was
    /// cancelled is lost to nobody, and other loops go on with the object.
    pub(super) fn lose(&self, undelivered: Completion) {
        Python::attach(|py| {
            let was_awaited = undelivered.waiter.as_ref().is_some_and(|waiter| !waiter.is_done(py));
            drop_guarded(undelivered);
            if was_awaited {
                report(py, self.lose.call0(py));
            }
        });
    }
}

fn report(py: Python<'_>, outcome: PyResult<Py<PyAny>>) {
    if let Err(exception) = outcome {
        exception.write_unraisable(py, None);
    }
}
