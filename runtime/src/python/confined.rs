//! Objects that only the thread which made them may use.

use pyo3::prelude::*;

/// The thread to which an object is confined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home {
    /// The thread by [`mark_of_thread`], which costs nothing to compare.
    mark: usize,
    /// The thread by the number that Python gives it, for messages.
    number: u64,
}

impl Home {
    /// The calling thread.
    ///
    /// # Errors
    /// None that Python is known to raise when it is asked for a thread's number.
    pub fn here(py: Python<'_>) -> PyResult<Self> {
        Ok(Self {
            mark: mark_of_thread(),
            number: number_of_thread(py)?,
        })
    }

    /// The number that Python gives the thread: `threading.get_ident()`.
    pub fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn is_here(&self) -> bool {
        self.mark == mark_of_thread()
    }
}

/// The number that Python gives the calling thread.
pub(super) fn number_of_thread(py: Python<'_>) -> PyResult<u64> {
    py.import(pyo3::intern!(py, "threading"))?
        .call_method0(pyo3::intern!(py, "get_ident"))?
        .extract()
}

/// A number that no other living thread has.
pub(super) fn mark_of_thread() -> usize {
    thread_local! {
        static MARK: u8 = const { 0 };
    }
    MARK.with(|mark| std::ptr::from_ref(mark).addr())
}
