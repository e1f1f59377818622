//! What is written by hand beside the generated methods, which know of it from the description: `#[proxy(by_hand = "why")]`.

use async_proxy::python;
use pyo3::prelude::*;
use station::StationError;

use crate::generated::station::Station;

#[pymethods]
impl Station {
    /// Calls a function with each reading, until it answers something false; how many readings it was called with.
    #[pyo3(text_signature = "($self, visitor)")]
    pub(crate) fn visit(&self, py: Python<'_>, visitor: Py<PyAny>) -> PyResult<usize> {
        self.object.call(py, move |station| {
            station.visit(move |reading| {
                Python::attach(|py| {
                    let answer = visitor.bind(py).call1((reading,)).and_then(|answer| answer.is_truthy());
                    // What the function raised is raised in place of the error that ends the call.
                    answer.map_err(|exception| {
                        python::carry(exception);
                        StationError::Interrupted
                    })
                })
            })
        })
    }
}
