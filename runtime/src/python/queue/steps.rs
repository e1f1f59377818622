//! The steps of an await: what `__await__` of a queued call gives, and `async for` over one that gives a list.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyBaseException, PyStopAsyncIteration, PyStopIteration};
use pyo3::prelude::*;
use pyo3::sync::{MutexExt, PyOnceLock};
use pyo3::types::{PyIterator, PyType};
use pyo3::{PyTraverseError, PyVisit, intern};

use super::awaited::AwaitedCall;
use super::others::Turn;

/// The steps of one await of a queued call.
#[pyclass(frozen, name = "Steps")]
pub(super) struct Steps {
    /// `None` when they have come to their end: what is left of an await refers to nothing.
    rest: Mutex<Option<Rest>>,
}

struct Rest {
    call: Py<AwaitedCall>,
    /// Where the next item of the list is taken, for one that gives items.
    items: Option<Py<Items>>,
    /// Whether the first step is done.
    has_begun: bool,
    /// The turn that others have meanwhile.
    turn: Option<Turn>,
    /// The future that is waited for, and its own steps.
    wait: Option<(Py<PyAny>, Py<PyAny>)>,
}

/// What a step comes to.
enum Stepped {
    /// Something for the event loop.
    Yields(Py<PyAny>),
    /// The end, with a value.
    Gives(Py<PyAny>),
}

impl Steps {
    pub(super) fn of_call(call: &Bound<'_, AwaitedCall>) -> Self {
        Self::of(call, None)
    }

    fn of(call: &Bound<'_, AwaitedCall>, items: Option<Py<Items>>) -> Self {
        Self {
            rest: Mutex::new(Some(Rest {
                call: call.clone().unbind(),
                items,
                has_begun: false,
                turn: None,
                wait: None,
            })),
        }
    }

    /// Steps at their end, which give nothing.
    pub(super) fn ended() -> Self {
        Self { rest: Mutex::default() }
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Option<Rest>> {
        self.rest.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, py: Python<'_>) -> PyResult<Stepped> {
        let Some(mut rest) = self.lock(py).take() else {
            return Ok(Stepped::Gives(py.None()));
        };
        match rest.step(py) {
            Ok(Stepped::Yields(object)) => {
                *self.lock(py) = Some(rest);
                Ok(Stepped::Yields(object))
            }
            Ok(Stepped::Gives(value)) => rest.give(py, value),
            Err(exception) => Err(rest.fail(py, exception)),
        }
    }
}

impl Rest {
    fn step(&mut self, py: Python<'_>) -> PyResult<Stepped> {
        if let Some((future, steps)) = &self.wait {
            return advance(future.bind(py), steps.bind(py));
        }
        let call = self.call.get();
        if !std::mem::replace(&mut self.has_begun, true) {
            // What is done within microseconds needs no turn of the event loop. But the others need one now and then.
            call.look(py);
            self.turn = call.take_turn(py);
            if self.turn.is_some() {
                return Ok(Stepped::Yields(py.None()));
            }
        }
        if let Some(turn) = self.turn.take() {
            call.end_turn(py, turn);
        }
        if let Some(value) = call.value(py) {
            return Ok(Stepped::Gives(value));
        }
        let future = call.future(py)?;
        let steps = future.call_method0(intern!(py, "__await__"))?;
        let stepped = advance(&future, &steps);
        self.wait = Some((future.unbind(), steps.unbind()));
        stepped
    }

    fn give(self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Stepped> {
        match self.items {
            Some(items) => items.get().next_of(value.bind(py)).map(Stepped::Gives),
            None => Ok(Stepped::Gives(value)),
        }
    }

    /// Ends with an exception. One by which whoever awaits is cancelled cancels the call.
    fn fail(self, py: Python<'_>, exception: PyErr) -> PyErr {
        static CANCELLED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let is_cancelled = CANCELLED
            .import(py, "asyncio", "CancelledError")
            .is_ok_and(|cancelled| exception.is_instance(py, cancelled));
        if is_cancelled && let Err(error) = AwaitedCall::cancel(self.call.bind(py)) {
            error.write_unraisable(py, None);
        }
        exception
    }
}

/// The next step of a future's own await.
fn advance(future: &Bound<'_, PyAny>, steps: &Bound<'_, PyAny>) -> PyResult<Stepped> {
    match steps.cast::<PyIterator>()?.clone().next() {
        Some(object) => Ok(Stepped::Yields(object?.unbind())),
        None => {
            let result = future.call_method0(intern!(future.py(), "result"))?;
            Ok(Stepped::Gives(result.unbind()))
        }
    }
}

#[pymethods]
impl Steps {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match self.step(py)? {
            Stepped::Yields(object) => Ok(Some(object)),
            // The end alone says that.
            Stepped::Gives(value) if value.is_none(py) => Ok(None),
            Stepped::Gives(value) => Err(stop_with(value)),
        }
    }

    pub(super) fn send(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        match self.step(py)? {
            Stepped::Yields(object) => Ok(object),
            Stepped::Gives(value) => Err(stop_with(value)),
        }
    }

    #[pyo3(signature = (kind, value = None, _traceback = None, /))]
    pub(super) fn throw(
        &self,
        py: Python<'_>,
        kind: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        // An exception, or a class and its argument.
        let exception = match value {
            _ if kind.is_instance_of::<PyBaseException>() => kind,
            Some(value) if value.is_instance_of::<PyBaseException>() => value,
            Some(value) => kind.call1((value,))?,
            None => kind.call0()?,
        };
        let Some(rest) = self.lock(py).take() else {
            return Err(PyErr::from_value(exception));
        };
        let thrown = match &rest.wait {
            Some((_, steps)) => steps.call_method1(py, intern!(py, "throw"), (exception,)),
            None => Err(PyErr::from_value(exception)),
        };
        match thrown {
            Ok(object) => {
                *self.lock(py) = Some(rest);
                Ok(object)
            }
            Err(exception) => Err(rest.fail(py, exception)),
        }
    }

    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let rest = self.lock(py).take();
        match rest.and_then(|rest| rest.wait) {
            Some((_, steps)) => steps.call_method0(py, intern!(py, "close")).map(drop),
            None => Ok(()),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Exchanged at this moment by another thread: seen on the collector's next visit.
        let Ok(rest) = self.rest.try_lock() else {
            return Ok(());
        };
        let Some(rest) = &*rest else {
            return Ok(());
        };
        visit.call(&rest.call)?;
        visit.call(&rest.items)?;
        match &rest.wait {
            Some((future, steps)) => {
                visit.call(future)?;
                visit.call(steps)
            }
            None => Ok(()),
        }
    }

    fn __clear__(&self) {
        let rest = self.rest.try_lock().map(|mut rest| rest.take());
        drop(rest);
    }
}

/// The end of steps, with a value. It is in a tuple: one that is itself a tuple would be the exception's arguments.
fn stop_with(value: Py<PyAny>) -> PyErr {
    PyStopIteration::new_err((value,))
}

/// The items of a list that a call gives, for `async for`.
#[pyclass(frozen, name = "Items")]
pub(super) struct Items {
    call: Py<AwaitedCall>,
    /// There once the call is done.
    iterator: Mutex<Option<Py<PyIterator>>>,
}

impl Items {
    pub(super) fn of(call: &Bound<'_, AwaitedCall>) -> Self {
        Self {
            call: call.clone().unbind(),
            iterator: Mutex::default(),
        }
    }

    /// The next one of what the call gave.
    fn next_of(&self, list: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = list.py();
        let lock = || {
            self.iterator
                .lock_py_attached(py)
                .unwrap_or_else(PoisonError::into_inner)
        };
        let present = lock().as_ref().map(|iterator| iterator.clone_ref(py));
        let mut iterator = match present {
            Some(iterator) => iterator.into_bound(py),
            None => {
                let iterator = list.try_iter()?;
                *lock() = Some(iterator.clone().unbind());
                iterator
            }
        };
        match iterator.next() {
            Some(item) => item.map(Bound::unbind),
            None => Err(PyStopAsyncIteration::new_err(())),
        }
    }
}

#[pymethods]
impl Items {
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// There is nothing to close: the list is there whole.
    fn aclose(&self) -> Steps {
        Steps::ended()
    }

    fn __anext__(slf: &Bound<'_, Self>) -> Steps {
        Steps::of(slf.get().call.bind(slf.py()), Some(slf.clone().unbind()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.call)?;
        self.iterator
            .try_lock()
            .map_or(Ok(()), |iterator| visit.call(&*iterator))
    }
}
