//! A blocking object that one call at a time uses.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use pyo3::prelude::*;

use super::confined::{Home, mark_of_thread};
use super::dbapi::{Chunks, RowOf};
use super::exceptions::{Failure, IntoException, Module, catch};
use super::gather::gather;
use super::objects::{Closed, Latest, Ran, Wrapper, check_home, drop_detached};
use super::queue::is_interrupted;
use super::rows::{self, Chunk, Limit};

/// A blocking object that one call at a time uses, and that close takes away. Calls from several threads take turns; they
/// wait without the GIL.
pub struct Owned<W: Wrapper> {
    object: Mutex<Option<W::Object>>,
    latest: Latest<W::Snapshot>,
    /// The thread that is in a call, by [`mark_of_thread`]; 0 for none.
    user: AtomicUsize,
    closed: Arc<AtomicBool>,
    /// Set once there is an object: the thread to which it is confined, if it is.
    home: OnceLock<Option<Home>>,
}

/// Frees the object for the next call, also when this one unwinds.
struct Turn<'a, W: Wrapper> {
    object: MutexGuard<'a, Option<W::Object>>,
    user: &'a AtomicUsize,
    closed: &'a AtomicBool,
    is_opened: bool,
}

impl<W: Wrapper> Turn<'_, W> {
    fn object<E>(&mut self) -> Result<&mut W::Object, Failure<E>> {
        if !self.is_opened {
            return Err(Failure::Unopened);
        }
        let object = self.object.as_mut().filter(|_| !self.closed.load(Ordering::Relaxed));
        object.ok_or(Failure::Closed)
    }
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
            closed: Arc::default(),
            home: OnceLock::from(None),
        }
    }

    /// A place for an object that is yet to be opened: what `__new__` makes for an `__init__` to fill.
    pub fn unopened() -> Self {
        Self {
            object: Mutex::new(None),
            latest: Latest::unopened(),
            user: AtomicUsize::new(0),
            closed: Arc::default(),
            home: OnceLock::new(),
        }
    }

    /// Takes over the object that an `__init__` made; `false` if there is one already.
    pub fn open(&self, py: Python<'_>, object: W::Object, home: Option<Home>) -> bool {
        py.detach(|| self.fill(object, home))
    }

    fn fill(&self, object: W::Object, home: Option<Home>) -> bool {
        let mut place = self.object.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = self.home.set(home).is_ok();
        if is_first {
            self.latest.open(W::snapshot(&object));
            *place = Some(object);
        }
        is_first
    }

    /// Confines the object to the thread to which another one is.
    #[must_use]
    pub fn confined(mut self, home: Option<Home>) -> Self {
        self.home = OnceLock::from(home);
        self
    }

    fn check_home(&self, py: Python<'_>) -> PyResult<()> {
        check_home::<W>(py, self.home.get().and_then(Option::as_ref))
    }

    /// Whether there is, or was, an object.
    pub fn is_opened(&self) -> bool {
        self.home.get().is_some()
    }

    /// Takes over the object that a call has made, without the GIL, in the place of one that was unopened.
    pub fn made(&self, object: W::Object) {
        self.fill(object, None);
    }

    /// Takes the object out, to be dropped elsewhere, if there is one that no call uses.
    pub fn abandon(&self) -> Option<W::Object> {
        self.object.try_lock().ok()?.take()
    }

    /// Ends the object: takes it out, to be closed elsewhere, if there is one that no call uses.
    pub fn end(&self) -> Option<W::Object> {
        let object = self.abandon()?;
        self.closed.store(true, Ordering::Relaxed);
        Some(object)
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
    /// What the call fails with, as an exception of the module; the module's exception for a closed object, for one in the
    /// middle of a call of the same thread, or for a panic.
    pub fn call<T, E>(&self, py: Python<'_>, call: impl FnOnce(&mut W::Object) -> Result<T, E> + Send) -> PyResult<T>
    where
        T: Send,
        E: IntoException<W::Module> + Send,
    {
        self.check_home(py)?;
        py.detach(|| self.run(call)).raise::<W>()
    }

    /// Runs a call on the object without the GIL, which the caller does not hold.
    pub fn run<T, E>(&self, call: impl FnOnce(&mut W::Object) -> Result<T, E>) -> Ran<T, E> {
        Ran::of(|| {
            let mut turn = self.turn()?;
            let object = turn.object()?;
            let outcome = catch(|| call(object));
            self.refresh(object);
            outcome
        })
    }

    /// Tries a call in place that waits for nothing; `None` also where another call has the object, or there is none. One that
    /// panics has failed.
    pub fn attempt<T>(&self, call: impl FnOnce(&mut W::Object) -> Option<T>) -> Option<T> {
        let mut turn = self.free_turn()?;
        let object = turn.object::<Infallible>().ok()?;
        let outcome = catch(|| Ok::<_, Infallible>(call(object))).ok().flatten()?;
        self.refresh(object);
        Some(outcome)
    }

    /// Ends the object: runs the call on it, then drops it. An object that is closed already stays so.
    ///
    /// # Errors
    /// As [`Owned::call`] has them; the object is closed all the same.
    pub fn close<E>(&self, py: Python<'_>, close: impl FnOnce(&mut W::Object) -> Result<(), E> + Send) -> PyResult<()>
    where
        E: IntoException<W::Module> + Send,
    {
        self.check_home(py)?;
        py.detach(|| self.run_close(close)).raise::<W>()
    }

    /// As [`Owned::close`], without the GIL, which the caller does not hold.
    pub fn run_close<E>(&self, close: impl FnOnce(&mut W::Object) -> Result<(), E>) -> Ran<(), E> {
        self.consume(|mut object| {
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
        self.check_home(py)?;
        py.detach(|| self.run_close_by_value(close)).raise::<W>()
    }

    /// As [`Owned::close_by_value`], without the GIL, which the caller does not hold.
    pub fn run_close_by_value<E>(&self, close: impl FnOnce(W::Object) -> Result<(), E>) -> Ran<(), E> {
        self.consume(|object| catch(|| close(object)))
    }

    fn consume<E>(&self, end: impl FnOnce(W::Object) -> Result<(), Failure<E>>) -> Ran<(), E> {
        Ran::of(|| {
            let object = {
                let mut turn = self.turn()?;
                if self.home.get().is_none() {
                    return Err(Failure::Unopened);
                }
                let is_first = !self.closed.swap(true, Ordering::Relaxed);
                turn.object.take().filter(|_| is_first)
            };
            object.map_or(Ok(()), end)
        })
    }

    /// Reads rows of the object's result set until the limit. What reading fails with stands behind the rows.
    ///
    /// # Errors
    /// The module's exception for a closed object, or for one in the middle of a call of the same thread.
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
        self.check_home(py)?;
        let read = py.detach(|| self.run_read(limit, &mut next, weigh));
        read.raise_read::<W>()
    }

    /// As [`Owned::read`], without the GIL, which the caller does not hold.
    pub fn run_read<R, E>(
        &self,
        limit: Limit,
        mut next: impl FnMut(&mut W::Object) -> Result<Option<R>, E>,
        weigh: impl Fn(&R) -> usize,
    ) -> Ran<Chunk<R, Failure<E>>, E> {
        Ran::of(|| {
            let mut turn = self.turn()?;
            let object = turn.object()?;
            let chunk = rows::read(limit, || catch(|| next(object)), weigh);
            self.refresh(object);
            Ok(chunk)
        })
    }

    /// As [`Owned::run_read`], the rows kept together.
    pub fn run_gather<E>(&self, limit: Limit) -> Ran<Chunk<RowOf<W::Object>, Failure<E>>, E>
    where
        W::Object: Chunks<Error = E>,
    {
        Ran::of(|| {
            let mut turn = self.turn()?;
            let object = turn.object()?;
            let chunk = gather(limit, is_interrupted, |rows, wants_more| {
                catch(|| object.gather(rows, wants_more))
            });
            self.refresh(object);
            Ok(chunk)
        })
    }

    /// Reads the snapshot properties anew: the object was called by way of a class that extends this one.
    pub fn reread(&self, py: Python<'_>) {
        py.detach(|| {
            if let Ok(mut turn) = self.turn::<Infallible>()
                && let Ok(object) = turn.object::<Infallible>()
            {
                self.refresh(object);
            }
        });
    }

    /// The values of the snapshot properties after the latest call: it waits for no call that runs.
    ///
    /// # Errors
    /// The module's exception for an object that was never opened.
    pub fn latest(&self, py: Python<'_>) -> PyResult<Arc<W::Snapshot>> {
        self.latest.get(py).ok_or_else(|| W::Module::unopened(W::NAME))
    }

    /// Waits for the object. Called detached.
    fn turn<E>(&self) -> Result<Turn<'_, W>, Failure<E>> {
        let thread = mark_of_thread();
        if self.user.load(Ordering::Relaxed) == thread {
            return Err(Failure::Reentered);
        }
        let object = self.object.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self.begin_turn(object, thread))
    }

    /// The object, if no call has it.
    fn free_turn(&self) -> Option<Turn<'_, W>> {
        let object = match self.object.try_lock() {
            Ok(object) => object,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(self.begin_turn(object, mark_of_thread()))
    }

    fn begin_turn<'a>(&'a self, object: MutexGuard<'a, Option<W::Object>>, thread: usize) -> Turn<'a, W> {
        self.user.store(thread, Ordering::Relaxed);
        Turn {
            object,
            user: &self.user,
            closed: &self.closed,
            is_opened: self.home.get().is_some(),
        }
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
