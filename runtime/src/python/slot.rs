//! A Python object that an object of a frozen class refers to and that can be exchanged.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::{PyTraverseError, PyVisit};

use super::collector;

/// A place for a Python object, or for none. Its lock is held for the exchange of a pointer, never while Python code runs.
#[derive(Debug, Default)]
pub struct Slot {
    object: Mutex<Option<Py<PyAny>>>,
    /// Whether using the object runs Python code. One that the native module knows it replaces by its own.
    calls_python: AtomicBool,
}

impl Slot {
    /// A place that holds that object.
    pub fn new(object: Option<Py<PyAny>>) -> Self {
        Self {
            calls_python: AtomicBool::new(object.is_some()),
            object: Mutex::new(object),
        }
    }

    /// A place that holds what another one holds now.
    pub fn copy_of(other: &Self, py: Python<'_>) -> Self {
        let copy = Self::new(other.get(py).map(Bound::unbind));
        copy.calls_python.store(other.calls_python(), Ordering::Relaxed);
        copy
    }

    /// Whether using the object that it holds runs Python code. Answered with or without the GIL.
    pub fn calls_python(&self) -> bool {
        self.calls_python.load(Ordering::Relaxed)
    }

    /// Puts in what another one holds, if that is something else. Called without the GIL, which is taken only then.
    pub fn follow(&self, other: &Self) {
        let held = |slot: &Self| {
            let object = slot.object.lock().unwrap_or_else(PoisonError::into_inner);
            object.as_ref().map(|object| object.as_ptr().addr())
        };
        if held(self) == held(other) {
            return;
        }
        let _ = Python::try_attach(|py| {
            let object = other.get(py).unwrap_or_else(|| py.None().into_bound(py));
            self.set_known(&object, !other.calls_python());
        });
    }

    /// What it holds.
    pub fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.lock(py).as_ref().map(|object| object.bind(py).clone())
    }

    /// Puts an object in; `None` of Python leaves it empty.
    pub fn set(&self, object: &Bound<'_, PyAny>) {
        self.set_known(object, false);
    }

    /// As [`Slot::set`]; says too whether the object is one that the native module knows, so that no Python code runs.
    pub fn set_known(&self, object: &Bound<'_, PyAny>, is_known: bool) {
        self.calls_python
            .store(!is_known && !object.is_none(), Ordering::Relaxed);
        let new = (!object.is_none()).then(|| object.clone().unbind());
        let old = std::mem::replace(&mut *self.lock(object.py()), new);
        // Dropped after the lock is free: its finalizer may come back here.
        drop(old);
    }

    /// Shows the object to the garbage collector.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        collector::lock(&self.object).map_or(Ok(()), |object| visit.call(&*object))
    }

    /// Empties it, for the garbage collector.
    pub fn clear(&self) {
        let old = self.object.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(old);
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Option<Py<PyAny>>> {
        self.object.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}
