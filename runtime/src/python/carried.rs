//! Python exceptions on their way through a blocking call that knows nothing of Python.

use std::cell::RefCell;

use pyo3::PyErr;

thread_local! {
    static CARRIED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Keeps an exception that Python code raised inside of a blocking call: in a callback, or in an iterator that the call
/// draws from. The callback then fails with any error of the API; when the call has failed too, on the same thread, the
/// exception is raised in place of that error. If the call succeeds all the same, the exception is dropped.
///
/// It is what Python's own error indicator is to C.
pub fn carry(exception: PyErr) {
    CARRIED.with(|slot| slot.replace(Some(exception)));
}

/// Runs a call, and gives back with its outcome the exception that was carried out of it. Calls nest: one that runs in a
/// callback of another leaves the other's exception alone.
pub(super) fn collect<T>(call: impl FnOnce() -> T) -> (T, Option<PyErr>) {
    let outer = CARRIED.take();
    let outcome = call();
    (outcome, CARRIED.replace(outer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyo3::exceptions::PyValueError;

    #[test]
    fn a_nested_call_neither_takes_nor_clears_the_exception_of_the_outer_one() {
        let ((), carried) = collect(|| {
            carry(PyValueError::new_err("outer"));
            let ((), inner) = collect(|| ());
            assert!(inner.is_none());
        });
        assert!(carried.is_some());
        assert!(collect(|| ()).1.is_none());
    }
}
