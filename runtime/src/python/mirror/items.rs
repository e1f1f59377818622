//! Streams: `async for` on an event loop, a plain iterator in the twin.
//!
//! The stream stays in a task of the runtime, since it may borrow from its object. The task reads an item when it is asked for
//! one, and none before. An item has a place, from which it is taken in the thread that asked, at the moment at which that has
//! it: what nobody took (the `async for` was cancelled while it waited) is the next one given.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};

use futures_core::Stream;
use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::prelude::*;
use tokio::sync::{Mutex as Turns, OwnedMutexGuard, mpsc, oneshot};
use tokio::task::AbortHandle;

use super::call::{Call, Work};
use super::notifier::Finish;
use super::object::{Mirror, Reader, Shared, Streams};
use super::run::{awaited, guarded, refusal, run_here};
use crate::outcome::Outcome;
use crate::python::exceptions::{Failure, IntoException, Module};
use crate::python::objects::Wrapper;
use crate::twin::Driver;

/// An item, or what reading it failed with; `None` at the end.
type Item<T, E> = Option<Result<T, Failure<E>>>;

/// Where the next item is put.
struct Place<T, E> {
    item: Option<Item<T, E>>,
    /// What the task failed with beside the items: a closed object, a panic. It says nothing if it was ended from outside.
    end: Option<oneshot::Receiver<Option<Failure<E>>>>,
}

/// The place, which belongs to whoever waits for an item until they have it or give up.
type Lent<T, E> = OwnedMutexGuard<Place<T, E>>;

/// Asks for an item: it comes back in its place.
struct Request<T, E> {
    place: Lent<T, E>,
    answer: oneshot::Sender<Lent<T, E>>,
}

/// Where the task that has the stream is asked for items.
pub struct Feeder<T, E> {
    requests: mpsc::Receiver<Request<T, E>>,
}

impl<T, E> Feeder<T, E> {
    /// Gives the items of the stream, one for each request.
    pub async fn feed<S, I>(mut self, stream: S)
    where
        S: Stream<Item = I>,
        I: Outcome<Ok = T, Error = E>,
    {
        let mut stream = pin!(stream);
        while let Some(Request { mut place, answer }) = self.requests.recv().await {
            let next = poll_fn(|context| stream.as_mut().poll_next(context)).await;
            let is_end = next.is_none();
            place.item = Some(next.map(|item| item.into_result().map_err(Failure::Call)));
            // If whoever asked has given up, the place is the next one's, with what is in it.
            drop(answer.send(place));
            if is_end {
                return;
            }
        }
    }
}

/// A stream that was described and not begun. `M` is the module whose exceptions it raises.
pub struct Items<T, E, M> {
    requests: mpsc::Sender<Request<T, E>>,
    task: Mutex<Task>,
    place: Arc<Turns<Place<T, E>>>,
    streams: Arc<Streams>,
    reader: Arc<Reader>,
    class: &'static str,
    module: std::marker::PhantomData<fn() -> M>,
}

enum Task {
    New(Pin<Box<dyn Future<Output = ()> + Send>>),
    Begun(AbortHandle),
    Ended,
}

impl<W: Wrapper<Object: Sync>> Mirror<W> {
    /// A stream of the object, which is held as by a call with `&self` until the stream ends or is dropped.
    pub fn items<T, E, F, C>(&self, call: C) -> Items<T, E, W::Module>
    where
        C: FnOnce(Shared<W>, Feeder<T, E>) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static + IntoException<W::Module>,
    {
        let (requests, receiver) = mpsc::channel(1);
        let (ending, end) = oneshot::channel();
        let feeder = Feeder { requests: receiver };
        let run = self.shared(move |object| async move {
            call(object, feeder).await;
            Ok::<(), E>(())
        });
        let task = async move {
            let outcome = guarded(run.into_future()).await;
            // It may be that nobody asks for another item.
            let _ = ending.send(outcome.err());
        };
        Items {
            requests,
            task: Mutex::new(Task::New(Box::pin(task))),
            place: Arc::new(Turns::new(Place {
                item: None,
                end: Some(end),
            })),
            streams: self.streams(),
            reader: Arc::new(Reader),
            class: W::NAME,
            module: std::marker::PhantomData,
        }
    }
}

impl<T, E, M> Items<T, E, M>
where
    T: Send + 'static,
    E: Send + 'static + IntoException<M>,
    M: Module + 'static,
{
    /// The stream for `async for`. `convert` makes an item a Python object.
    ///
    /// # Errors
    /// If the Python object can't be made.
    pub fn asynchronous<'py, C>(
        self,
        py: Python<'py>,
        name: &'static str,
        convert: C,
    ) -> PyResult<Bound<'py, AsyncItems>>
    where
        C: Fn(Python<'_>, T) -> PyResult<Py<PyAny>> + Clone + Send + Sync + 'static,
    {
        let source = Arc::new(Converted { items: self, convert });
        Bound::new(py, AsyncItems { source, name })
    }

    /// The stream as an iterator.
    ///
    /// # Errors
    /// If the Python object can't be made.
    pub fn synchronous<'py, C>(self, py: Python<'py>, convert: C) -> PyResult<Bound<'py, SyncItems>>
    where
        C: Fn(Python<'_>, T) -> PyResult<Py<PyAny>> + Clone + Send + Sync + 'static,
    {
        let source = Arc::new(Converted { items: self, convert });
        Bound::new(py, SyncItems { source })
    }

    /// Has the task run, if it does not.
    fn begin(&self) -> PyResult<()> {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Task::New(_) = &*task {
            let driver = Driver::shared();
            let handle = driver.handle().map_err(refusal)?;
            if let Task::New(future) = std::mem::replace(&mut *task, Task::Ended) {
                let handle = handle.spawn(future).abort_handle();
                self.streams.add(&self.reader, handle.clone());
                *task = Task::Begun(handle);
            }
        }
        Ok(())
    }

    /// Waits for the next item, which is in its place.
    async fn next(&self) -> PyResult<Lent<T, E>> {
        self.begin()?;
        let place = Arc::clone(&self.place).lock_owned().await;
        if place.item.is_some() {
            return Ok(place);
        }
        let (answer, read) = oneshot::channel();
        if self.requests.send(Request { place, answer }).await.is_ok()
            && let Ok(place) = read.await
        {
            return Ok(place);
        }
        // The task is over: because the stream has ended, by a failure, or because the object was closed.
        let mut place = Arc::clone(&self.place).lock_owned().await;
        let failure = match &mut place.end {
            Some(end) => end.await.unwrap_or(Some(Failure::Closed)),
            None => None,
        };
        place.end = None;
        place.item = Some(failure.map(Err));
        Ok(place)
    }
}

impl<T, E, M> Drop for Items<T, E, M> {
    fn drop(&mut self) {
        if let Task::Begun(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

/// A stream whose items become Python objects, whatever their type.
trait Source: Send + Sync {
    /// The next item, on the runtime; at the end a `StopAsyncIteration`.
    fn next_on_loop(self: Arc<Self>) -> Work;

    /// The next item, in the calling thread.
    fn next_here(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>>;
}

struct Converted<T, E, M, C> {
    items: Items<T, E, M>,
    convert: C,
}

impl<T, E, M, C> Source for Converted<T, E, M, C>
where
    T: Send + 'static,
    E: Send + 'static + IntoException<M>,
    M: Module + 'static,
    C: Fn(Python<'_>, T) -> PyResult<Py<PyAny>> + Clone + Send + Sync + 'static,
{
    fn next_on_loop(self: Arc<Self>) -> Work {
        let future = Box::pin(async move {
            let next = self.items.next().await;
            let (convert, class) = (self.convert.clone(), self.items.class);
            let finish: Finish = Box::new(move |py| {
                let item = match next?.item.take().flatten() {
                    Some(Ok(item)) => convert(py, item),
                    Some(Err(failure)) => Err(failure.into_exception::<M>(class)),
                    None => return Err(PyStopAsyncIteration::new_err(())),
                };
                item.map_err(|exception| awaited(py, exception))
            });
            finish
        });
        Work { future, queues: false }
    }

    fn next_here(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match py.detach(|| run_here(self.items.next()))??.item.take().flatten() {
            Some(Ok(item)) => (self.convert)(py, item).map(Some),
            Some(Err(failure)) => Err(failure.into_exception::<M>(self.items.class)),
            None => Ok(None),
        }
    }
}

/// A stream for `async for`.
#[pyclass(frozen, weakref, generic, name = "AsyncItems", module = "async_proxy")]
pub struct AsyncItems {
    source: Arc<dyn Source>,
    name: &'static str,
}

#[pymethods]
impl AsyncItems {
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Call>> {
        Bound::new(py, Call::new(self.name, Arc::clone(&self.source).next_on_loop()))
    }
}

/// A stream as an iterator: each item is waited for without the GIL.
#[pyclass(frozen, weakref, generic, name = "SyncItems", module = "async_proxy")]
pub struct SyncItems {
    source: Arc<dyn Source>,
}

#[pymethods]
impl SyncItems {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.source.next_here(py)
    }
}
