//! What the caller of a queued call awaits.
//!
//! Most calls are done within microseconds, and whoever awaits one then finds its value here. A future of the event loop is
//! made where there is something for it to do: somebody has to wait, or is to be told of an error.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::{MutexExt, PyOnceLock};
use pyo3::types::{PyCFunction, PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit, intern};

use super::items::{Look, NativeQueue};
use super::notifier::{Notifier, raisable};
use super::others::Turn;
use super::steps::{Items, Steps};

/// A call that is queued, or was run. Await it, also more than once, or make a task of it; whoever cancels that cancels the
/// call.
#[pyclass(frozen, generic, name = "Call")]
pub struct AwaitedCall {
    outcome: Mutex<Outcome>,
    /// Whether its error is raised elsewhere too.
    is_silent: AtomicBool,
    /// Whether its end was looked for.
    is_looked_for: AtomicBool,
    /// Which turn the event loop should have before its value is handed out.
    owed_turn: AtomicU8,
    /// Where a native call was put in.
    place: Option<Place>,
    /// What cancels it.
    worker: Py<PyAny>,
    /// Its steps, where it is itself used as a coroutine.
    steps: Mutex<Option<Py<Steps>>>,
}

const NO_TURN: u8 = 0;
const TURN: u8 = 1;
/// One after which the result is looked for.
const TURN_AND_LOOK: u8 = 2;

struct Place {
    queue: Py<NativeQueue>,
    notifier: Arc<Notifier>,
}

enum Outcome {
    /// It is not there yet.
    Ahead,
    Value(Py<PyAny>),
    /// The future for it, done or not.
    Future(Py<PyAny>),
}

impl AwaitedCall {
    /// A native call that is about to be put in.
    pub(super) fn queued(queue: Py<NativeQueue>, notifier: Arc<Notifier>, worker: Py<PyAny>) -> Self {
        Self {
            place: Some(Place { queue, notifier }),
            ..Self::of(Outcome::Ahead, worker)
        }
    }

    /// A call that was done in place, where it was made. Nothing tells one of those behind which the loop is owed no turn from
    /// another: one of them is enough.
    pub(super) fn done(
        queue: &Bound<'_, NativeQueue>,
        notifier: Arc<Notifier>,
        worker: &Bound<'_, PyAny>,
    ) -> PyResult<Py<Self>> {
        static DONE: PyOnceLock<Py<AwaitedCall>> = PyOnceLock::new();
        let py = queue.py();
        let done = |worker| Self {
            is_looked_for: AtomicBool::new(true),
            ..Self::of(Outcome::Value(py.None()), worker)
        };
        if !notifier.wants_turn() {
            // There is nothing to be cancelled.
            let done = DONE.get_or_try_init(py, || Py::new(py, done(py.None())));
            return done.map(|done| done.clone_ref(py));
        }
        let queue = queue.clone().unbind();
        let owing = Self {
            place: Some(Place { queue, notifier }),
            owed_turn: AtomicU8::new(TURN),
            ..done(worker.clone().unbind())
        };
        Py::new(py, owing)
    }

    /// A call for whose result there is a future.
    pub(super) fn with_future(future: Py<PyAny>, worker: Py<PyAny>) -> Self {
        Self::of(Outcome::Future(future), worker)
    }

    fn of(outcome: Outcome, worker: Py<PyAny>) -> Self {
        Self {
            outcome: Mutex::new(outcome),
            is_silent: AtomicBool::new(false),
            is_looked_for: AtomicBool::new(false),
            owed_turn: AtomicU8::new(NO_TURN),
            place: None,
            worker,
            steps: Mutex::default(),
        }
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Outcome> {
        self.outcome
            .lock_py_attached(py)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_steps(&self, py: Python<'_>) -> MutexGuard<'_, Option<Py<Steps>>> {
        self.steps.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// Its value, if that is there.
    pub(super) fn value(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match &*self.lock(py) {
            Outcome::Value(value) => Some(value.clone_ref(py)),
            Outcome::Ahead | Outcome::Future(_) => None,
        }
    }

    /// The future for it, if there is one.
    fn present_future<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        match &*self.lock(py) {
            Outcome::Future(future) => Some(future.bind(py).clone()),
            Outcome::Ahead | Outcome::Value(_) => None,
        }
    }

    /// Whether it is done, or cancelled.
    pub(super) fn is_done(&self, py: Python<'_>) -> bool {
        let future = match &*self.lock(py) {
            Outcome::Ahead => return false,
            Outcome::Value(_) => return true,
            Outcome::Future(future) => future.bind(py).clone(),
        };
        is_done(&future)
    }

    /// The address of the future for it, or 0.
    pub(super) fn address_of_future(&self, py: Python<'_>) -> usize {
        match &*self.lock(py) {
            Outcome::Future(future) => future.as_ptr().addr(),
            Outcome::Ahead | Outcome::Value(_) => 0,
        }
    }

    /// The future for its result, which is made if there is none.
    pub(super) fn future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(future) = self.present_future(py) {
            return Ok(future);
        }
        let future = self.new_future(py)?;
        let before = {
            let mut outcome = self.lock(py);
            // Another thread may have made one meanwhile.
            if let Outcome::Future(present) = &*outcome {
                return Ok(present.bind(py).clone());
            }
            std::mem::replace(&mut *outcome, Outcome::Future(future.clone().unbind()))
        };
        if let Outcome::Value(value) = before {
            future.call_method1(intern!(py, "set_result"), (value,))?;
        }
        Ok(future)
    }

    fn new_future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let event_loop = self.place.as_ref().and_then(|place| place.notifier.event_loop(py));
        let event_loop = event_loop.ok_or_else(|| {
            PyRuntimeError::new_err("the event loop in which this call was made is gone: make it again")
        })?;
        event_loop.call_method0(intern!(py, "create_future"))
    }

    /// Takes the outcome over, in the thread of the event loop.
    pub(super) fn settle(&self, py: Python<'_>, outcome: PyResult<Option<Py<PyAny>>>) -> PyResult<()> {
        if let Some(future) = self.present_future(py) {
            settle(&future, outcome)?;
            // It may have been made after the call was silenced.
            return if self.is_silent.load(Ordering::Relaxed) {
                look_at(&future)
            } else {
                Ok(())
            };
        }
        match outcome {
            Ok(value) => {
                *self.lock(py) = Outcome::Value(value.unwrap_or_else(|| py.None()));
                Ok(())
            }
            Err(_) => {
                // It tells of an error that nobody ever looked at.
                let future = self.future(py)?;
                settle(&future, outcome)?;
                if self.is_silent.load(Ordering::Relaxed) {
                    look_at(&future)?;
                }
                Ok(())
            }
        }
    }

    /// Looks for its end for a moment, once.
    pub(super) fn look(&self, py: Python<'_>) {
        if let Some(place) = &self.place
            && !self.is_looked_for.swap(true, Ordering::Relaxed)
        {
            let turn = match place.queue.get().finish_soon(py, &place.notifier, self) {
                Look::No | Look::Done { wants_turn: false } => return,
                Look::Done { wants_turn: true } => TURN,
                Look::AfterTurn => TURN_AND_LOOK,
            };
            self.owed_turn.store(turn, Ordering::Relaxed);
        }
    }

    /// The turn that the event loop should have before its value is handed out, if it should have one. It is had once.
    pub(super) fn take_turn(&self, py: Python<'_>) -> Option<Turn> {
        let place = self.place.as_ref()?;
        match self.owed_turn.swap(NO_TURN, Ordering::Relaxed) {
            NO_TURN => None,
            turn => Some(Turn::begin(py, &place.notifier, turn == TURN_AND_LOOK)),
        }
    }

    /// Ends the turn.
    pub(super) fn end_turn(&self, py: Python<'_>, turn: Turn) {
        let looked = turn.looks();
        let is_done = turn.end(py, self);
        if looked && let Some(place) = &self.place {
            place.queue.get().note_found(is_done);
        }
    }

    fn own_steps(slf: &Bound<'_, Self>) -> PyResult<Py<Steps>> {
        let py = slf.py();
        if let Some(steps) = &*slf.get().lock_steps(py) {
            return Ok(steps.clone_ref(py));
        }
        let steps = Py::new(py, Steps::of_call(slf))?;
        *slf.get().lock_steps(py) = Some(steps.clone_ref(py));
        Ok(steps)
    }
}

#[pymethods]
impl AwaitedCall {
    /// A call for whose result there is a future, and which `worker.cancel(call)` cancels.
    #[new]
    fn new(future: Py<PyAny>, worker: Py<PyAny>) -> Self {
        Self::with_future(future, worker)
    }

    fn __await__(slf: &Bound<'_, Self>) -> Steps {
        Steps::of_call(slf)
    }

    /// `async with` is another way to await: there is nothing to leave.
    fn __aenter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    #[pyo3(signature = (*_arguments))]
    fn __aexit__(&self, _arguments: &Bound<'_, PyTuple>) -> Steps {
        Steps::ended()
    }

    /// What gives a list may also be read with `async for`.
    fn __aiter__(slf: &Bound<'_, Self>) -> Items {
        Items::of(slf)
    }

    fn send(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let steps = Self::own_steps(slf)?;
        steps.get().send(slf.py(), value)
    }

    #[pyo3(signature = (kind, value = None, traceback = None, /))]
    fn throw(
        slf: &Bound<'_, Self>,
        kind: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let has_begun = slf.get().lock_steps(py).is_some();
        if !has_begun {
            // The task was cancelled before its first step.
            Self::cancel(slf)?;
        }
        let steps = Self::own_steps(slf)?;
        steps.get().throw(py, kind, value, traceback)
    }

    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let steps = slf.get().lock_steps(py).as_ref().map(|steps| steps.clone_ref(py));
        match steps {
            Some(steps) => steps.get().close(py),
            None => Self::cancel(slf),
        }
    }

    /// Cancels the call. If it is queued, it never runs; if it runs now, it is interrupted.
    pub(super) fn cancel(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        if slf.get().value(py).is_some() || slf.get().future(py).is_err() {
            // It is done; or its loop is gone, and nobody waits for it.
            return Ok(());
        }
        slf.get()
            .worker
            .call_method1(py, intern!(py, "cancel"), (slf,))
            .map(drop)
    }

    /// Its error is raised elsewhere too, so asyncio need not complain that nobody saw it.
    fn silence(&self, py: Python<'_>) -> PyResult<()> {
        self.is_silent.store(true, Ordering::Relaxed);
        match self.present_future(py) {
            Some(future) if is_done(&future) => look_at(&future),
            Some(future) => future
                .call_method1(intern!(py, "add_done_callback"), (looking(py)?,))
                .map(drop),
            None => Ok(()),
        }
    }

    /// Looks for its end for a moment, once. The answer is whether it has a value that may be handed out at once.
    #[pyo3(name = "finish_soon")]
    fn call_finish_soon(&self, py: Python<'_>) -> bool {
        self.look(py);
        matches!(&*self.lock(py), Outcome::Value(_)) && self.owed_turn.load(Ordering::Relaxed) == NO_TURN
    }

    /// The future for its result.
    fn as_future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.future(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.worker)?;
        if let Some(place) = &self.place {
            visit.call(&place.queue)?;
        }
        // Exchanged at this moment by another thread: seen on the collector's next visit.
        if let Ok(outcome) = self.outcome.try_lock()
            && let Outcome::Value(object) | Outcome::Future(object) = &*outcome
        {
            visit.call(object)?;
        }
        self.steps.try_lock().map_or(Ok(()), |steps| visit.call(&*steps))
    }

    fn __clear__(&self) {
        let outcome = self
            .outcome
            .try_lock()
            .map(|mut outcome| std::mem::replace(&mut *outcome, Outcome::Ahead));
        let steps = self.steps.try_lock().map(|mut steps| steps.take());
        drop((outcome, steps));
    }
}

/// Who waits for the result of a native call.
pub(super) enum Waiter {
    Call(Py<AwaitedCall>),
    /// Of a call that was not put in directly.
    Future(Py<PyAny>),
}

impl Waiter {
    /// What it is known by.
    pub(super) fn address(&self) -> usize {
        match self {
            Self::Call(call) => call.as_ptr().addr(),
            Self::Future(future) => future.as_ptr().addr(),
        }
    }

    /// Whether it does not wait any more.
    pub(super) fn is_done(&self, py: Python<'_>) -> bool {
        match self {
            Self::Call(call) => call.get().is_done(py),
            Self::Future(future) => is_done(future.bind(py)),
        }
    }

    /// Hands the outcome over, in the thread of the event loop.
    pub(super) fn settle(&self, py: Python<'_>, outcome: PyResult<Option<Py<PyAny>>>) {
        let settled = match self {
            Self::Call(call) => call.get().settle(py, outcome),
            Self::Future(future) => settle(future.bind(py), outcome),
        };
        if let Err(exception) = settled {
            exception.write_unraisable(py, None);
        }
    }

    /// The future for the result.
    pub(super) fn future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Call(call) => call.get().future(py),
            Self::Future(future) => Ok(future.bind(py).clone()),
        }
    }
}

pub(super) fn is_done(future: &Bound<'_, PyAny>) -> bool {
    let done = future.call_method0(intern!(future.py(), "done"));
    done.and_then(|done| done.is_truthy()).unwrap_or(true)
}

fn settle(future: &Bound<'_, PyAny>, outcome: PyResult<Option<Py<PyAny>>>) -> PyResult<()> {
    let py = future.py();
    // It may be cancelled.
    if is_done(future) {
        return Ok(());
    }
    let set = match outcome {
        Ok(value) => future.call_method1(intern!(py, "set_result"), (value.unwrap_or_else(|| py.None()),)),
        Err(exception) => future.call_method1(intern!(py, "set_exception"), (raisable(py, exception),)),
    };
    set.map(drop)
}

/// Looks at the error of a future that is done: somebody saw it.
fn look_at(future: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = future.py();
    if !future.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
        future.call_method0(intern!(py, "exception"))?;
    }
    Ok(())
}

/// [`look_at`] as a function of Python.
fn looking(py: Python<'_>) -> PyResult<Bound<'_, PyCFunction>> {
    static LOOKING: PyOnceLock<Py<PyCFunction>> = PyOnceLock::new();
    let looking = LOOKING.get_or_try_init(py, || {
        let look = |arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| look_at(&arguments.get_item(0)?);
        PyCFunction::new_closure(py, None, None, look).map(Bound::unbind)
    })?;
    Ok(looking.bind(py).clone())
}
