//! From rows and descriptions to Python objects.

use async_proxy::python::dbapi::{Columns, Record, TextFactory};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyFloat, PyInt, PyString, PyTuple};

use crate::{Description, Row, Value};

/// The object for a value, text made by the factory.
pub(super) fn object_of<'py>(py: Python<'py>, value: &Value, text: &TextFactory<'py>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Integer(integer) => PyInt::new(py, *integer).into_any(),
        Value::Real(real) => PyFloat::new(py, *real).into_any(),
        Value::Text(string) => return text.make(py, string),
        Value::Blob(bytes) => PyBytes::new(py, bytes).into_any(),
    })
}

impl Record for Row {
    type Columns = Description;

    fn columns(&self) -> &Description {
        self.description()
    }

    fn to_tuple<'py>(&self, py: Python<'py>, text: &TextFactory<'py>) -> PyResult<Bound<'py, PyTuple>> {
        if let TextFactory::Callable(_) = text {
            let objects = self.iter().map(|value| object_of(py, value, text));
            return PyTuple::new(py, objects.collect::<PyResult<Vec<_>>>()?);
        }
        // Without Python code in between nothing can fail, and the objects go straight into the tuple.
        PyTuple::new(
            py,
            Objects {
                values: self.iter(),
                py,
                text,
            },
        )
    }

    fn weight(&self) -> usize {
        let contents = self.iter().map(|value| match value {
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            Value::Null | Value::Integer(_) | Value::Real(_) => 0,
        });
        self.len() * size_of::<Value>() + contents.sum::<usize>()
    }
}

/// The objects for a row's values.
struct Objects<'a, 'py> {
    values: std::slice::Iter<'a, Value>,
    py: Python<'py>,
    text: &'a TextFactory<'py>,
}

impl<'py> Iterator for Objects<'_, 'py> {
    type Item = Object<'py>;

    fn next(&mut self) -> Option<Self::Item> {
        self.values
            .next()
            .map(|value| Object(object_of(self.py, value, self.text)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.values.size_hint()
    }
}

impl ExactSizeIterator for Objects<'_, '_> {}

/// The outcome of a conversion, as an item of a tuple that is being made.
struct Object<'py>(PyResult<Bound<'py, PyAny>>);

impl<'py> IntoPyObject<'py> for Object<'py> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, _py: Python<'py>) -> PyResult<Self::Output> {
        self.0
    }
}

impl Columns for Description {
    fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        Description::names(self)
    }

    fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.columns(), other.columns())
    }
}

impl<'py> IntoPyObject<'py> for Row {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        self.to_tuple(py, &TextFactory::Str)
    }
}

/// PEP 249, "Cursor.description": a tuple of seven items for each column, of which SQLite knows the first.
impl<'py> IntoPyObject<'py> for Description {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        let unknown = || py.None().into_bound(py);
        let columns = self.columns().iter().map(|column| {
            let name = PyString::intern(py, column.name()).into_any();
            PyTuple::new(
                py,
                [name, unknown(), unknown(), unknown(), unknown(), unknown(), unknown()],
            )
        });
        PyTuple::new(py, columns.collect::<PyResult<Vec<_>>>()?)
    }
}
