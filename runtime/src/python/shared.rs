//! A blocking object that any thread may use at any time.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use pyo3::prelude::*;

use super::confined::Home;
use super::exceptions::{Failure, IntoException, Module, catch};
use super::objects::{Closed, Latest, Ran, Wrapper, check_home, drop_detached};
use super::rows::{self, Chunk, Limit};

/// A blocking object that any thread may use at any time.
pub struct Shared<W: Wrapper<Object: Sync>> {
    /// Empty until it is opened, and while it is dropped; beside it the thread to which it is confined, if it is.
    object: OnceLock<(W::Object, Option<Home>)>,
    latest: Latest<W::Snapshot>,
    closed: Arc<AtomicBool>,
}

impl<W: Wrapper<Object: Sync>> Shared<W> {
    /// Takes over an object. Called detached or attached: the snapshot properties do not block.
    pub fn new(object: W::Object) -> Self {
        let latest = Latest::new(W::snapshot(&object));
        Self {
            object: OnceLock::from((object, None)),
            latest,
            closed: Arc::default(),
        }
    }

    /// A place for an object that is yet to be opened: what `__new__` makes for an `__init__` to fill.
    pub fn unopened() -> Self {
        Self {
            object: OnceLock::new(),
            latest: Latest::unopened(),
            closed: Arc::default(),
        }
    }

    /// Takes over the object that an `__init__` made; `false` if there is one already.
    pub fn open(&self, py: Python<'_>, object: W::Object, home: Option<Home>) -> bool {
        py.detach(|| self.fill(object, home))
    }

    fn fill(&self, object: W::Object, home: Option<Home>) -> bool {
        let values = W::snapshot(&object);
        let is_first = self.object.set((object, home)).is_ok();
        if is_first {
            self.latest.open(values);
        }
        is_first
    }

    /// Whether there is, or was, an object.
    pub fn is_opened(&self) -> bool {
        self.object.get().is_some()
    }

    /// Takes over the object that a call has made, without the GIL, in the place of one that was unopened.
    pub fn made(&self, object: W::Object) {
        self.fill(object, None);
    }

    /// There is nothing to be dropped elsewhere: any thread may drop what any may use.
    pub fn abandon(&self) -> Option<W::Object> {
        None
    }

    /// The thread to which the object is confined, if it is.
    pub fn home(&self) -> Option<Home> {
        self.object.get().and_then(|(_, home)| *home)
    }

    fn check_home(&self, py: Python<'_>) -> PyResult<()> {
        check_home::<W>(py, self.home().as_ref())
    }

    /// Makes it one with the object of the class that its own extends: what closes one closes the other.
    #[must_use]
    pub fn closed_with(mut self, base: &Closed) -> Self {
        self.closed = Arc::clone(&base.0);
        self
    }

    /// What the object of a class that extends this one is closed with.
    pub fn closed(&self) -> Closed {
        Closed(Arc::clone(&self.closed))
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
        self.check_home(py)?;
        py.detach(|| self.run(call)).raise::<W>()
    }

    /// Runs a call on the object without the GIL, which the caller does not hold.
    pub fn run<T, E>(&self, call: impl FnOnce(&W::Object) -> Result<T, E>) -> Ran<T, E> {
        self.blocking(self.object(), call)
    }

    fn blocking<T, E>(
        &self,
        object: Result<&W::Object, Failure<E>>,
        call: impl FnOnce(&W::Object) -> Result<T, E>,
    ) -> Ran<T, E> {
        Ran::of(|| {
            let object = object?;
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
        self.in_place(self.opened(), call)
    }

    fn in_place<T, E>(
        &self,
        object: Result<&W::Object, Failure<E>>,
        call: impl FnOnce(&W::Object) -> Result<T, E>,
    ) -> PyResult<T>
    where
        E: IntoException<W::Module>,
    {
        let outcome = object.and_then(|object| catch(|| call(object)));
        outcome.map_err(|failure| failure.into_exception::<W::Module>(W::NAME))
    }

    /// Tries a call in place that waits for nothing; `None` also where there is no object. One that panics has failed.
    pub fn attempt<T>(&self, call: impl FnOnce(&W::Object) -> Option<T>) -> Option<T> {
        let object = self.object::<Infallible>().ok()?;
        let outcome = catch(|| Ok::<_, Infallible>(call(object))).ok().flatten()?;
        if let Ok(values) = catch(|| Ok::<_, Infallible>(W::snapshot(object))) {
            self.latest.set(values);
        }
        Some(outcome)
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
        self.check_home(py)?;
        py.detach(|| self.run_close(close)).raise::<W>()
    }

    /// As [`Shared::close`], without the GIL, which the caller does not hold.
    pub fn run_close<E>(&self, close: impl FnOnce(&W::Object) -> Result<(), E>) -> Ran<(), E> {
        let object = self.opened();
        if object.is_ok() && self.closed.swap(true, Ordering::Relaxed) {
            return Ran::of(|| Ok(()));
        }
        self.blocking(object, close)
    }

    /// Reads rows as [`super::Owned::read`] does.
    ///
    /// # Errors
    /// The module's exception for a closed object.
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
        self.check_home(py)?;
        let read = py.detach(|| self.run_read(limit, &mut next, weigh));
        read.raise_read::<W>()
    }

    /// As [`Shared::read`], without the GIL, which the caller does not hold.
    pub fn run_read<R, E>(
        &self,
        limit: Limit,
        mut next: impl FnMut(&W::Object) -> Result<Option<R>, E>,
        weigh: impl Fn(&R) -> usize,
    ) -> Ran<Chunk<R, Failure<E>>, E> {
        let object = self.object();
        Ran::of(|| {
            let object = object?;
            let chunk = rows::read(limit, || catch(|| next(object)), weigh);
            if let Ok(values) = catch(|| Ok::<_, Infallible>(W::snapshot(object))) {
                self.latest.set(values);
            }
            Ok(chunk)
        })
    }

    /// Reads the snapshot properties anew: the object was called by way of a class that extends this one.
    pub fn reread(&self, py: Python<'_>) {
        py.detach(|| {
            if let Some((object, _)) = self.object.get()
                && let Ok(values) = catch(|| Ok::<_, Infallible>(W::snapshot(object)))
            {
                self.latest.set(values);
            }
        });
    }

    /// The values of the snapshot properties after the latest call.
    ///
    /// # Errors
    /// The module's exception for an object that was never opened.
    pub fn latest(&self, py: Python<'_>) -> PyResult<Arc<W::Snapshot>> {
        self.latest.get(py).ok_or_else(|| W::Module::unopened(W::NAME))
    }

    /// The object, unless it is closed.
    fn object<E>(&self) -> Result<&W::Object, Failure<E>> {
        let object = self.opened()?;
        if self.closed.load(Ordering::Relaxed) {
            return Err(Failure::Closed);
        }
        Ok(object)
    }

    /// The object, closed or not.
    fn opened<E>(&self) -> Result<&W::Object, Failure<E>> {
        self.object.get().map(|(object, _)| object).ok_or(Failure::Unopened)
    }
}

/// The object is dropped without the GIL, as that of [`super::Owned`] is.
impl<W: Wrapper<Object: Sync>> Drop for Shared<W> {
    fn drop(&mut self) {
        drop_detached(self.object.take().map(|(object, _)| object));
    }
}
