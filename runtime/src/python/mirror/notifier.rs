//! The way of results into the thread of an event loop: one notifier for each loop, which hands them over in batches.
//!
//! A thread of the runtime never takes the GIL: it would wait for it while other tasks wait for the thread, and while the
//! interpreter ends it must not.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyNotImplementedError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::{MutexExt, PyOnceLock};
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

use super::super::finalizer::finalize;
#[cfg(unix)]
use super::super::wakeup::Wakeup;
#[cfg(unix)]
use super::super::watching::watch;
use crate::error::drop_guarded;
use crate::twin::Driver;

/// Makes a result a Python object, or an exception that can come out of an `await`.
pub(super) type Finish = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// How long one callback of a loop may wake coroutines.
const BUDGET: Duration = Duration::from_micros(300);

/// The notifiers of the process: a `WeakKeyDictionary` by event loop.
static NOTIFIERS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Where a coroutine waits for a result, until it has it or gives up.
///
/// The task that runs for it has this and not the future itself: a thread without the GIL has nothing of Python to drop.
pub(super) struct Waiting(Mutex<Stage>);

enum Stage {
    /// The future of an event loop that wakes the coroutine.
    Awaited(Py<PyAny>),
    /// The result, which is the coroutine's to take: until then nobody has it.
    Come(Finish),
    Over,
}

impl Waiting {
    pub(super) fn new(future: Py<PyAny>) -> Self {
        Self(Mutex::new(Stage::Awaited(future)))
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Stage> {
        self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// Has another future of the same loop wait, and gives its iterator; `None` if the result is there already.
    pub(super) fn renew(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let first = match &*self.lock(py) {
            Stage::Awaited(future) => future.clone_ref(py),
            _ => return Ok(None),
        };
        // No lock is held while Python code runs.
        let event_loop = first.call_method0(py, intern!(py, "get_loop"))?;
        let second = event_loop.call_method0(py, intern!(py, "create_future"))?;
        let waiter = second.call_method0(py, intern!(py, "__await__"))?;
        let replaced = match &mut *self.lock(py) {
            Stage::Awaited(future) => std::mem::replace(future, second),
            _ => return Ok(None),
        };
        drop(replaced);
        Ok(Some(waiter))
    }

    /// Whether the coroutine waits, and nothing has happened that it could go on with.
    pub(super) fn is_pending(&self, py: Python<'_>) -> bool {
        let future = match &*self.lock(py) {
            Stage::Awaited(future) => future.clone_ref(py),
            _ => return false,
        };
        !is_done(future.bind(py))
    }

    /// Whether somebody waits. Asked without the GIL, too.
    pub(super) fn is_awaited(&self) -> bool {
        let stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(&*stage, Stage::Awaited(_))
    }

    /// The result, if it has come: the coroutine has it now.
    pub(super) fn take(&self, py: Python<'_>) -> Option<Finish> {
        let mut stage = self.lock(py);
        match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Come(finish) => Some(finish),
            other => {
                *stage = other;
                None
            }
        }
    }

    /// The result has come: wakes the coroutine, if it waits.
    fn wake(&self, py: Python<'_>, finish: Finish) {
        let mut stage = self.lock(py);
        let future = match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Awaited(future) => {
                *stage = Stage::Come(finish);
                drop(stage);
                future
            }
            other => {
                *stage = other;
                drop(stage);
                return lose(py, finish);
            }
        };
        let future = future.bind(py);
        // A future that is done was cancelled: the coroutine hears of that.
        if !is_done(future)
            && let Err(exception) = future.call_method1(intern!(py, "set_result"), (py.None(),))
        {
            exception.write_unraisable(py, Some(future));
        }
    }

    /// Nobody waits any more.
    pub(super) fn forget(&self, py: Python<'_>) {
        let stage = std::mem::replace(&mut *self.lock(py), Stage::Over);
        if let Stage::Come(finish) = stage {
            lose(py, finish);
        }
    }
}

fn is_done(future: &Bound<'_, PyAny>) -> bool {
    let done = future.call_method0(intern!(future.py(), "done"));
    done.and_then(|done| done.is_truthy()).unwrap_or(true)
}

struct Completion {
    waiting: Arc<Waiting>,
    finish: Finish,
}

/// Hands completions over to the thread of one event loop.
///
/// The loop watches a [`Wakeup`], which is written to if the loop was not told yet. The loop's
/// selector holds the only reference to what it calls, a [`Drain`]: when the loop is closed, that is dropped, and the
/// notifier knows. A loop that watches no descriptors is called by `call_soon_threadsafe`.
pub(super) struct Notifier {
    event_loop: Py<PyWeakrefReference>,
    /// The process in which it was made: a fork has the descriptor too, and the loop of its parent reads from it.
    process: u32,
    pending: Mutex<Pending>,
    closed: AtomicBool,
    #[cfg(unix)]
    wakeup: Option<Wakeup>,
}

#[derive(Default)]
struct Pending {
    done: VecDeque<Completion>,
    /// Whether the loop was told that there is something, and has not looked yet.
    told: bool,
}

impl Notifier {
    /// The notifier of an event loop, made when it is first asked for, in the thread of that loop.
    pub(super) fn of(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        let py = event_loop.py();
        let notifiers = NOTIFIERS.get_or_try_init(py, || {
            let class = py.import("weakref")?.getattr("WeakKeyDictionary")?;
            PyResult::Ok(class.call0()?.unbind())
        })?;
        let notifiers = notifiers.bind(py);
        let known = notifiers.call_method1(intern!(py, "get"), (event_loop,))?;
        if let Ok(handle) = known.cast::<Handle>()
            && handle.get().0.is_usable()
        {
            return Ok(Arc::clone(&handle.get().0));
        }
        let notifier = Self::watched(event_loop)?;
        notifiers.set_item(event_loop, Handle(Arc::clone(&notifier)))?;
        Ok(notifier)
    }

    fn is_usable(&self) -> bool {
        !self.closed.load(Ordering::SeqCst) && self.process == std::process::id()
    }

    fn make(event_loop: &Bound<'_, PyAny>, #[cfg(unix)] wakeup: Option<Wakeup>) -> PyResult<Arc<Self>> {
        Ok(Arc::new(Self {
            event_loop: PyWeakrefReference::new(event_loop)?.unbind(),
            process: std::process::id(),
            pending: Mutex::default(),
            closed: AtomicBool::new(false),
            #[cfg(unix)]
            wakeup,
        }))
    }

    #[cfg(unix)]
    fn watched(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        let py = event_loop.py();
        let wakeup = Wakeup::new()?;
        let descriptor = wakeup.descriptor();
        let notifier = Self::make(event_loop, Some(wakeup))?;
        let drain = Bound::new(py, Drain(Arc::clone(&notifier)))?;
        match watch(event_loop, descriptor, drain.into_any()) {
            Ok(()) => Ok(notifier),
            // It watches no descriptors.
            Err(exception) if exception.is_instance_of::<PyNotImplementedError>(py) => Self::make(event_loop, None),
            Err(exception) => Err(exception),
        }
    }

    #[cfg(not(unix))]
    fn watched(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        Self::make(event_loop)
    }

    /// Hands a result over; it is dropped if the loop is closed. Called without the GIL, on the runtime.
    pub(super) fn deliver(self: &Arc<Self>, waiting: Arc<Waiting>, finish: Finish) {
        let completion = Completion { waiting, finish };
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if self.closed.load(Ordering::SeqCst) {
            drop(pending);
            drop_guarded(completion.finish);
            return;
        }
        pending.done.push_back(completion);
        let was_told = std::mem::replace(&mut pending.told, true);
        drop(pending);
        if !was_told {
            self.tell();
        }
    }

    /// Tells the loop that there is something.
    fn tell(self: &Arc<Self>) {
        #[cfg(unix)]
        if let Some(wakeup) = &self.wakeup {
            wakeup.write();
            return;
        }
        // A thread that may wait for the GIL.
        let notifier = Arc::clone(self);
        let driver = Driver::shared();
        if let Ok(handle) = driver.handle() {
            handle.spawn_blocking(move || {
                Python::try_attach(|py| {
                    let Some(event_loop) = notifier.event_loop.bind(py).upgrade() else {
                        return;
                    };
                    let told = Bound::new(py, Drain(Arc::clone(&notifier)))
                        .and_then(|drain| event_loop.call_method1(intern!(py, "call_soon_threadsafe"), (drain,)));
                    if told.is_err() {
                        notifier.close(py);
                    }
                })
            });
        }
    }

    /// Wakes those whose results have come, in the thread of the loop, for as long as one callback may take.
    fn drain(self: &Arc<Self>, py: Python<'_>) {
        #[cfg(unix)]
        if let Some(wakeup) = &self.wakeup {
            wakeup.clear();
        }
        let mut done = {
            let mut pending = self.lock(py);
            pending.told = false;
            std::mem::take(&mut pending.done)
        };
        let end = Instant::now() + BUDGET;
        while let Some(completion) = done.pop_front() {
            completion.waiting.wake(py, completion.finish);
            if Instant::now() >= end {
                break;
            }
        }
        if done.is_empty() {
            return;
        }
        // The rest, before what has been done since, in the next round of the loop.
        let mut pending = self.lock(py);
        done.append(&mut pending.done);
        pending.done = done;
        let was_told = std::mem::replace(&mut pending.told, true);
        drop(pending);
        if !was_told {
            self.tell();
        }
    }

    fn close(&self, py: Python<'_>) {
        let done = {
            let mut pending = self.lock(py);
            self.closed.store(true, Ordering::SeqCst);
            std::mem::take(&mut pending.done)
        };
        for completion in done {
            completion.waiting.forget(py);
            lose(py, completion.finish);
        }
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Pending> {
        self.pending
            .lock_py_attached(py)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops a result that nobody wants: an object of the API may be in it, which ends without the GIL.
pub(super) fn lose(py: Python<'_>, finish: Finish) {
    py.detach(|| {
        let driver = Driver::shared();
        let _context = driver.enter();
        drop_guarded(finish);
    });
}

/// A notifier as the table of loops keeps it.
#[pyclass(frozen, name = "NotifierHandle")]
struct Handle(Arc<Notifier>);

/// What an event loop calls when there is something. Its end is the loop's.
#[pyclass(frozen, name = "Drain")]
struct Drain(Arc<Notifier>);

#[pymethods]
impl Drain {
    fn __call__(&self, py: Python<'_>) {
        self.0.drain(py);
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        #[cfg(unix)]
        if self.0.wakeup.is_some() {
            finalize(|py| self.0.close(py));
        }
    }
}
