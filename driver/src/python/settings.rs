//! Conversions of what a connection is set to.

use async_proxy::python::Refusal;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyString, PyTuple};

use crate::{Anything, Autocommit, Encryption, Error, IsolationLevel};

/// `sqlite3.LEGACY_TRANSACTION_CONTROL`.
const LEGACY_TRANSACTION_CONTROL: i64 = -1;

impl FromPyObject<'_, '_> for Anything {
    type Error = Refusal<Error>;

    fn extract(_object: Borrowed<'_, '_, PyAny>) -> Result<Self, Self::Error> {
        Ok(Self)
    }
}

impl FromPyObject<'_, '_> for IsolationLevel {
    type Error = Refusal<Error>;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> Result<Self, Self::Error> {
        let word = object
            .cast::<PyString>()
            .map_err(|_| PyTypeError::new_err("isolation_level must be str or None"))?;
        // `sqlite3` raises `ValueError` for it, with these words.
        let level = word.to_str()?.parse::<Self>();
        level.map_err(|error| Refusal::Python(PyValueError::new_err(error.to_string())))
    }
}

impl<'py> IntoPyObject<'py> for IsolationLevel {
    type Target = PyString;
    type Output = Bound<'py, PyString>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(PyString::intern(py, self.as_str()))
    }
}

impl FromPyObject<'_, '_> for Autocommit {
    type Error = Refusal<Error>;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> Result<Self, Self::Error> {
        if let Ok(is_on) = object.cast::<PyBool>() {
            return Ok(if is_on.is_true() { Self::Enabled } else { Self::Disabled });
        }
        let is_legacy = object.cast::<PyInt>().is_ok_and(|number| {
            number
                .extract::<i64>()
                .is_ok_and(|number| number == LEGACY_TRANSACTION_CONTROL)
        });
        if is_legacy {
            return Ok(Self::Legacy);
        }
        let message = "autocommit must be True, False, or LEGACY_TRANSACTION_CONTROL";
        Err(Refusal::Python(PyValueError::new_err(message)))
    }
}

impl<'py> IntoPyObject<'py> for Autocommit {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        match self {
            Self::Legacy => LEGACY_TRANSACTION_CONTROL.into_bound_py_any(py),
            Self::Enabled => true.into_bound_py_any(py),
            Self::Disabled => false.into_bound_py_any(py),
        }
    }
}

/// The cipher and the key, as a tuple of two texts or as an object that has both as attributes (`turso.EncryptionOpts`).
impl FromPyObject<'_, '_> for Encryption {
    type Error = Refusal<Error>;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> Result<Self, Self::Error> {
        let py = object.py();
        let refused = || PyTypeError::new_err("encryption must be a tuple of a cipher and a key in hexadecimal digits");
        let pair = if object.is_instance_of::<PyTuple>() {
            object.extract::<(String, String)>()
        } else {
            let attribute = |name| object.getattr(name)?.extract::<String>();
            attribute(pyo3::intern!(py, "cipher"))
                .and_then(|cipher| Ok((cipher, attribute(pyo3::intern!(py, "hexkey"))?)))
        };
        // What was raised may show the key.
        let (cipher, key) = pair.map_err(|_| refused())?;
        Ok(Self::new(cipher, key))
    }
}

impl<'py> IntoPyObject<'py> for Encryption {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        (self.cipher, self.hexkey).into_pyobject(py)
    }
}
