//! A row that is there already, as something to be awaited.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::{PyTraverseError, PyVisit, intern};

/// A read of one row that was read ahead: a coroutine whose first step is its last. Whoever gives it up before gives the row
/// back.
#[pyclass(frozen, name = "Handed")]
pub struct Handed {
    row: Mutex<Option<Py<PyAny>>>,
    /// What has the rows that were read ahead.
    rows: Py<PyAny>,
    result_set: u64,
}

impl Handed {
    pub(super) fn new(row: Py<PyAny>, rows: Py<PyAny>, result_set: u64) -> Self {
        Self {
            row: Mutex::new(Some(row)),
            rows,
            result_set,
        }
    }

    fn take(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let mut row = self.row.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        row.take()
    }

    fn give_back(&self, py: Python<'_>) -> PyResult<()> {
        match self.take(py) {
            Some(row) => {
                let arguments = (row, self.result_set);
                self.rows
                    .call_method1(py, intern!(py, "give_back_one"), arguments)
                    .map(|_| ())
            }
            None => Ok(()),
        }
    }
}

#[pymethods]
impl Handed {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.take(py) {
            // In a tuple: one that is itself the row would be the exception's arguments. Made at once: whoever awaits asks for it.
            Some(row) => Err(PyErr::from_value(py.get_type::<PyStopIteration>().call1((row,))?)),
            None => Err(PyRuntimeError::new_err(
                "this row was handed out already: await a read once",
            )),
        }
    }

    fn send(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.__next__(py)
    }

    #[pyo3(signature = (kind, value = None, _traceback = None))]
    fn throw(
        &self,
        py: Python<'_>,
        kind: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.give_back(py)?;
        // An exception, or a class and its argument.
        let exception = match value {
            Some(value) if kind.is_callable() => kind.call1((value,))?,
            _ => kind,
        };
        Err(PyErr::from_value(exception))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.give_back(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.rows)?;
        // Exchanged at this moment by another thread: seen on the collector's next visit.
        self.row.try_lock().map_or(Ok(()), |row| visit.call(&*row))
    }

    fn __clear__(&self) {
        let old = self.row.try_lock().map(|mut row| row.take());
        drop(old);
    }
}
