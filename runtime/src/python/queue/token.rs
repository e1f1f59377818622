//! A call that Python code runs and that can be given up: the one that opens an object.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;

use crate::task;

/// What says that nobody waits for a call any more. While the call runs it is [`CallToken::current`](crate::CallToken::current)
/// in its thread: there is no object yet whose interrupt could end it.
#[pyclass(frozen, name = "NativeToken")]
pub struct NativeToken(Arc<GivenUp>);

struct GivenUp(AtomicBool);

impl task::CancelFlag for GivenUp {
    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

#[pymethods]
impl NativeToken {
    #[new]
    fn new() -> Self {
        Self(Arc::new(GivenUp(AtomicBool::new(false))))
    }

    /// Calls a function, and gives back what it gives.
    fn run(&self, function: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let flag: Arc<dyn task::CancelFlag> = Arc::<GivenUp>::clone(&self.0);
        task::run_as(flag, || function.call0()).map(Bound::unbind)
    }

    /// Says that nobody waits for it any more. From any thread, at any time.
    fn cancel(&self) {
        self.0.0.store(true, Ordering::SeqCst);
    }
}
