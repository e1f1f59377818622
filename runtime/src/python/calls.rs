//! Calls on the objects of native classes, as objects for the native queue.
//!
//! For each class there is a companion whose methods are named as the members, and which make a [`NativeCall`] in place
//! of running one. The companion of an object that a call is yet to make is there at once, so that calls on that object can
//! be queued behind it.

use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::{IntoPyObjectExt, PyClass, PyTraverseError, PyVisit};

use super::exceptions::{IntoException, Module};
use super::objects::{Ran, Wrapper};
use super::queue::NativeCall;
use super::slot::Slot;
use crate::error::drop_guarded;

/// The companion of a native class.
pub trait Calls: PyClass<Frozen = True> + Send + Sync {
    /// The native class.
    type Target: Wrapper + PyClass<Frozen = True> + Send + Sync;

    /// The object on which the calls are made.
    fn target(&self) -> &Py<Self::Target>;

    /// Why it could not be made, if it is one that a call makes.
    fn making(&self) -> Option<&Making> {
        None
    }

    /// Notes that a call is about to be queued.
    fn ask(&self, _py: Python<'_>) -> u64 {
        0
    }

    /// Notes that the call of that number has run. Called without the GIL.
    fn answer(&self, _number: u64) {}

    /// Drops the result set. What is given back is for the thread of an event loop to drop. Called without the GIL.
    fn drop_rows(&self) -> Box<dyn Send> {
        Box::new(())
    }

    /// Reads the first rows of a new result set. Called without the GIL.
    fn begin_rows(&self) {}

    /// Takes over the rows of a new result set that a call run in place has put there whole.
    fn begin_whole_rows(&self) {}

    /// How many rows are read ahead.
    fn rows_ahead(&self, _py: Python<'_>) -> usize {
        0
    }
}

/// Why an object could not be made that calls wait for.
#[derive(Debug, Default)]
pub struct Making {
    /// Its traceback may lead back here.
    error: Slot,
}

impl Making {
    fn fail(&self, py: Python<'_>, exception: &PyErr) {
        self.error.set(exception.value(py).as_any());
    }

    /// The error of the call that should have made it.
    pub fn error<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.error.get(py)
    }

    /// What a call on an object raises that was not made.
    pub(super) fn raised<W: Wrapper>(&self, py: Python<'_>) -> PyErr {
        self.error(py)
            .map_or_else(|| W::Module::closed(W::NAME), PyErr::from_value)
    }

    /// Shows the error to the garbage collector.
    ///
    /// # Errors
    /// The collector's own.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.error.traverse(visit)
    }

    /// Lets go of the error, for the garbage collector.
    pub fn clear(&self) {
        self.error.clear();
    }
}

/// The value of a call on an object; of one that was never made, the error of the call that should have made it.
fn raise<C: Calls, T, E>(py: Python<'_>, calls: &C, ran: Ran<T, E>) -> PyResult<T>
where
    E: IntoException<<C::Target as Wrapper>::Module>,
{
    match calls.making() {
        Some(making) if ran.is_unopened() => Err(making.raised::<C::Target>(py)),
        _ => ran.raise::<C::Target>(),
    }
}

/// A call that gives a value.
pub fn call<C, T, E>(calls: &Bound<'_, C>, run: impl FnOnce(&C::Target) -> Ran<T, E> + Send + 'static) -> NativeCall
where
    C: Calls,
    T: for<'py> IntoPyObject<'py> + Send + 'static,
    E: IntoException<<C::Target as Wrapper>::Module> + Send + 'static,
{
    let work = move |calls: &C| run(calls.target().get());
    make(calls, work, |py, value| value.into_py_any(py).map(Some))
}

/// A call that gives nothing, or the object on which it is made, which the caller knows.
pub fn call_unit<C, E>(calls: &Bound<'_, C>, run: impl FnOnce(&C::Target) -> Ran<(), E> + Send + 'static) -> NativeCall
where
    C: Calls,
    E: IntoException<<C::Target as Wrapper>::Module> + Send + 'static,
{
    let work = move |calls: &C| run(calls.target().get());
    make(calls, work, |_, ()| Ok(None))
}

/// A call that begins a new result set: it drops the one before, and the first rows of the new one come with it.
pub fn call_for_rows<C, E>(
    calls: &Bound<'_, C>,
    run: impl FnOnce(&C::Target) -> Ran<(), E> + Send + 'static,
) -> NativeCall
where
    C: Calls,
    E: IntoException<<C::Target as Wrapper>::Module> + Send + 'static,
{
    let work = move |calls: &C| {
        let dropped = calls.drop_rows();
        let ran = run(calls.target().get()).then(|()| dropped);
        if ran.is_success() {
            calls.begin_rows();
        }
        ran
    };
    make(calls, work, |_, _dropped| Ok(None))
}

/// As [`call_for_rows`], on arguments with which it can be tried in place: `attempt` gets the number of rows that are read ahead,
/// and answers whether it has put the whole result set there.
pub fn call_for_rows_tried<C, A, E>(
    calls: &Bound<'_, C>,
    arguments: A,
    attempt: impl Fn(&C::Target, &A, usize) -> bool + Send + 'static,
    run: impl FnOnce(&C::Target, A) -> Ran<(), E> + Send + 'static,
) -> NativeCall
where
    C: Calls,
    A: Send + 'static,
    E: IntoException<<C::Target as Wrapper>::Module> + Send + 'static,
{
    let number = calls.get().ask(calls.py());
    let attempt = move |py: Python<'_>, (own, arguments): &(Py<C>, A)| {
        let own = own.get();
        let is_done = attempt(own.target().get(), arguments, own.rows_ahead(py));
        if is_done {
            drop(own.drop_rows());
            own.begin_whole_rows();
            own.answer(number);
        }
        is_done
    };
    let work = move |(own, arguments): (Py<C>, A)| {
        let calls = own.get();
        let dropped = calls.drop_rows();
        let ran = run(calls.target().get(), arguments).then(|()| dropped);
        if ran.is_success() {
            calls.begin_rows();
        }
        calls.answer(number);
        (own, ran)
    };
    let finish = |py: Python<'_>, (own, ran): (Py<C>, Ran<Box<dyn Send>, E>)| raise(py, own.get(), ran).map(|_| None);
    NativeCall::tried((calls.clone().unbind(), arguments), attempt, work, finish).numbered(number)
}

/// A call that ends the object, with the result set that it has.
pub fn call_to_close<C, E>(
    calls: &Bound<'_, C>,
    run: impl FnOnce(&C::Target) -> Ran<(), E> + Send + 'static,
) -> NativeCall
where
    C: Calls,
    E: IntoException<<C::Target as Wrapper>::Module> + Send + 'static,
{
    let work = move |calls: &C| {
        let dropped = calls.drop_rows();
        run(calls.target().get()).then(|()| dropped)
    };
    make(calls, work, |_, _dropped| Ok(None))
}

/// A call that makes another object, for which there is a place already.
pub fn call_for_child<C, D, E>(
    calls: &Bound<'_, C>,
    child: Py<D>,
    run: impl FnOnce(&C::Target, &D::Target) -> Ran<(), E> + Send + 'static,
) -> NativeCall
where
    C: Calls,
    D: Calls,
    E: IntoException<<C::Target as Wrapper>::Module> + Send + 'static,
{
    let py = calls.py();
    let (own, parent_number) = (calls.clone().unbind(), calls.get().ask(py));
    let (made, number) = (child.clone_ref(py).into_any(), child.get().ask(py));
    let work = move || {
        let ran = run(own.get().target().get(), child.get().target().get());
        answer_for_child((own, parent_number), (child, number), ran)
    };
    NativeCall::new(work, finish_child).numbered(number).making(made)
}

/// As [`call_for_child`], on arguments with which it can be tried in place: `attempt` gets the number of rows that are read
/// ahead, and answers whether it has made the object, with the whole result set.
pub fn call_for_child_tried<C, D, A, E>(
    calls: &Bound<'_, C>,
    child: Py<D>,
    arguments: A,
    attempt: impl Fn(&C::Target, &D::Target, &A, usize) -> bool + Send + 'static,
    run: impl FnOnce(&C::Target, &D::Target, A) -> Ran<(), E> + Send + 'static,
) -> NativeCall
where
    C: Calls,
    D: Calls,
    A: Send + 'static,
    E: IntoException<<C::Target as Wrapper>::Module> + Send + 'static,
{
    let py = calls.py();
    let (own, parent_number) = (calls.clone().unbind(), calls.get().ask(py));
    let (made, number) = (child.clone_ref(py).into_any(), child.get().ask(py));
    let attempt = move |py: Python<'_>, (own, child, arguments): &(Py<C>, Py<D>, A)| {
        let (own, child) = (own.get(), child.get());
        let is_done = attempt(
            own.target().get(),
            child.target().get(),
            arguments,
            child.rows_ahead(py),
        );
        if is_done {
            child.begin_whole_rows();
            child.answer(number);
            own.answer(parent_number);
        }
        is_done
    };
    let work = move |(own, child, arguments): (Py<C>, Py<D>, A)| {
        let ran = run(own.get().target().get(), child.get().target().get(), arguments);
        answer_for_child((own, parent_number), (child, number), ran)
    };
    NativeCall::tried((own, child, arguments), attempt, work, finish_child)
        .numbered(number)
        .making(made)
}

/// What a call that makes another object has come to, with those whose calls it answers.
type ChildRan<C, D, E> = (Py<C>, Py<D>, Ran<(), E>);

/// Notes behind the second phase of a call that makes another object that both have had their answer.
fn answer_for_child<C: Calls, D: Calls, E>(
    (own, parent_number): (Py<C>, u64),
    (child, number): (Py<D>, u64),
    ran: Ran<(), E>,
) -> ChildRan<C, D, E> {
    if ran.is_success() {
        child.get().begin_rows();
    }
    child.get().answer(number);
    own.get().answer(parent_number);
    (own, child, ran)
}

/// The third phase of a call that makes another object.
fn finish_child<C, D, E>(py: Python<'_>, (own, child, ran): ChildRan<C, D, E>) -> PyResult<Option<Py<PyAny>>>
where
    C: Calls,
    D: Calls,
    E: IntoException<<C::Target as Wrapper>::Module>,
{
    let outcome = raise(py, own.get(), ran);
    if let (Err(exception), Some(making)) = (&outcome, child.get().making()) {
        making.fail(py, exception);
    }
    outcome.map(|()| None)
}

fn make<C, T, E>(
    calls: &Bound<'_, C>,
    work: impl FnOnce(&C) -> Ran<T, E> + Send + 'static,
    convert: impl FnOnce(Python<'_>, T) -> PyResult<Option<Py<PyAny>>> + Send + 'static,
) -> NativeCall
where
    C: Calls,
    T: Send + 'static,
    E: IntoException<<C::Target as Wrapper>::Module> + Send + 'static,
{
    let number = calls.get().ask(calls.py());
    let calls = calls.clone().unbind();
    let work = move || {
        let ran = work(calls.get());
        calls.get().answer(number);
        (calls, ran)
    };
    let finish = |py: Python<'_>, (calls, ran): (Py<C>, Ran<T, E>)| {
        let value = raise(py, calls.get(), ran)?;
        convert(py, value)
    };
    NativeCall::new(work, finish).numbered(number)
}

/// Drops a value whose end has nothing to wait for, in the calling thread. One that panics there is gone all the same.
pub fn discard_here<T>(value: T) {
    drop_guarded(value);
}

/// Drops a value of a type that the generated code knows by name alone. Where there is nothing to be dropped, the compiler and
/// clippy would warn of a call of [`drop`] itself.
pub fn discard<T>(value: T) {
    drop(value);
}
