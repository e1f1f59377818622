//! Conversions of what a synchronised connection is opened with and gives back.

use std::cell::Cell;

use async_proxy::python::{Refusal, carry};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use turso_core::LimboError;

use crate::{Error, Keep, RemoteEncryptionCipher, Result, SuppliedText};

/// A text, or a callable that gives one.
impl FromPyObject<'_, '_> for SuppliedText {
    type Error = Refusal<Error>;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> Result<Self, Self::Error> {
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(Self::from(text.to_str()?));
        }
        if !object.is_callable() {
            let message = "remote_url and auth_token must be str, or a callable that returns one";
            return Err(Refusal::Python(PyTypeError::new_err(message)));
        }
        let callable = object.to_owned().unbind();
        Ok(Self::asked(move || Python::attach(|py| ask(callable.bind(py)))))
    }
}

/// Calls a callable for its text. What it raises reaches the caller of the call that needs the text.
fn ask(callable: &Bound<'_, PyAny>) -> Result<String> {
    let given = callable.call0().map_err(|exception| {
        carry(exception);
        Error::interface("the callable for remote_url or auth_token has raised")
    })?;
    if given.is_none() {
        return Err(Error::interface(
            "the callable for remote_url or auth_token has returned None: let it return a str; for a server that wants no \
             token, pass auth_token=None",
        ));
    }
    let text = given.cast::<PyString>().map_err(|_| {
        Error::interface("the callable for remote_url or auth_token has returned something else than a str")
    })?;
    text.to_str().map(str::to_owned).map_err(|exception| {
        carry(exception);
        Error::interface("the callable for remote_url or auth_token has returned a str that is not Unicode")
    })
}

thread_local! {
    /// Whether this is the main thread of Python, once that is known.
    static IS_MAIN: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Has Python run the handlers of signals that have come in, if this is its main thread. What one raises reaches the caller of
/// the blocking call that is under way.
///
/// # Errors
/// That of an interrupted call, if a handler has raised.
pub(crate) fn check_signals() -> Result<()> {
    // Handlers run in the main thread alone: other threads need not wait for the interpreter to be told so.
    if IS_MAIN.get() == Some(false) {
        return Ok(());
    }
    // An interpreter that ends runs no handlers any more.
    let checked = Python::try_attach(|py| {
        if IS_MAIN.get().is_none() {
            IS_MAIN.set(Some(is_main_thread(py)?));
        }
        py.check_signals()
    });
    checked.unwrap_or(Ok(())).map_err(|exception| {
        carry(exception);
        LimboError::Interrupt.into()
    })
}

fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import(intern!(py, "threading"))?;
    let here = threading.call_method0(intern!(py, "get_ident"))?;
    let main = threading.call_method0(intern!(py, "main_thread"))?;
    here.eq(main.getattr(intern!(py, "ident"))?)
}

impl FromPyObject<'_, '_> for Keep {
    type Error = Refusal<Error>;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> Result<Self, Self::Error> {
        let side = object
            .cast::<PyString>()
            .map_err(|_| PyTypeError::new_err("keep must be str"))?;
        let keep = side.to_str()?.parse::<Self>();
        keep.map_err(|error| Refusal::Python(PyValueError::new_err(error.to_string())))
    }
}

impl<'py> IntoPyObject<'py> for Keep {
    type Target = PyString;
    type Output = Bound<'py, PyString>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        let side = match self {
            Self::Local => "local",
            Self::Remote => "remote",
        };
        Ok(PyString::intern(py, side))
    }
}

/// The cipher's name, or a member of an enum of that name, such as the published driver's `RemoteEncryptionCipher`.
impl FromPyObject<'_, '_> for RemoteEncryptionCipher {
    type Error = Refusal<Error>;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> Result<Self, Self::Error> {
        let written = object.str()?;
        let written = written.to_str()?;
        let name = written.rsplit('.').next().unwrap_or(written);
        name.parse::<Self>().map_err(Refusal::Api)
    }
}
