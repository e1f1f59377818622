//! The awaitables: coroutines, as Python's own `async def` gives them.
//!
//! One that is cancelled ends when its future is dropped, and not before: what the program does then comes behind whatever the
//! future does at its end. It is waited for as a coroutine waits in an `except` block; cancelled again, it ends at once.
//!
//! A result becomes a Python object where the coroutine ends. One that comes too late, or is cancelled when it is about to be
//! taken, is nobody's, and dropped without the GIL.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use pyo3::exceptions::{PyGeneratorExit, PyRuntimeError, PyRuntimeWarning, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::{MutexExt, PyOnceLock};
use pyo3::types::PyType;
use tokio::task::AbortHandle;

use super::super::finalizer::finalize;
use super::notifier::{Finish, Notifier, Waiting, lose};
use super::run::refusal;
use crate::error::drop_guarded;
use crate::twin::Driver;

/// What an awaitable runs: a future that was not polled. It gives what makes its result a Python object.
pub(super) struct Work {
    /// The future.
    pub(super) future: Pin<Box<dyn Future<Output = Finish> + Send>>,
    /// Whether its first poll does nothing but take its place in the queue for an object, and is woken from at once.
    pub(super) queues: bool,
}

/// What an awaitable is at.
enum State {
    /// Nobody has awaited it.
    New(Work),
    /// Its future runs, and the loop waits.
    Running(Running),
    /// It has given its result.
    Done,
}

struct Running {
    /// The iterator of the loop's future.
    waiter: Py<PyAny>,
    waiting: Arc<Waiting>,
    task: AbortHandle,
    /// What it was cancelled with: it ends with that once its future is dropped.
    cancelled: Option<PyErr>,
}

impl Running {
    /// Waits for it as the loop does: gives what the loop is to wait for, or its end.
    fn step(&self, py: Python<'_>, sent: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let waiter = self.waiter.bind(py);
        let yielded = match sent {
            Some(value) => waiter.call_method1(intern!(py, "send"), (value,)),
            None => waiter.call_method0(intern!(py, "__next__")),
        };
        yielded.map(Bound::unbind)
    }
}

/// A future of the runtime whose end, of whatever kind, is told to the loop.
struct Delivery {
    /// Taken where it ends.
    future: Option<Pin<Box<dyn Future<Output = Finish> + Send>>>,
    notifier: Arc<Notifier>,
    waiting: Arc<Waiting>,
}

impl Future for Delivery {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(future) = &mut self.future {
            let finish = ready!(future.as_mut().poll(context));
            self.future = None;
            self.notifier.deliver(Arc::clone(&self.waiting), finish);
        }
        Poll::Ready(())
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(future) = self.future.take() {
            drop_guarded(future);
            if self.waiting.is_awaited() {
                let finish = Box::new(|py: Python<'_>| Ok(py.None()));
                self.notifier.deliver(Arc::clone(&self.waiting), finish);
            }
        }
    }
}

/// What both awaitables are: a coroutine that is begun when it is first awaited.
struct Coroutine {
    name: &'static str,
    state: Mutex<State>,
}

impl Coroutine {
    fn new(name: &'static str, work: Work) -> Self {
        Self {
            name,
            state: Mutex::new(State::New(work)),
        }
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, State> {
        self.state.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the state out: no lock is held while Python code runs.
    fn take(&self, py: Python<'_>) -> State {
        std::mem::replace(&mut *self.lock(py), State::Done)
    }

    fn step(&self, py: Python<'_>, sent: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let mut running = match self.take(py) {
            State::New(work) => begin(py, work)?,
            // The loop goes on with it when there is something to go on with: this is another task.
            State::Running(running) if running.waiting.is_pending(py) => {
                *self.lock(py) = State::Running(running);
                return Err(PyRuntimeError::new_err(format!(
                    "coroutine '{}' is being awaited already: call it once for each task",
                    self.name
                )));
            }
            State::Running(running) => running,
            State::Done => {
                return Err(PyRuntimeError::new_err(format!(
                    "cannot reuse already awaited coroutine '{}': call it again",
                    self.name
                )));
            }
        };
        if let Some(finish) = running.waiting.take(py) {
            return Err(match running.cancelled.take() {
                Some(reason) => {
                    lose(py, finish);
                    reason
                }
                None => finish(py).map_or_else(|exception| exception, |object| PyStopIteration::new_err((object,))),
            });
        }
        match running.step(py, sent) {
            Ok(yielded) => {
                *self.lock(py) = State::Running(running);
                Ok(yielded)
            }
            Err(end) => {
                running.task.abort();
                running.waiting.forget(py);
                Err(running.cancelled.take().unwrap_or(end))
            }
        }
    }

    /// An exception comes in where the coroutine waits: what it waits for is cancelled.
    fn throw(&self, py: Python<'_>, arguments: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<Py<PyAny>> {
        match self.take(py) {
            State::Running(running) => {
                running.task.abort();
                let thrown = running.waiter.call_method1(py, intern!(py, "throw"), arguments);
                let is_first = running.cancelled.is_none();
                match thrown {
                    Err(reason) if is_first && !reason.is_instance_of::<PyGeneratorExit>(py) => {
                        self.wait_for_the_end(py, running, reason)
                    }
                    ended => {
                        running.waiting.forget(py);
                        ended
                    }
                }
            }
            State::New(work) => {
                drop(work);
                Err(thrown(arguments)?)
            }
            State::Done => Err(thrown(arguments)?),
        }
    }

    /// Waits until the future that was cancelled is dropped, unless it has come to its end before that.
    fn wait_for_the_end(&self, py: Python<'_>, running: Running, reason: PyErr) -> PyResult<Py<PyAny>> {
        let Ok(Some(waiter)) = running.waiting.renew(py) else {
            running.waiting.forget(py);
            return Err(reason);
        };
        let running = Running {
            waiter,
            cancelled: Some(reason),
            ..running
        };
        let yielded = running.step(py, None)?;
        *self.lock(py) = State::Running(running);
        Ok(yielded)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if let State::Running(running) = self.take(py) {
            running.task.abort();
            running.waiting.forget(py);
            running.waiter.call_method0(py, intern!(py, "close"))?;
        }
        Ok(())
    }
}

impl Drop for Coroutine {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(state, State::Done) {
            State::Running(running) => {
                running.task.abort();
                finalize(|py| running.waiting.forget(py));
            }
            State::New(work) => {
                drop(work);
                finalize(|py| warn(py, self.name));
            }
            State::Done => {}
        }
    }
}

fn warn(py: Python<'_>, name: &str) {
    let text = format!("coroutine '{name}' was never awaited");
    let Ok(text) = std::ffi::CString::new(text) else { return };
    if let Err(raised) = PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &text, 1) {
        raised.write_unraisable(py, None);
    }
}

/// Starts a future on the runtime, and makes the loop's own that its result goes to.
///
/// Threads of the runtime take up new tasks in any order: the place in an object's queue is taken here, in the thread of the
/// loop, where calls are begun one after the other. No sooner: a call that nobody awaits would hold up those behind it.
fn begin(py: Python<'_>, work: Work) -> PyResult<Running> {
    let Work { mut future, queues } = work;
    static RUNNING_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let running_loop = RUNNING_LOOP.get_or_try_init(py, || {
        PyResult::Ok(py.import("asyncio")?.getattr("get_running_loop")?.unbind())
    })?;
    let event_loop = running_loop.bind(py).call0()?;
    let notifier = Notifier::of(&event_loop)?;
    let result = event_loop.call_method0(intern!(py, "create_future"))?;
    let waiter = result.call_method0(intern!(py, "__await__"))?.unbind();
    let waiting = Arc::new(Waiting::new(result.unbind()));
    let driver = Driver::shared();
    let handle = driver.handle().map_err(refusal)?;
    if queues {
        // It is polled again by its task: nobody need be woken.
        let first = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        debug_assert!(first.is_pending(), "the first poll only takes a place in a queue");
    }
    let task = handle.spawn(Delivery {
        future: Some(future),
        notifier,
        waiting: Arc::clone(&waiting),
    });
    Ok(Running {
        waiter,
        waiting,
        task: task.abort_handle(),
        cancelled: None,
    })
}

/// The exception that `throw` was called with, in either of its forms.
fn thrown(arguments: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<PyErr> {
    let first = arguments.get_item(0)?;
    let exception = match (first.cast::<PyType>(), arguments.get_item(1)) {
        (Ok(class), Ok(value)) if !value.is_none() => {
            if value.is_instance(class)? {
                value
            } else {
                class.call1((value,))?
            }
        }
        (Ok(class), _) => class.call0()?,
        (Err(_), _) => first,
    };
    Ok(PyErr::from_value(exception))
}

/// The awaitable of a call: a coroutine, which begins when it is first awaited, in whatever loop that is.
#[pyclass(frozen, weakref, name = "Call", module = "async_proxy")]
pub struct Call(Coroutine);

impl Call {
    pub(super) fn new(name: &'static str, work: Work) -> Self {
        Self(Coroutine::new(name, work))
    }
}

#[pymethods]
impl Call {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.0.step(py, None)
    }

    #[pyo3(signature = (value, /))]
    fn send(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.0.step(py, Some(value).filter(|value| !value.is_none()))
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, py: Python<'_>, arguments: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<Py<PyAny>> {
        self.0.throw(py, arguments)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.0.close(py)
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        self.0.name.rsplit('.').next().unwrap_or(self.0.name)
    }

    #[getter]
    fn __qualname__(&self) -> &'static str {
        self.0.name
    }

    fn __repr__(&self) -> String {
        format!("<coroutine {}>", self.0.name)
    }
}

/// The awaitable of an object, which may be entered at once: `async with client.transaction() as transaction`.
#[pyclass(frozen, weakref, generic, subclass, name = "Opening", module = "async_proxy")]
pub struct Opening {
    coroutine: Coroutine,
    /// What it gave, for the end of the scope.
    opened: PyOnceLock<Py<PyAny>>,
}

impl Opening {
    pub(super) fn new(name: &'static str, work: Work) -> Self {
        Self {
            coroutine: Coroutine::new(name, work),
            opened: PyOnceLock::new(),
        }
    }

    fn step(&self, py: Python<'_>, sent: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let yielded = self.coroutine.step(py, sent);
        if let Err(end) = &yielded
            && end.is_instance_of::<PyStopIteration>(py)
        {
            let opened = end.value(py).getattr(intern!(py, "value"))?;
            // It gives a result once.
            let _ = self.opened.set(py, opened.unbind());
        }
        yielded
    }
}

#[pymethods]
impl Opening {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.step(py, None)
    }

    #[pyo3(signature = (value, /))]
    fn send(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.step(py, Some(value).filter(|value| !value.is_none()))
    }

    #[pyo3(signature = (*arguments))]
    fn throw(&self, py: Python<'_>, arguments: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<Py<PyAny>> {
        self.coroutine.throw(py, arguments)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.coroutine.close(py)
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        self.coroutine.name.rsplit('.').next().unwrap_or(self.coroutine.name)
    }

    #[getter]
    fn __qualname__(&self) -> &'static str {
        self.coroutine.name
    }

    fn __repr__(&self) -> String {
        format!("<coroutine {}>", self.coroutine.name)
    }

    /// Opens the object: awaiting that is awaiting the coroutine itself.
    fn __aenter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (exc_type, exc_value, traceback, /))]
    fn __aexit__<'py>(
        &self,
        py: Python<'py>,
        exc_type: &Bound<'py, PyAny>,
        exc_value: &Bound<'py, PyAny>,
        traceback: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let opened = self
            .opened
            .get(py)
            .ok_or_else(|| PyRuntimeError::new_err("this scope was never entered: use it in `async with`"))?;
        let arguments = (exc_type, exc_value, traceback);
        opened.bind(py).call_method1(intern!(py, "__aexit__"), arguments)
    }
}

/// An awaitable that is ready: it gives an object without waiting.
#[pyclass(frozen, name = "Ready", module = "async_proxy")]
pub struct Ready(Py<PyAny>);

impl Ready {
    /// Of that object.
    pub fn new(object: Py<PyAny>) -> Self {
        Self(object)
    }
}

#[pymethods]
impl Ready {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Err(PyStopIteration::new_err((self.0.clone_ref(py),)))
    }
}
