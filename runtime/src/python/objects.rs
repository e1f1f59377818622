//! Where an object of a native class keeps the blocking object, and how it calls it.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use super::carried;
use super::exceptions::{Failure, IntoException, Module, catch};
use super::rows::{self, Chunk, Limit};

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
fn detached<T, E, M>(
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
struct Latest<S> {
    values: Mutex<Arc<S>>,
}

impl<S> Latest<S> {
    fn new(values: S) -> Self {
        Self {
            values: Mutex::new(Arc::new(values)),
        }
    }

    /// Called detached.
    fn set(&self, values: S) {
        // Nothing to keep, nothing to wait for.
        if size_of::<S>() > 0 {
            *self.values.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(values);
        }
    }

    fn get(&self, py: Python<'_>) -> Arc<S> {
        Arc::clone(&self.values.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner))
    }
}

/// A blocking object that one call at a time uses, and that close takes away. Calls from several threads take turns; they
/// wait without the GIL.
pub struct Owned<W: Wrapper> {
    object: Mutex<Option<W::Object>>,
    latest: Latest<W::Snapshot>,
    /// The thread that is in a call, by [`current_thread`]; 0 for none.
    user: AtomicUsize,
}

/// Frees the object for the next call, also when this one unwinds.
struct Turn<'a, W: Wrapper> {
    object: MutexGuard<'a, Option<W::Object>>,
    user: &'a AtomicUsize,
}

impl<W: Wrapper> Drop for Turn<'_, W> {
    fn drop(&mut self) {
        self.user.store(0, Ordering::Relaxed);
    }
}

impl<W: Wrapper> Owned<W> {
    /// Takes over an object. Called detached or attached: the snapshot properties do not block.
    pub fn new(object: W::Object) -> Self {
        let latest = Latest::new(W::snapshot(&object));
        Self {
            object: Mutex::new(Some(object)),
            latest,
            user: AtomicUsize::new(0),
        }
    }

    /// Runs a call on the object.
    ///
    /// # Errors
    /// What the call fails with, as an exception of the module; the module's exception for a closed object, for one in the
    /// middle of a call of the same thread, or for a panic.
    pub fn call<T, E>(&self, py: Python<'_>, call: impl FnOnce(&mut W::Object) -> Result<T, E> + Send) -> PyResult<T>
    where
        T: Send,
        E: IntoException<W::Module> + Send,
    {
        detached(py, W::NAME, || {
            let mut turn = self.turn()?;
            let object = turn.object.as_mut().ok_or(Failure::Closed)?;
            let outcome = catch(|| call(object));
            self.refresh(object);
            outcome
        })
    }

    /// Ends the object: runs the call on it, then drops it. An object that is closed already stays so.
    ///
    /// # Errors
    /// As [`Owned::call`] has them; the object is closed all the same.
    pub fn close<E>(&self, py: Python<'_>, close: impl FnOnce(&mut W::Object) -> Result<(), E> + Send) -> PyResult<()>
    where
        E: IntoException<W::Module> + Send,
    {
        self.consume(py, |mut object| {
            let outcome = catch(|| close(&mut object));
            self.refresh(&object);
            // Dropping it may run code of the API that panics as well as a call does.
            let dropped = catch(|| {
                drop(object);
                Ok(())
            });
            outcome.and(dropped)
        })
    }

    /// Ends the object with a call that takes it.
    ///
    /// # Errors
    /// As [`Owned::close`] has them.
    pub fn close_by_value<E>(
        &self,
        py: Python<'_>,
        close: impl FnOnce(W::Object) -> Result<(), E> + Send,
    ) -> PyResult<()>
    where
        E: IntoException<W::Module> + Send,
    {
        self.consume(py, |object| catch(|| close(object)))
    }

    fn consume<E>(&self, py: Python<'_>, end: impl FnOnce(W::Object) -> Result<(), Failure<E>> + Send) -> PyResult<()>
    where
        E: IntoException<W::Module> + Send,
    {
        detached(py, W::NAME, || {
            let object = self.turn()?.object.take();
            object.map_or(Ok(()), end)
        })
    }

    /// Reads rows of the object's result set until the limit. An error behind the first row is given along with the rows.
    ///
    /// # Errors
    /// As [`Owned::call`] has them, when there is no row before the error.
    pub fn read<R, E>(
        &self,
        py: Python<'_>,
        limit: Limit,
        mut next: impl FnMut(&mut W::Object) -> Result<Option<R>, E> + Send,
        weigh: impl Fn(&R) -> usize + Send,
    ) -> PyResult<Chunk<R, PyErr>>
    where
        R: Send,
        E: IntoException<W::Module> + Send,
    {
        let (chunk, carried) = py.detach(move || {
            carried::collect(move || {
                let mut turn = self.turn()?;
                let object = turn.object.as_mut().ok_or(Failure::Closed)?;
                let chunk = rows::read(limit, || catch(|| next(object)), weigh);
                self.refresh(object);
                Ok(chunk)
            })
        });
        let chunk = chunk.map_err(|failure: Failure<E>| failure.into_exception::<W::Module>(W::NAME))?;
        raised::<W, R, E>(chunk, carried)
    }

    /// The values of the snapshot properties after the latest call: it waits for no call that runs.
    pub fn latest(&self, py: Python<'_>) -> Arc<W::Snapshot> {
        self.latest.get(py)
    }

    /// Waits for the object. Called detached.
    fn turn<E>(&self) -> Result<Turn<'_, W>, Failure<E>> {
        let thread = current_thread();
        if self.user.load(Ordering::Relaxed) == thread {
            return Err(Failure::Reentered);
        }
        let object = self.object.lock().unwrap_or_else(PoisonError::into_inner);
        self.user.store(thread, Ordering::Relaxed);
        Ok(Turn {
            object,
            user: &self.user,
        })
    }

    fn refresh(&self, object: &W::Object) {
        // A property that panics leaves the values of the call before.
        if let Ok(values) = catch(|| Ok::<_, Infallible>(W::snapshot(object))) {
            self.latest.set(values);
        }
    }
}

/// The object is dropped without the GIL: its end may wait for a file or for a call of another thread.
impl<W: Wrapper> Drop for Owned<W> {
    fn drop(&mut self) {
        let object = self.object.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        drop_detached(object);
    }
}

/// A blocking object that any thread may use at any time.
pub struct Shared<W: Wrapper<Object: Sync>> {
    /// `None` only while it is dropped.
    object: Option<W::Object>,
    latest: Latest<W::Snapshot>,
    closed: AtomicBool,
}

impl<W: Wrapper<Object: Sync>> Shared<W> {
    /// Takes over an object. Called detached or attached: the snapshot properties do not block.
    pub fn new(object: W::Object) -> Self {
        let latest = Latest::new(W::snapshot(&object));
        Self {
            object: Some(object),
            latest,
            closed: AtomicBool::new(false),
        }
    }

    /// Runs a call on the object.
    ///
    /// # Errors
    /// What the call fails with, as an exception of the module; the module's exception for a panic.
    pub fn call<T, E>(&self, py: Python<'_>, call: impl FnOnce(&W::Object) -> Result<T, E> + Send) -> PyResult<T>
    where
        T: Send,
        E: IntoException<W::Module> + Send,
    {
        self.blocking(py, self.object(), call)
    }

    fn blocking<T, E>(
        &self,
        py: Python<'_>,
        object: Option<&W::Object>,
        call: impl FnOnce(&W::Object) -> Result<T, E> + Send,
    ) -> PyResult<T>
    where
        T: Send,
        E: IntoException<W::Module> + Send,
    {
        detached(py, W::NAME, || {
            let object = object.ok_or(Failure::Closed)?;
            let outcome = catch(|| call(object));
            // A property that panics leaves the values of the call before.
            if let Ok(values) = catch(|| Ok::<_, Infallible>(W::snapshot(object))) {
                self.latest.set(values);
            }
            outcome
        })
    }

    /// Runs a call that never blocks in place, with the GIL: a flag, an atomic.
    ///
    /// # Errors
    /// As [`Shared::call`] has them.
    pub fn direct<T, E>(&self, call: impl FnOnce(&W::Object) -> Result<T, E>) -> PyResult<T>
    where
        E: IntoException<W::Module>,
    {
        self.in_place(self.object(), call)
    }

    /// Runs a call in place that an object answers when it is closed too.
    ///
    /// # Errors
    /// What the call fails with, as an exception of the module; the module's exception for a panic.
    pub fn direct_when_closed<T, E>(&self, call: impl FnOnce(&W::Object) -> Result<T, E>) -> PyResult<T>
    where
        E: IntoException<W::Module>,
    {
        self.in_place(self.object.as_ref(), call)
    }

    fn in_place<T, E>(&self, object: Option<&W::Object>, call: impl FnOnce(&W::Object) -> Result<T, E>) -> PyResult<T>
    where
        E: IntoException<W::Module>,
    {
        let outcome = object.ok_or(Failure::Closed).and_then(|object| catch(|| call(object)));
        outcome.map_err(|failure| failure.into_exception::<W::Module>(W::NAME))
    }

    /// Ends the object by a call; from then on calls are refused. The object itself is dropped with the last reference,
    /// since calls of other threads may be under way. One that is closed already stays so.
    ///
    /// # Errors
    /// As [`Shared::call`] has them; the object is closed all the same.
    pub fn close<E>(&self, py: Python<'_>, close: impl FnOnce(&W::Object) -> Result<(), E> + Send) -> PyResult<()>
    where
        E: IntoException<W::Module> + Send,
    {
        if self.closed.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        self.blocking(py, self.object.as_ref(), close)
    }

    /// Reads rows as [`Owned::read`] does.
    ///
    /// # Errors
    /// As [`Owned::read`] has them.
    pub fn read<R, E>(
        &self,
        py: Python<'_>,
        limit: Limit,
        mut next: impl FnMut(&W::Object) -> Result<Option<R>, E> + Send,
        weigh: impl Fn(&R) -> usize + Send,
    ) -> PyResult<Chunk<R, PyErr>>
    where
        R: Send,
        E: IntoException<W::Module> + Send,
    {
        let chunk = self.call(py, move |object| {
            Ok::<_, Infallible>(carried::collect(|| rows::read(limit, || catch(|| next(object)), weigh)))
        });
        let (chunk, carried) = chunk?;
        raised::<W, R, E>(chunk, carried)
    }

    /// The values of the snapshot properties after the latest call.
    pub fn latest(&self, py: Python<'_>) -> Arc<W::Snapshot> {
        self.latest.get(py)
    }

    /// The object, unless it is closed.
    fn object(&self) -> Option<&W::Object> {
        self.object.as_ref().filter(|_| !self.closed.load(Ordering::Relaxed))
    }
}

/// The object is dropped without the GIL, as that of [`Owned`] is.
impl<W: Wrapper<Object: Sync>> Drop for Shared<W> {
    fn drop(&mut self) {
        drop_detached(self.object.take());
    }
}

/// A chunk with an exception for what failed; the exception itself, if it stands behind no row.
fn raised<W: Wrapper, R, E>(chunk: Chunk<R, Failure<E>>, carried: Option<PyErr>) -> PyResult<Chunk<R, PyErr>>
where
    E: IntoException<W::Module>,
{
    let exception = |failure: Failure<E>| carried.unwrap_or_else(|| failure.into_exception::<W::Module>(W::NAME));
    match chunk.failure.map(exception) {
        Some(exception) if chunk.rows.is_empty() => Err(exception),
        failure => Ok(Chunk {
            rows: chunk.rows,
            exhausted: chunk.exhausted,
            failure,
        }),
    }
}

fn drop_detached<T: Send>(mut object: Option<T>) {
    // Without an interpreter (it is about to end) there is no GIL to let go of, and the object is dropped below.
    let _ = Python::try_attach(|py| py.detach(|| drop(object.take())));
    drop(object);
}

/// A number that no other living thread has.
fn current_thread() -> usize {
    thread_local! {
        static MARK: u8 = const { 0 };
    }
    MARK.with(|mark| std::ptr::from_ref(mark).addr())
}
