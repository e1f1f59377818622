//! What a read has taken, and how it becomes Python objects.

use std::collections::VecDeque;

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::PyList;
use pyo3::{PyTraverseError, PyVisit};

use super::super::queue::{Budget, raisable};
use super::{Ahead, Entry, Reads, object_of};

/// How many rows are converted between two looks at the clock.
const ROWS_BETWEEN_LOOKS: usize = 16;

/// What a read has taken: rows, or the error that came before there were enough of them.
#[pyclass(frozen, name = "Taken")]
pub struct Taken {
    pub(super) rows: Py<PyList>,
    pub(super) error: Option<Py<PyBaseException>>,
    pub(super) result_set: u64,
    cut_off: bool,
}

#[pymethods]
impl Taken {
    #[getter]
    fn rows(&self, py: Python<'_>) -> Py<PyList> {
        self.rows.clone_ref(py)
    }

    #[getter]
    fn error(&self, py: Python<'_>) -> Option<Py<PyBaseException>> {
        self.error.as_ref().map(|error| error.clone_ref(py))
    }

    /// Whether the read was interrupted before there were enough of them.
    #[getter]
    fn cut_off(&self) -> bool {
        self.cut_off
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.rows)?;
        visit.call(&self.error)
    }
}

/// Rows that a read has taken and that become Python objects.
pub struct Taking<R> {
    pub(super) rows: VecDeque<Entry<R>>,
    pub(super) failure: Option<Entry<R>>,
    pub(super) result_set: u64,
    pub(super) cut_off: bool,
    pub(super) converted: Option<Py<PyList>>,
}

impl<R: Send + 'static> Taking<R> {
    /// Converts as many rows as the budget allows; gives what was taken when all are converted.
    ///
    /// # Errors
    /// An exception of Python itself: it is out of memory.
    pub fn convert<C: Reads<Row = R>>(
        &mut self,
        reader: &Bound<'_, C>,
        budget: Option<&Budget>,
    ) -> PyResult<Option<Taken>> {
        let py = reader.py();
        if !self.convert_rows(reader, budget)? {
            return Ok(None);
        }
        let error = match self.failure.take() {
            Some(Entry::Failure(exception)) => Some(raisable(py, *exception).unbind()),
            _ => None,
        };
        let rows = self.converted.take();
        Ok(Some(Taken {
            rows: rows.unwrap_or_else(|| PyList::empty(py).unbind()),
            error,
            result_set: self.result_set,
            cut_off: self.cut_off,
        }))
    }

    /// Converts as many rows as the budget allows. The answer is whether those were all.
    pub(super) fn convert_rows<C: Reads<Row = R>>(
        &mut self,
        reader: &Bound<'_, C>,
        budget: Option<&Budget>,
    ) -> PyResult<bool> {
        let py = reader.py();
        let convert = C::converter(reader);
        let list = match self.converted.take() {
            Some(list) => list.into_bound(py),
            None => PyList::empty(py),
        };
        let mut converted = Vec::with_capacity(ROWS_BETWEEN_LOOKS.min(self.rows.len()));
        while !self.rows.is_empty() {
            for entry in self.rows.drain(..ROWS_BETWEEN_LOOKS.min(self.rows.len())) {
                match object_of(py, &convert, entry) {
                    Ok(object) => converted.push(object),
                    Err(exception) => self.failure = Some(Entry::of_failure(exception)),
                }
            }
            extend(&list, &mut converted)?;
            if !self.rows.is_empty() && budget.is_some_and(Budget::is_spent) {
                self.converted = Some(list.unbind());
                return Ok(false);
            }
        }
        self.converted = Some(list.unbind());
        Ok(true)
    }

    /// Takes what has arrived behind it.
    pub(super) fn absorb(&mut self, arrived: Arrived<R>) {
        self.rows.extend(arrived.rows);
        self.failure = self.failure.take().or(arrived.failure);
        self.cut_off |= arrived.cut_off;
    }

    /// Gives them back, those that are objects already too.
    pub(super) fn give_back(&mut self, py: Python<'_>, ahead: &Ahead<R>) {
        let converted = self.converted.take();
        let mut entries: VecDeque<_> = converted
            .iter()
            .flat_map(|list| list.bind(py).iter())
            .map(|row| Entry::Object(row.unbind()))
            .collect();
        entries.append(&mut self.rows);
        entries.extend(self.failure.take());
        ahead.put_back(py, entries, self.result_set);
    }
}

fn extend<'py>(list: &Bound<'py, PyList>, objects: &mut Vec<Bound<'py, PyAny>>) -> PyResult<()> {
    for object in objects.drain(..) {
        list.append(object)?;
    }
    Ok(())
}

/// What is read while the rows before it become Python objects.
pub(super) struct Arrived<R> {
    pub(super) rows: VecDeque<Entry<R>>,
    pub(super) failure: Option<Entry<R>>,
    pub(super) cut_off: bool,
}

impl<R> Default for Arrived<R> {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            failure: None,
            cut_off: false,
        }
    }
}

impl<R> From<Taking<R>> for Arrived<R> {
    fn from(taking: Taking<R>) -> Self {
        Self {
            rows: taking.rows,
            failure: taking.failure,
            cut_off: taking.cut_off,
        }
    }
}
