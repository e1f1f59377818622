//! Rows as tuples.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::TextFactory;

/// A tuple of a row's values, each of which `make` makes an object of, with the factory if it is a text.
///
/// # Errors
/// The first that `make` gives.
pub fn tuple_of<'py, V>(
    py: Python<'py>,
    values: impl ExactSizeIterator<Item = V>,
    text: &TextFactory<'py>,
    mut make: impl FnMut(V) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyTuple>> {
    if let TextFactory::Callable(_) = text {
        // Python code runs in between: nobody is to see a tuple that is half made.
        return PyTuple::new(py, values.map(make).collect::<PyResult<Vec<_>>>()?);
    }
    // Nothing can fail, and the objects go straight into the tuple.
    PyTuple::new(py, values.map(|value| Made(make(value))))
}

/// The outcome of a conversion, as an item of a tuple that is being made.
struct Made<'py>(PyResult<Bound<'py, PyAny>>);

impl<'py> IntoPyObject<'py> for Made<'py> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, _py: Python<'py>) -> PyResult<Self::Output> {
        self.0
    }
}
