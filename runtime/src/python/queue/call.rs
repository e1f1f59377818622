//! Calls that a native thread runs without the GIL, in three phases.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::{PyTraverseError, PyVisit};

use super::super::exceptions::{message_of, panic_text};

/// The second phase of a call: it runs in the thread of the worker, without the GIL, and leaves the third.
pub trait Work: Send {
    /// Runs it.
    fn run(self: Box<Self>) -> Box<dyn Finish>;

    /// Does all of it in place, in the thread of whoever made the call, if that needs nobody to wait. The answer is whether it
    /// did, and its result is Python's `None` then; otherwise nothing has happened. Called with the GIL.
    fn attempt(&mut self, _py: Python<'_>) -> bool {
        false
    }

    /// Shows to the garbage collector what it refers to in Python, if that may refer to the call.
    ///
    /// # Errors
    /// The collector's own.
    fn traverse(&self, _visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        Ok(())
    }
}

/// The third phase of a call: in the thread of the event loop, its result becomes Python objects.
///
/// What the call referred to in Python goes with it: it is dropped there, and not in the worker.
pub trait Finish: Send {
    /// Does as much of it as the budget allows. `wanted` says whether anybody still waits for the result.
    fn step(&mut self, py: Python<'_>, wanted: bool, budget: &Budget) -> Step;
}

/// What a step of the third phase came to.
pub enum Step {
    /// The result: `None` is Python's own.
    Done(PyResult<Option<Py<PyAny>>>),
    /// There is more to do, in a later callback of the loop.
    More,
}

/// Runs the second phase of a call. One that panics ends with an exception.
///
/// A blocking call that panics is caught where it is made, and what it owns is dropped here: values of the API, whose end may
/// panic.
pub(super) fn run(work: Box<dyn Work>) -> Box<dyn Finish> {
    match catch_unwind(AssertUnwindSafe(|| work.run())) {
        Ok(finish) => finish,
        Err(panic) => Box::new(Panicked(message_of(&*panic))),
    }
}

/// Does a part of the third phase of a call, which may make Python objects of values of the API, and drop them.
pub(super) fn step(finish: &mut dyn Finish, py: Python<'_>, wanted: bool, budget: &Budget) -> Step {
    catch_unwind(AssertUnwindSafe(|| finish.step(py, wanted, budget)))
        .unwrap_or_else(|panic| Step::Done(Err(PyRuntimeError::new_err(panic_text(&message_of(&*panic))))))
}

/// A call whose second phase panicked, with that message.
struct Panicked(String);

impl Finish for Panicked {
    fn step(&mut self, _py: Python<'_>, _wanted: bool, _budget: &Budget) -> Step {
        Step::Done(Err(PyRuntimeError::new_err(panic_text(&self.0))))
    }
}

/// How long one callback of an event loop may convert results.
pub struct Budget {
    end: Option<Instant>,
}

impl Budget {
    /// About as long as the conversion of six hundred short rows. A timer of the loop may have to wait for two such callbacks.
    const TIME: Duration = Duration::from_micros(75);

    pub(super) fn begin() -> Self {
        Self {
            end: Some(Instant::now() + Self::TIME),
        }
    }

    /// For a caller that waits for the whole.
    fn endless() -> Self {
        Self { end: None }
    }

    /// Whether it is used up.
    pub fn is_spent(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }
}

/// A call that was made and not run yet: its arguments are values of Rust already.
///
/// It is a function without arguments. A native queue runs it without the GIL; whoever calls it runs it in place.
#[pyclass(frozen, name = "NativeCall")]
pub struct NativeCall {
    work: Mutex<Option<Box<dyn Work>>>,
    keeps: Mutex<Option<Py<PyAny>>>,
    /// The calls on the object that this one makes.
    made: Option<Py<PyAny>>,
    /// Its place among the calls on a result set.
    number: u64,
    /// What takes back at once what it has taken.
    give_up: Option<Box<dyn GiveUp>>,
}

/// What a call has taken, for whoever gives the call up.
pub trait GiveUp: Send + Sync {
    /// Gives it back.
    fn give_up(&self, py: Python<'_>);

    /// Shows what it refers to in Python to the garbage collector.
    ///
    /// # Errors
    /// The collector's own.
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError>;
}

impl NativeCall {
    /// A call whose third phase is `finish`, on what the second gave.
    pub fn new<T, F>(work: impl FnOnce() -> T + Send + 'static, finish: F) -> Self
    where
        T: Send + 'static,
        F: FnOnce(Python<'_>, T) -> PyResult<Option<Py<PyAny>>> + Send + 'static,
    {
        Self::of(Simple { work, finish })
    }

    /// A call on arguments that `attempt` can do in place: see [`Work::attempt`]. Its third phase is `finish`, on what the
    /// second gave.
    pub fn tried<A, T, B, W, F>(arguments: A, attempt: B, work: W, finish: F) -> Self
    where
        A: Send + 'static,
        T: Send + 'static,
        B: Fn(Python<'_>, &A) -> bool + Send + 'static,
        W: FnOnce(A) -> T + Send + 'static,
        F: FnOnce(Python<'_>, T) -> PyResult<Option<Py<PyAny>>> + Send + 'static,
    {
        Self::of(Tried {
            arguments,
            attempt,
            work,
            finish,
        })
    }

    /// A call of any kind.
    pub fn of(work: impl Work + 'static) -> Self {
        Self {
            work: Mutex::new(Some(Box::new(work))),
            keeps: Mutex::new(None),
            made: None,
            number: 0,
            give_up: None,
        }
    }

    /// Says what takes the calls on the object that this one makes.
    #[must_use]
    pub fn making(mut self, made: Py<PyAny>) -> Self {
        self.made = Some(made);
        self
    }

    /// Says which of the calls on a result set it is.
    #[must_use]
    pub fn numbered(mut self, number: u64) -> Self {
        self.number = number;
        self
    }

    /// Says how it gives back what it has taken, when nobody waits for it any more.
    #[must_use]
    pub fn given_up_by(mut self, give_up: impl GiveUp + 'static) -> Self {
        self.give_up = Some(Box::new(give_up));
        self
    }

    /// Takes the second phase out, once. Called with or without the GIL.
    pub(super) fn take(&self) -> Option<Box<dyn Work>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Does all of the call in place, if that can be: see [`Work::attempt`].
    pub(super) fn attempt(&self, py: Python<'_>) -> bool {
        let mut work = self.work.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        let is_done = work.as_mut().is_some_and(|work| work.attempt(py));
        let done = if is_done { work.take() } else { None };
        drop(work);
        drop(done);
        is_done
    }

    fn lock_keeps(&self, py: Python<'_>) -> MutexGuard<'_, Option<Py<PyAny>>> {
        self.keeps.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl NativeCall {
    /// Runs the call in place, without the GIL.
    fn __call__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let work = self
            .take()
            .ok_or_else(|| PyRuntimeError::new_err("this call was run already: make it again"))?;
        let mut finish = py.detach(|| work.run());
        loop {
            if let Step::Done(outcome) = finish.step(py, true, &Budget::endless()) {
                return outcome.map(|object| object.unwrap_or_else(|| py.None()));
            }
        }
    }

    /// Keeps an object until the call is done: the one it is made on, which the program may have let go of.
    #[pyo3(name = "keeps")]
    fn set_keeps<'py>(slf: &Bound<'py, Self>, object: Py<PyAny>) -> Bound<'py, Self> {
        *slf.get().lock_keeps(slf.py()) = Some(object);
        slf.clone()
    }

    /// Says that nobody waits for it any more: what it has taken is given back before this returns, or before the next call
    /// runs.
    #[pyo3(name = "give_up")]
    fn call_give_up(&self, py: Python<'_>) {
        if let Some(give_up) = &self.give_up {
            give_up.give_up(py);
        }
    }

    /// What takes the calls on the object that this one makes.
    #[getter]
    fn made(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.made.as_ref().map(|made| made.clone_ref(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.made)?;
        if let Some(give_up) = &self.give_up {
            give_up.traverse(&visit)?;
        }
        // One that a closed queue has refused never runs, and refers to what holds it.
        if let Ok(work) = self.work.try_lock()
            && let Some(work) = &*work
        {
            work.traverse(&visit)?;
        }
        // Exchanged at this moment by another thread: seen on the collector's next visit.
        self.keeps.try_lock().map_or(Ok(()), |keeps| visit.call(&*keeps))
    }

    fn __clear__(&self) {
        let old = self.keeps.try_lock().map(|mut keeps| keeps.take());
        let work = self.work.try_lock().map(|mut work| work.take());
        drop((old, work));
    }

    /// Its place among the calls on a result set.
    #[getter]
    fn number(&self) -> u64 {
        self.number
    }
}

struct Tried<A, B, W, F> {
    arguments: A,
    attempt: B,
    work: W,
    finish: F,
}

impl<A, T, B, W, F> Work for Tried<A, B, W, F>
where
    A: Send,
    T: Send + 'static,
    B: Fn(Python<'_>, &A) -> bool + Send,
    W: FnOnce(A) -> T + Send,
    F: FnOnce(Python<'_>, T) -> PyResult<Option<Py<PyAny>>> + Send + 'static,
{
    fn run(self: Box<Self>) -> Box<dyn Finish> {
        let Self {
            arguments,
            work,
            finish,
            ..
        } = *self;
        Box::new(Finished(Some((finish, work(arguments)))))
    }

    fn attempt(&mut self, py: Python<'_>) -> bool {
        (self.attempt)(py, &self.arguments)
    }
}

struct Simple<W, F> {
    work: W,
    finish: F,
}

impl<T, W, F> Work for Simple<W, F>
where
    T: Send + 'static,
    W: FnOnce() -> T + Send,
    F: FnOnce(Python<'_>, T) -> PyResult<Option<Py<PyAny>>> + Send + 'static,
{
    fn run(self: Box<Self>) -> Box<dyn Finish> {
        let Self { work, finish } = *self;
        Box::new(Finished(Some((finish, work()))))
    }
}

struct Finished<T, F>(Option<(F, T)>);

impl<T, F> Finish for Finished<T, F>
where
    T: Send,
    F: FnOnce(Python<'_>, T) -> PyResult<Option<Py<PyAny>>> + Send,
{
    fn step(&mut self, py: Python<'_>, _wanted: bool, _budget: &Budget) -> Step {
        match self.0.take() {
            Some((finish, outcome)) => Step::Done(finish(py, outcome)),
            None => Step::Done(Ok(None)),
        }
    }
}
