//! Values that panic, and values that are slow to be made known to Python.

#[cfg(feature = "python")]
use std::{convert::Infallible, sync::atomic::Ordering, thread, time::Duration};

use std::sync::atomic::AtomicUsize;

/// A text, or a panic: at its end if the text is `dropped`, where it becomes an object of Python if it is `converted`.
#[derive(Debug)]
pub struct Charge(String);

impl Charge {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl async_proxy::Plain for Charge {}

impl Drop for Charge {
    fn drop(&mut self) {
        assert!(self.0 != "dropped", "a charge was dropped");
    }
}

#[cfg(feature = "python")]
impl<'py> pyo3::FromPyObject<'_, 'py> for Charge {
    type Error = pyo3::PyErr;

    fn extract(object: pyo3::Borrowed<'_, 'py, pyo3::PyAny>) -> Result<Self, Self::Error> {
        object.extract::<String>().map(Self)
    }
}

#[cfg(feature = "python")]
impl<'py> pyo3::IntoPyObject<'py> for Charge {
    type Target = pyo3::types::PyString;
    type Output = pyo3::Bound<'py, Self::Target>;
    type Error = Infallible;

    fn into_pyobject(self, py: pyo3::Python<'py>) -> Result<Self::Output, Self::Error> {
        assert!(self.0 != "converted", "a charge was converted");
        self.0.as_str().into_pyobject(py)
    }
}

/// How many heavy numbers became objects of Python.
pub(crate) static CONVERTED: AtomicUsize = AtomicUsize::new(0);

/// A number that takes longer to become an object of Python than a callback of an event loop may take.
#[derive(Debug)]
#[cfg_attr(not(feature = "python"), expect(dead_code, reason = "only Python reads it"))]
pub struct Heavy(pub(crate) u64);

impl async_proxy::Plain for Heavy {}

#[cfg(feature = "python")]
impl<'py> pyo3::IntoPyObject<'py> for Heavy {
    type Target = pyo3::types::PyInt;
    type Output = pyo3::Bound<'py, Self::Target>;
    type Error = Infallible;

    fn into_pyobject(self, py: pyo3::Python<'py>) -> Result<Self::Output, Self::Error> {
        thread::sleep(Duration::from_millis(1));
        CONVERTED.fetch_add(1, Ordering::Relaxed);
        self.0.into_pyobject(py)
    }
}
