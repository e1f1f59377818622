//! From rows and descriptions to Python objects.

use async_proxy::python::dbapi::{Columns, Record, TextFactory, tuple_of};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyFloat, PyInt, PyString, PyTuple};

use crate::packing::ValueRef;
use crate::{Description, Row, Value};

/// The object for a value, text made by the factory.
pub(super) fn object_of<'py>(
    py: Python<'py>,
    value: ValueRef<'_>,
    text: &TextFactory<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        ValueRef::Null => py.None().into_bound(py),
        ValueRef::Integer(integer) => PyInt::new(py, integer).into_any(),
        ValueRef::Real(real) => PyFloat::new(py, real).into_any(),
        ValueRef::Text(string) => return text.make(py, string),
        ValueRef::Blob(bytes) => PyBytes::new(py, bytes).into_any(),
    })
}

impl Record for Row {
    type Columns = Description;

    fn columns(&self) -> &Description {
        self.description()
    }

    fn to_tuple<'py>(&self, py: Python<'py>, text: &TextFactory<'py>) -> PyResult<Bound<'py, PyTuple>> {
        tuple_of(py, self.iter(), text, |value| object_of(py, value.into(), text))
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
