//! What an object does at its end, while the interpreter may be raising something else.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::panic::PanicException;
use pyo3::prelude::*;

use super::exceptions::message_of;

/// Does what an object owes at its end, if there still is an interpreter to do it in.
///
/// An object often ends because an exception unwinds the frame that held it. Python code that runs meanwhile takes that
/// exception for its own: the program loses it, or crashes. So it is set aside, as the interpreter does around `__del__`.
pub(super) fn finalize(work: impl FnOnce(Python<'_>)) {
    let _ = Python::try_attach(|py| {
        // A panic that is on its way as an exception goes on as a panic where it is taken.
        let raised = catch_unwind(AssertUnwindSafe(|| PyErr::take(py)))
            .unwrap_or_else(|panic| Some(PanicException::new_err(message_of(&*panic))));
        work(py);
        if let Some(raised) = raised {
            raised.restore(py);
        }
    });
}
