//! Conversions of what a synchronised connection is opened with and gives back.

use async_proxy::python::{Refusal, carry};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;

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
