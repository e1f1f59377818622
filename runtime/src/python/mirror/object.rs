//! The object of an async API behind a Python object.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use pyo3::prelude::*;
use tokio::sync::{OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::task::AbortHandle;

use super::ended::InContext;
use super::run::{Run, turn};
use crate::python::exceptions::{Failure, IntoException, catch};
use crate::python::objects::{Ran, Wrapper};
use crate::twin::Driver;

/// The place of an object: empty once the object is ended.
type Place<W> = RwLock<Option<InContext<<W as Wrapper>::Object>>>;

/// An object whose methods are `async fn`s, until it is ended.
pub struct Mirror<W: Wrapper<Object: Sync>> {
    /// Taken by `drop` alone.
    place: Option<Arc<Place<W>>>,
    streams: Arc<Streams>,
    /// Whether its close has begun: calls that come later fail.
    closing: Arc<AtomicBool>,
}

/// The tasks that read streams of an object. Each holds the object until its stream is dropped, which its reader may put off
/// for ever; so what needs the object to itself ends them, or says that it cannot have it.
#[derive(Default)]
pub(super) struct Streams(Mutex<Vec<(Weak<Reader>, AbortHandle)>>);

/// Whoever reads a stream.
pub(super) struct Reader;

impl Streams {
    pub(super) fn add(&self, reader: &Arc<Reader>, task: AbortHandle) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|(_, task)| !task.is_finished());
        tasks.push((Arc::downgrade(reader), task));
    }

    /// Whether somebody reads one: the task of a stream that was dropped needs a moment to end.
    fn are_open(&self) -> bool {
        let tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks
            .iter()
            .any(|(reader, task)| reader.strong_count() > 0 && !task.is_finished())
    }

    fn end(&self) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.drain(..).for_each(|(_, task)| task.abort());
    }
}

/// The object for a call that takes `&self`, for as long as the call runs.
pub struct Shared<W: Wrapper>(OwnedRwLockReadGuard<Option<InContext<W::Object>>, W::Object>);

impl<W: Wrapper> Shared<W> {
    /// The object of a place that is not empty.
    fn of(place: OwnedRwLockReadGuard<Option<InContext<W::Object>>>) -> Option<Self> {
        let object = OwnedRwLockReadGuard::try_map(place, |object| object.as_ref().map(InContext::get));
        object.ok().map(Self)
    }
}

impl<W: Wrapper> Deref for Shared<W> {
    type Target = W::Object;

    fn deref(&self) -> &W::Object {
        &self.0
    }
}

/// The object for a call that takes `&mut self`, for as long as the call runs.
pub struct Exclusive<W: Wrapper>(OwnedRwLockMappedWriteGuard<Option<InContext<W::Object>>, W::Object>);

impl<W: Wrapper> Deref for Exclusive<W> {
    type Target = W::Object;

    fn deref(&self) -> &W::Object {
        &self.0
    }
}

impl<W: Wrapper> DerefMut for Exclusive<W> {
    fn deref_mut(&mut self) -> &mut W::Object {
        &mut self.0
    }
}

const TAKEN: &str = "the place is taken only when the Python object ends";

impl<W: Wrapper<Object: Sync>> Mirror<W> {
    /// Takes over an object.
    pub fn new(object: W::Object) -> Self {
        Self {
            place: Some(Arc::new(RwLock::new(Some(InContext::new(object))))),
            streams: Arc::default(),
            closing: Arc::default(),
        }
    }

    pub(super) fn streams(&self) -> Arc<Streams> {
        Arc::clone(&self.streams)
    }

    fn place(&self) -> Arc<Place<W>> {
        Arc::clone(self.place.as_ref().expect(TAKEN))
    }

    /// A call that takes `&self`.
    pub fn shared<T, E, F, C>(
        &self,
        call: C,
    ) -> Run<W::Module, impl Future<Output = Result<T, Failure<E>>> + Send + use<W, T, E, F, C>>
    where
        C: FnOnce(Shared<W>) -> F + Send,
        F: Future<Output = Result<T, E>> + Send,
        E: IntoException<W::Module>,
    {
        let (place, closing) = (self.place(), Arc::clone(&self.closing));
        Run::queued(W::NAME, async move {
            let object = turn(async {
                if closing.load(Ordering::SeqCst) {
                    return None;
                }
                Shared::of(place.read_owned().await)
            });
            let object = object.await.ok_or(Failure::Closed)?;
            call(object).await.map_err(Failure::Call)
        })
    }

    /// A call that takes `&mut self`. While somebody reads a stream of the object, it cannot be had.
    pub fn exclusive<T, E, F, C>(
        &self,
        call: C,
    ) -> Run<W::Module, impl Future<Output = Result<T, Failure<E>>> + Send + use<W, T, E, F, C>>
    where
        C: FnOnce(Exclusive<W>) -> F + Send,
        F: Future<Output = Result<T, E>> + Send,
        E: IntoException<W::Module>,
    {
        let (place, streams, closing) = (self.place(), self.streams(), Arc::clone(&self.closing));
        Run::queued(W::NAME, async move {
            let is_closing = closing.load(Ordering::SeqCst);
            let guard = turn(async {
                if is_closing || streams.are_open() {
                    return None;
                }
                Some(place.write_owned().await)
            });
            let guard = guard.await;
            let guard = guard.ok_or(if is_closing {
                Failure::Closed
            } else {
                Failure::Reentered
            })?;
            let object = OwnedRwLockWriteGuard::try_map(guard, |object| object.as_mut().map(InContext::get_mut));
            let object = object.map_err(|_| Failure::Closed)?;
            call(Exclusive(object)).await.map_err(Failure::Call)
        })
    }

    /// A close that takes `&self`. It runs beside the calls that were begun before it, which may wait for what it ends; when they
    /// are done too, the object is dropped. Calls that are begun after it fail. Streams that are being read end. `again` is what
    /// it gives where the object is closed already; without it that is an error.
    ///
    /// Closing is not undone by dropping its future.
    pub fn close<T, E, F, C>(
        &self,
        again: Option<T>,
        call: C,
    ) -> Run<W::Module, impl Future<Output = Result<T, Failure<E>>> + Send + use<W, T, E, F, C>>
    where
        C: FnOnce(Shared<W>) -> F + Send,
        F: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: IntoException<W::Module> + Send,
    {
        let (place, streams, closing) = (self.place(), self.streams(), Arc::clone(&self.closing));
        Run::queued(W::NAME, async move {
            let leaving = Leaving::<W>(Arc::clone(&place));
            let object = turn(async {
                streams.end();
                if closing.swap(true, Ordering::SeqCst) {
                    return None;
                }
                Shared::of(Arc::clone(&place).read_owned().await)
            });
            let outcome = match object.await {
                Some(object) => call(object).await.map_err(Failure::Call),
                None => again.ok_or(Failure::Closed),
            };
            drop(place.write().await.take());
            drop(leaving);
            outcome
        })
    }

    /// A call that ends the object: it gets the object itself, once the calls before it are done. Streams of it that are being
    /// read end with it. `again` is what it gives where the object is ended already; without it that is an error.
    pub fn end<T, E, F, C>(
        &self,
        again: Option<T>,
        call: C,
    ) -> Run<W::Module, impl Future<Output = Result<T, Failure<E>>> + Send + use<W, T, E, F, C>>
    where
        C: FnOnce(W::Object) -> F + Send,
        F: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: IntoException<W::Module>,
    {
        self.ending(again, false, call)
    }

    /// The end of a scope. As [`Mirror::end`], but whoever leaves a scope has left it: if the call is cancelled before it has the
    /// object, that ends by being dropped.
    pub fn leave<E, F, C>(
        &self,
        call: C,
    ) -> Run<W::Module, impl Future<Output = Result<(), Failure<E>>> + Send + use<W, E, F, C>>
    where
        C: FnOnce(W::Object) -> F + Send,
        F: Future<Output = Result<(), E>> + Send,
        E: IntoException<W::Module>,
    {
        self.ending(Some(()), true, call)
    }

    fn ending<T, E, F, C>(
        &self,
        again: Option<T>,
        leaves: bool,
        call: C,
    ) -> Run<W::Module, impl Future<Output = Result<T, Failure<E>>> + Send + use<W, T, E, F, C>>
    where
        C: FnOnce(W::Object) -> F + Send,
        F: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: IntoException<W::Module>,
    {
        let (place, streams) = (self.place(), self.streams());
        Run::queued(W::NAME, async move {
            let leaving = leaves.then(|| Leaving::<W>(Arc::clone(&place)));
            let guard = turn(async {
                streams.end();
                place.write_owned().await
            });
            let object = guard.await.take();
            drop(leaving);
            match object {
                Some(object) => call(object.into_inner()).await.map_err(Failure::Call),
                None => again.ok_or(Failure::Closed),
            }
        })
    }

    /// A member that never blocks: it runs in place.
    ///
    /// # Errors
    /// What it fails with; the module's exception for an object that is ended, or that is in the middle of an exclusive call.
    pub fn direct<T, E>(&self, py: Python<'_>, call: impl FnOnce(&W::Object) -> Result<T, E> + Send) -> PyResult<T>
    where
        T: Send,
        E: IntoException<W::Module> + Send,
    {
        let (place, closing) = (self.place(), &self.closing);
        let ran = py.detach(|| {
            Ran::of(|| {
                if closing.load(Ordering::SeqCst) {
                    return Err(Failure::Closed);
                }
                let object = place.try_read().map_err(|_| Failure::Reentered)?;
                let object = object.as_ref().ok_or(Failure::Closed)?;
                catch(|| call(object.get()))
            })
        });
        ran.raise::<W>()
    }
}

/// Ends the object of a scope that is left, as soon as no call has it, if that has not happened.
struct Leaving<W: Wrapper<Object: Sync>>(Arc<Place<W>>);

impl<W: Wrapper<Object: Sync>> Drop for Leaving<W> {
    fn drop(&mut self) {
        if let Ok(mut object) = self.0.try_write() {
            drop(object.take());
        } else if let Ok(handle) = Driver::shared().handle() {
            let place = Arc::clone(&self.0);
            handle.spawn(async move { drop(place.write().await.take()) });
        }
    }
}

/// The object is dropped without the GIL: its end may wait for a thread that wants it.
impl<W: Wrapper<Object: Sync>> Drop for Mirror<W> {
    fn drop(&mut self) {
        let mut place = self.place.take();
        // Without an interpreter (it is about to end) there is no GIL to let go of, and the object is dropped below.
        let _ = Python::try_attach(|py| {
            // What runs has the place too, and drops the object where it ends.
            if place.as_ref().is_some_and(|place| Arc::strong_count(place) == 1) {
                py.detach(|| drop(place.take()));
            }
        });
        drop(place);
    }
}
