//! Conversions between the driver's value types and Python objects, by the rules of CPython's `sqlite3`
//! (`Modules/_sqlite/statement.c` up to Python 3.11, `cursor.c` since).
//!
//! They stand here because a trait of PyO3 can only be implemented beside the type or beside the trait.

mod chunks;
mod parameters;
mod rows;
mod settings;
#[cfg(feature = "sync")]
mod sync;

#[cfg(feature = "sync")]
pub(crate) use sync::check_signals;

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyFloat, PyInt, PyMemoryView, PyString};

use async_proxy::python::Refusal;
use async_proxy::python::dbapi::{Coded, adapters};

use crate::{Error, Value};

/// Why an object can't be bound.
enum Unbindable {
    /// Its type has no counterpart in SQLite.
    Type,
    /// It has, but not this value: an integer that is too large, text that is not Unicode.
    Value(PyErr),
}

impl Unbindable {
    /// The refusal of a value for the parameter at that position, counted from 1.
    fn of_parameter(self, position: usize, object: &Bound<'_, PyAny>) -> Refusal<Error> {
        match self {
            Self::Value(exception) => Refusal::Python(exception),
            Self::Type => Refusal::Api(Error::programming(format!(
                "Error binding parameter {position}: type '{}' is not supported",
                type_name(object)
            ))),
        }
    }
}

fn type_name(object: &Bound<'_, PyAny>) -> String {
    object
        .get_type()
        .name()
        .map_or_else(|_| "object".to_owned(), |name| name.to_string())
}

/// The value for an object, or for what an adapter makes of it.
fn value_of(object: &Bound<'_, PyAny>) -> Result<Value, Unbindable> {
    if adapters::adapts_basic_types()
        && let Some(adapted) = adapters::adapted(object).map_err(Unbindable::Value)?
    {
        return value_of_basic(&adapted).unwrap_or_else(|| value_of_subclass(&adapted));
    }
    // The exact types come first: they are nearly all there is.
    if let Some(value) = value_of_basic(object) {
        return value;
    }
    match adapters::adapted(object).map_err(Unbindable::Value)? {
        Some(adapted) => value_of_basic(&adapted).unwrap_or_else(|| value_of_subclass(&adapted)),
        None => value_of_subclass(object),
    }
}

/// The value for an object of exactly one of the types that a database takes as they are; `None` for others.
fn value_of_basic(object: &Bound<'_, PyAny>) -> Option<Result<Value, Unbindable>> {
    if object.is_none() {
        return Some(Ok(Value::Null));
    }
    if let Ok(integer) = object.cast_exact::<PyInt>() {
        return Some(integer_of(integer));
    }
    if let Ok(text) = object.cast_exact::<PyString>() {
        return Some(text_of(text));
    }
    if let Ok(real) = object.cast_exact::<PyFloat>() {
        return Some(Ok(Value::Real(real.value())));
    }
    if let Ok(bytes) = object.cast_exact::<PyBytes>() {
        return Some(Ok(Value::Blob(bytes.as_bytes().to_vec())));
    }
    None
}

/// The value for an object of a subclass (`bool` is one of `int`), or for one that lends its bytes.
fn value_of_subclass(object: &Bound<'_, PyAny>) -> Result<Value, Unbindable> {
    if let Ok(integer) = object.cast::<PyInt>() {
        return integer_of(integer);
    }
    if let Ok(real) = object.cast::<PyFloat>() {
        return Ok(Value::Real(real.value()));
    }
    if let Ok(text) = object.cast::<PyString>() {
        return text_of(text);
    }
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Value::Blob(bytes.as_bytes().to_vec()));
    }
    if let Ok(bytes) = object.cast::<PyByteArray>() {
        return Ok(Value::Blob(bytes.to_vec()));
    }
    blob_of_buffer(object)
}

/// The stable ABI of Python 3.10 has no access to buffers but through `memoryview`.
fn blob_of_buffer(object: &Bound<'_, PyAny>) -> Result<Value, Unbindable> {
    let py = object.py();
    match PyMemoryView::from(object) {
        Ok(view) => {
            let bytes = view
                .call_method0(pyo3::intern!(py, "tobytes"))
                .and_then(|bytes| Ok(bytes.cast::<PyBytes>()?.as_bytes().to_vec()));
            bytes.map(Value::Blob).map_err(Unbindable::Value)
        }
        Err(exception) if exception.is_instance_of::<PyTypeError>(py) => Err(Unbindable::Type),
        Err(exception) => Err(Unbindable::Value(exception)),
    }
}

fn integer_of(integer: &Bound<'_, PyInt>) -> Result<Value, Unbindable> {
    let value = integer.extract::<i64>().map_err(|exception| {
        let is_large = exception.is_instance_of::<PyOverflowError>(integer.py());
        Unbindable::Value(if is_large {
            PyOverflowError::new_err("Python int too large to convert to SQLite INTEGER")
        } else {
            exception
        })
    })?;
    Ok(Value::Integer(value))
}

/// A lone surrogate is a `UnicodeEncodeError`.
fn text_of(text: &Bound<'_, PyString>) -> Result<Value, Unbindable> {
    let text = text.to_str().map_err(Unbindable::Value)?;
    Ok(Value::Text(text.to_owned()))
}

impl Coded for Error {
    fn code(&self) -> Option<(i32, &'static str)> {
        self.sqlite_extended_errorcode().zip(self.sqlite_errorname())
    }
}

impl FromPyObject<'_, '_> for Value {
    type Error = Refusal<Error>;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> Result<Self, Self::Error> {
        value_of(&object).map_err(|unfit| match unfit {
            Unbindable::Value(exception) => Refusal::Python(exception),
            Unbindable::Type => Refusal::Api(Error::programming(format!(
                "type '{}' is not supported: SQLite has None, int, float, str and bytes",
                type_name(&object)
            ))),
        })
    }
}

impl<'py> IntoPyObject<'py> for Value {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        (&self).into_pyobject(py)
    }
}

impl<'py> IntoPyObject<'py> for &Value {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        rows::object_of(py, self.into(), &async_proxy::python::dbapi::TextFactory::Str)
    }
}
