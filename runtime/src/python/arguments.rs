//! From what is passed in Python to the arguments of a blocking call.

use std::cell::Cell;
use std::path::PathBuf;

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;

use super::exceptions::IntoException;

/// Why a type of the API refuses a Python object: with an exception of Python, or with an error of the API that the
/// generated module turns into its own exception.
///
/// It is the `Error` of a `FromPyObject` that wants the exceptions of the module, which the API's crate can't name.
#[derive(Debug)]
pub enum Refusal<E> {
    /// An exception of Python: `OverflowError`, or one that Python code raised.
    Python(PyErr),
    /// An error of the API.
    Api(E),
}

impl<E> From<PyErr> for Refusal<E> {
    fn from(exception: PyErr) -> Self {
        Self::Python(exception)
    }
}

/// Outside of a generated module there is no mapping for the API's error: it is a `TypeError` with its message.
impl<E: std::fmt::Display> From<Refusal<E>> for PyErr {
    fn from(refusal: Refusal<E>) -> Self {
        match refusal {
            Refusal::Python(exception) => exception,
            Refusal::Api(error) => PyTypeError::new_err(error.to_string()),
        }
    }
}

impl<M, E: IntoException<M>> IntoException<M> for Refusal<E> {
    fn into_exception(self) -> PyErr {
        match self {
            Self::Python(exception) => exception,
            Self::Api(error) => error.into_exception(),
        }
    }
}

/// Converts an argument; a refusal is raised as the module `M` raises the API's errors.
///
/// # Errors
/// The exception for what the type refuses.
pub fn argument<M, T>(object: &Bound<'_, PyAny>) -> PyResult<T>
where
    T: for<'a, 'py> FromPyObject<'a, 'py, Error: IntoException<M>>,
{
    object.extract().map_err(IntoException::<M>::into_exception)
}

/// Converts a path: text, bytes as the file system has them, or an object of which `os.fspath` makes one of these.
///
/// # Errors
/// A `TypeError` for anything else.
pub fn path(object: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    object
        .py()
        .import(intern!(object.py(), "os"))?
        .call_method1(intern!(object.py(), "fsdecode"), (object,))?
        .extract()
}

/// Converts a path for a parameter that has a default.
///
/// # Errors
/// As [`path`].
pub fn given_path(object: &Bound<'_, PyAny>) -> PyResult<Given<PathBuf>> {
    path(object).map(Given::Value)
}

thread_local! {
    /// Whether an argument of a call for the native queue is being converted, and then whether that is left to the worker.
    static RECORDING: Cell<Option<bool>> = const { Cell::new(None) };
}

/// What is said of an argument whose conversion is left to the worker: to the generated code, which makes the call otherwise.
const LEFT_TO_WORKER: &str = "this argument is converted in the worker";

/// Asked by a conversion that is about to run Python code of the program. If the argument is one of a call for the native
/// queue, that is no place for it: the conversion is broken off, and made in the worker's thread, where the call runs then.
pub fn leave_to_worker() -> bool {
    let is_recording = RECORDING.get().is_some();
    if is_recording {
        RECORDING.set(Some(true));
    }
    is_recording
}

fn recorded<T>(convert: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    RECORDING.set(Some(false));
    let outcome = convert();
    match RECORDING.replace(None) {
        Some(true) => Err(PyRuntimeError::new_err(LEFT_TO_WORKER)),
        _ => outcome,
    }
}

/// As [`argument`], for a call that is made for the native queue.
///
/// # Errors
/// As [`argument`]; one too where the conversion has to be left to the worker.
pub fn recorded_argument<M, T>(object: &Bound<'_, PyAny>) -> PyResult<T>
where
    T: for<'a, 'py> FromPyObject<'a, 'py, Error: IntoException<M>>,
{
    recorded(|| argument::<M, T>(object))
}

/// As [`given`], for a call that is made for the native queue.
///
/// # Errors
/// As [`recorded_argument`].
pub fn recorded_given<M, T>(object: &Bound<'_, PyAny>) -> PyResult<Given<T>>
where
    T: for<'a, 'py> FromPyObject<'a, 'py, Error: IntoException<M>>,
{
    recorded_argument::<M, T>(object).map(Given::Value)
}

/// A parameter with a default that Rust has no literal for.
#[derive(Debug)]
pub enum Given<T> {
    /// It was passed.
    Value(T),
    /// It was left out.
    Default,
}

/// Converts an argument of a parameter that has a default.
///
/// # Errors
/// The exception for what the type refuses.
pub fn given<M, T>(object: &Bound<'_, PyAny>) -> PyResult<Given<T>>
where
    T: for<'a, 'py> FromPyObject<'a, 'py, Error: IntoException<M>>,
{
    argument::<M, T>(object).map(Given::Value)
}

impl<T> Given<T> {
    /// The value that was passed, or what the type makes of the default, as it would of the same object passed.
    ///
    /// # Errors
    /// The exception for a default that the type refuses: a fault of the API's description.
    pub fn or<'py, M, L>(self, py: Python<'py>, default: L) -> PyResult<T>
    where
        T: for<'a, 'any> FromPyObject<'a, 'any, Error: IntoException<M>>,
        L: IntoPyObject<'py>,
    {
        match self {
            Self::Value(value) => Ok(value),
            Self::Default => argument::<M, T>(&default.into_bound_py_any(py)?),
        }
    }
}
