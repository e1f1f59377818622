//! A call that is described and not begun: awaited on an event loop, or run in the calling thread.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use super::call::{Call, Opening, Work};
use super::notifier::Finish;
use crate::python::carried;
use crate::python::exceptions::{Failure, IntoException, Module, message_of};
use crate::python::queue::raisable;
use crate::twin::{Driver, Refused, TwinError, Watch};

/// How often the main thread looks whether a signal has come in: often enough for a person at the keyboard, so seldom that it
/// costs nothing.
const LOOK: Duration = Duration::from_millis(50);

/// A call whose future exists and was not polled. `M` is the module whose exceptions it raises.
pub struct Run<M, F> {
    class: &'static str,
    future: F,
    queues: bool,
    module: PhantomData<fn() -> M>,
}

/// A call that belongs to no object: it opens one.
pub fn start<M, T, E, F, C>(call: C) -> Run<M, impl Future<Output = Result<T, Failure<E>>> + Send + use<M, T, E, F, C>>
where
    M: Module,
    C: FnOnce() -> F + Send,
    F: Future<Output = Result<T, E>> + Send,
    E: IntoException<M>,
{
    Run::new("", async move { call().await.map_err(Failure::Call) })
}

impl<M, T, E, F> Run<M, F>
where
    M: Module,
    F: Future<Output = Result<T, Failure<E>>> + Send,
    E: IntoException<M>,
{
    pub(super) fn new(class: &'static str, future: F) -> Self {
        Self {
            class,
            future,
            queues: false,
            module: PhantomData,
        }
    }

    /// One that waits for an object first: by [`turn`], before anything else.
    pub(super) fn queued(class: &'static str, future: F) -> Self {
        Self {
            queues: true,
            ..Self::new(class, future)
        }
    }

    pub(super) fn into_future(self) -> F {
        self.future
    }

    /// Runs it in the calling thread, without the GIL from its beginning to its end. In the main thread a signal whose handler
    /// raises (Ctrl-C) ends it: the future is dropped.
    ///
    /// # Errors
    /// What the call fails with, as an exception of the module; what a signal's handler raises; a `RuntimeError` in a thread in
    /// which tokio polls a task.
    pub fn twin(self, py: Python<'_>) -> PyResult<T>
    where
        T: Send,
        E: Send,
    {
        let Self { class, future, .. } = self;
        let (outcome, carried) = py.detach(|| carried::collect(|| run_here(guarded(future))));
        match outcome? {
            Ok(value) => Ok(value),
            Err(failure) => Err(carried.unwrap_or_else(|| failure.into_exception::<M>(class))),
        }
    }

    /// An awaitable of it. `convert` makes the result a Python object, in the thread of the event loop.
    ///
    /// # Errors
    /// If the awaitable can't be made.
    pub fn awaitable<'py, C>(self, py: Python<'py>, name: &'static str, convert: C) -> PyResult<Bound<'py, Call>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: 'static,
        M: 'static,
        C: FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        Bound::new(py, Call::new(name, self.into_work(convert)))
    }

    /// An awaitable of an object, which may also be entered: `async with client.transaction() as transaction`.
    ///
    /// # Errors
    /// If the awaitable can't be made.
    pub fn opening<'py, C>(self, py: Python<'py>, name: &'static str, convert: C) -> PyResult<Bound<'py, Opening>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: 'static,
        M: 'static,
        C: FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        Bound::new(py, Opening::new(name, self.into_work(convert)))
    }

    fn into_work<C>(self, convert: C) -> Work
    where
        T: Send + 'static,
        E: Send + 'static,
        F: 'static,
        M: 'static,
        C: FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        let Self {
            class, future, queues, ..
        } = self;
        let future = Box::pin(async move {
            let outcome = guarded(future).await;
            let finish: Finish = Box::new(move |py: Python<'_>| {
                let object = match outcome {
                    Ok(value) => convert(py, value),
                    Err(failure) => Err(failure.into_exception::<M>(class)),
                };
                object.map_err(|exception| awaited(py, exception))
            });
            finish
        });
        Work { future, queues }
    }
}

/// Waits in a fair queue. The first poll takes the place in it, and nothing else: it gives nothing even if there is nobody
/// before, so that what comes after it runs where the future is polled next.
pub(super) async fn turn<T>(place: impl Future<Output = T>) -> T {
    let mut place = pin!(place);
    let mut had = None;
    let mut is_first = true;
    poll_fn(|context| {
        if had.is_none()
            && let Poll::Ready(guard) = place.as_mut().poll(context)
        {
            had = Some(guard);
        }
        if std::mem::take(&mut is_first) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        had.take().map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// Runs a future in the calling thread, which looks after its signals meanwhile. Called without the GIL.
pub(super) fn run_here<F: Future>(future: F) -> PyResult<F::Output> {
    let mut is_main = None;
    let mut ask = || {
        if is_main == Some(false) {
            return None;
        }
        Python::attach(|py| {
            let outcome = py.check_signals().and_then(|()| match is_main {
                Some(_) => Ok(()),
                // Signals come to the main thread alone: another one need not ask again. This runs Python code, in which the
                // handler of a signal may raise, too.
                None => is_main_thread(py).map(|answer| is_main = Some(answer)),
            });
            outcome.err()
        })
    };
    let watch = Watch {
        every: LOOK,
        ask: &mut ask,
    };
    Driver::shared()
        .run_watched(|| future, Some(watch))
        .unwrap_or_else(|refused| Err(refusal(refused)))
}

/// The exception as it comes out of an `await`: itself, unless it would be taken for the end of what awaits.
pub(super) fn awaited(py: Python<'_>, exception: PyErr) -> PyErr {
    PyErr::from_value(raisable(py, exception).into_any())
}

/// What is raised for a future that was not run.
pub(super) fn refusal(refused: Refused) -> PyErr {
    let error: TwinError<Infallible> = refused.into();
    PyRuntimeError::new_err(match &error {
        TwinError::OnRuntime => {
            "a blocking twin was called in a thread that runs tasks of tokio, and would hold them up while \
                                 it waits: call it in another thread, or await the method without `_sync`"
                .to_owned()
        }
        _ => error.to_string(),
    })
}

fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import(intern!(py, "threading"))?;
    let here = threading.call_method0(intern!(py, "get_ident"))?;
    let main = threading.call_method0(intern!(py, "main_thread"))?;
    here.eq(main.getattr(intern!(py, "ident"))?)
}

/// A future whose panic is a failure.
pub(super) async fn guarded<T, E>(future: impl Future<Output = Result<T, Failure<E>>>) -> Result<T, Failure<E>> {
    let mut future = pin!(future);
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Err(Failure::Panicked(message_of(&*panic)))))
    })
    .await
}
