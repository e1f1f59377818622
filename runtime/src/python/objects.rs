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

/// What a blocking call came to, before it is known to Python. All calls of generated modules come through here.
#[must_use]
pub struct Ran<T, E> {
    outcome: Result<T, Failure<E>>,
    /// What Python code raised inside of it.
    carried: Option<PyErr>,
}

impl<T, E> Ran<T, E> {
    /// Runs a call without the GIL, which the caller does not hold.
    pub(super) fn of(call: impl FnOnce() -> Result<T, Failure<E>>) -> Self {
        let (outcome, carried) = carried::collect(call);
        Self { outcome, carried }
    }

    /// Does something with its value. What that gives is the value from there on.
    pub fn then<U>(self, next: impl FnOnce(T) -> U) -> Ran<U, E> {
        Ran {
            outcome: self.outcome.map(next),
            carried: self.carried,
        }
    }

    /// Whether it succeeded.
    pub(super) fn is_success(&self) -> bool {
        self.outcome.is_ok()
    }

    /// Whether it failed since the object was never opened.
    pub(super) fn is_unopened(&self) -> bool {
        matches!(self.outcome, Err(Failure::Unopened))
    }

    /// Its value.
    ///
    /// # Errors
    /// What the call failed with; an exception that it carries ([`super::carry`]) goes before its own error.
    pub fn raise<W: Wrapper>(self) -> PyResult<T>
    where
        E: IntoException<W::Module>,
    {
        self.raise_of::<W::Module>(W::NAME)
    }

    fn raise_of<M: Module>(self, class: &'static str) -> PyResult<T>
    where
        E: IntoException<M>,
    {
        let carried = self.carried;
        self.outcome
            .map_err(|failure| carried.unwrap_or_else(|| failure.into_exception(class)))
    }
}

impl<R, E> Ran<Chunk<R, Failure<E>>, E> {
    /// A chunk with an exception for what failed behind its rows.
    ///
    /// # Errors
    /// The exception for what failed before any row could be read: the object is closed, say.
    pub fn raise_read<W: Wrapper>(self) -> PyResult<Chunk<R, PyErr>>
    where
        E: IntoException<W::Module>,
    {
        let chunk = self
            .outcome
            .map_err(|failure| failure.into_exception::<W::Module>(W::NAME))?;
        let carried = self.carried;
        let exception = |failure: Failure<E>| carried.unwrap_or_else(|| failure.into_exception::<W::Module>(W::NAME));
        Ok(Chunk {
            rows: chunk.rows,
            exhausted: chunk.exhausted,
            failure: chunk.failure.map(exception),
        })
    }
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
    py.detach(|| Ran::of(|| catch(call))).raise_of::<M>("")
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

/// Drops an object without the GIL.
pub(super) fn drop_detached<T: Send>(mut object: Option<T>) {
    // Without an interpreter (it is about to end) there is no GIL to let go of, and the object is dropped below.
    let _ = Python::try_attach(|py| py.detach(|| drop(object.take())));
    drop(object);
}
