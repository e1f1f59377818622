//! What a journal holds.

/// One text of a journal, with its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its number; the first entry of a journal has number 0.
    pub number: u64,
    /// Its text.
    pub text: String,
}

/// In Python an entry is the tuple `(number, text)`.
#[cfg(feature = "python")]
impl<'py> pyo3::IntoPyObject<'py> for Entry {
    type Target = pyo3::types::PyTuple;
    type Output = pyo3::Bound<'py, Self::Target>;
    type Error = pyo3::PyErr;

    fn into_pyobject(self, py: pyo3::Python<'py>) -> Result<Self::Output, Self::Error> {
        (self.number, self.text).into_pyobject(py)
    }
}
