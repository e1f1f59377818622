//! What the objects of native classes have in common, however they keep the blocking object.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use super::carried;
use super::confined::{Home, number_of_thread};
use super::exceptions::{Failure, IntoException, Module, catch};
use super::rows::Chunk;

/// A native class: what it wraps, and what of it can be read while a call runs.
pub trait Wrapper: 'static {
    /// The blocking type.
    type Object: Send + 'static;
    /// The values of its snapshot properties; `()` if it has none.
    type Snapshot: Send + Sync + 'static;
    /// The module whose exceptions are raised.
    type Module: Module;
    /// Its name in Python.
    const NAME: &'static str;

    /// Reads the snapshot properties.
    fn snapshot(object: &Self::Object) -> Self::Snapshot;
}

/// Runs a blocking call without the GIL. All calls of generated modules come through here.
///
/// # Errors
/// What the call fails with; an exception that it carries ([`super::carry`]) goes before its own error.
pub(super) fn detached<T, E, M>(
    py: Python<'_>,
    class: &'static str,
    call: impl FnOnce() -> Result<T, Failure<E>> + Send,
) -> PyResult<T>
where
    T: Send,
    E: IntoException<M> + Send,
    M: Module,
{
    let (outcome, carried) = py.detach(|| carried::collect(call));
    outcome.map_err(|failure| carried.unwrap_or_else(|| failure.into_exception(class)))
}

/// Runs a blocking call that belongs to no object (it opens one, or is a free function) without the GIL.
///
/// # Errors
/// What the call fails with, as an exception of the module `M`.
pub fn run<M, T, E>(py: Python<'_>, call: impl FnOnce() -> Result<T, E> + Send) -> PyResult<T>
where
    M: Module,
    T: Send,
    E: IntoException<M> + Send,
{
    detached(py, "", || catch(call))
}

/// What was last read of an object's snapshot properties. It is replaced as a whole; its lock is held for the exchange of
/// a pointer.
pub(super) struct Latest<S> {
    /// `None` until there is an object.
    values: Mutex<Option<Arc<S>>>,
}

impl<S> Latest<S> {
    pub(super) fn new(values: S) -> Self {
        Self {
            values: Mutex::new(Some(Arc::new(values))),
        }
    }

    /// For an object that is yet to be opened.
    pub(super) fn unopened() -> Self {
        Self {
            values: Mutex::new(None),
        }
    }

    /// The first values, of an object that was opened now. Called detached.
    pub(super) fn open(&self, values: S) {
        *self.values.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(values));
    }

    /// Called detached.
    pub(super) fn set(&self, values: S) {
        // Nothing to keep, nothing to wait for.
        if size_of::<S>() > 0 {
            *self.values.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(values));
        }
    }

    pub(super) fn get(&self, py: Python<'_>) -> Option<Arc<S>> {
        self.values
            .lock_py_attached(py)
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Whether an object is closed, for the object of a class that extends its own.
pub struct Closed(pub(super) Arc<AtomicBool>);

/// An exception if an object is confined to another thread than the calling one.
///
/// # Errors
/// That exception.
pub(super) fn check_home<W: Wrapper>(py: Python<'_>, home: Option<&Home>) -> PyResult<()> {
    match home {
        Some(home) if !home.is_here() => Err(W::Module::misplaced(W::NAME, home.number(), number_of_thread(py)?)),
        _ => Ok(()),
    }
}

/// A chunk with an exception for what failed behind its rows.
pub(super) fn raised<W: Wrapper, R, E>(chunk: Chunk<R, Failure<E>>, carried: Option<PyErr>) -> Chunk<R, PyErr>
where
    E: IntoException<W::Module>,
{
    let exception = |failure: Failure<E>| carried.unwrap_or_else(|| failure.into_exception::<W::Module>(W::NAME));
    Chunk {
        rows: chunk.rows,
        exhausted: chunk.exhausted,
        failure: chunk.failure.map(exception),
    }
}

/// Drops an object without the GIL.
pub(super) fn drop_detached<T: Send>(mut object: Option<T>) {
    // Without an interpreter (it is about to end) there is no GIL to let go of, and the object is dropped below.
    let _ = Python::try_attach(|py| py.detach(|| drop(object.take())));
    drop(object);
}
