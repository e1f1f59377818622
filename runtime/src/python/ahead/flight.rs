//! Reads on their way through the queue: taken in the worker, made Python objects in the thread of the event loop, and given
//! back by whoever gives them up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::{PyTraverseError, PyVisit};

use super::super::exceptions::Module;
use super::super::objects::Wrapper;
use super::super::queue::{Budget, Finish, GiveUp, NativeCall, Step, Work, deliver_part};
use super::taking::{Arrived, Taking};
use super::{Ahead, ReaderCalls, Reads};
use crate::task;

/// A read on its way: what it has taken is in one place at a time, so that whoever gives it up finds it, and gives it back
/// before the next read is made.
struct Flight<C: ReaderCalls> {
    calls: Py<C>,
    place: Mutex<Place<<C::Target as Reads>::Row>>,
    /// Whether a part of the rows is on its way to the loop. One at a time is: each would take a turn of its own from others.
    has_part: AtomicBool,
}

/// Where the rows of a read are.
enum Place<R> {
    /// Not read yet.
    Ahead,
    Taken(Taking<R>),
    /// On their way to Python, or there; what comes behind them.
    Out(Arrived<R>),
    /// Given back: nobody waits for them. What came behind those that were on their way to Python.
    GivenUp(Arrived<R>),
}

impl<R: Send + 'static> Place<R> {
    /// Takes the rows that are ahead, unless they were given up. `is_last` says whether no more will be read.
    fn take(&mut self, ahead: &Ahead<R>, size: Option<usize>, is_last: bool) {
        if matches!(self, Self::GivenUp(_)) {
            return;
        }
        let mut taking = ahead.take_out(|state| state.take(size));
        // It shows at the end alone whether a read was cut off.
        taking.cut_off &= is_last;
        match self {
            Self::Ahead => *self = Self::Taken(taking),
            Self::Taken(before) => before.absorb(taking.into()),
            Self::Out(arrived) => {
                arrived.rows.extend(taking.rows);
                arrived.failure = taking.failure;
                arrived.cut_off = taking.cut_off;
            }
            Self::GivenUp(_) => {}
        }
    }
}

impl<C: ReaderCalls> Flight<C> {
    /// Takes the rows, unless it was given up. Called without the GIL.
    fn take(&self, size: Option<usize>) {
        task::lock(&self.place).take(self.calls.get().ahead(), size, true);
    }

    /// Takes all rows that have been read, and has them become Python objects while more are read. The answer is whether anybody
    /// still waits for them. Called without the GIL.
    fn pass_on(self: &Arc<Self>) -> bool {
        // In one go: the loop may take them out as soon as the lock is given back.
        let mut place = task::lock(&self.place);
        place.take(self.calls.get().ahead(), None, false);
        if matches!(&*place, Place::GivenUp(_)) {
            return false;
        }
        drop(place);
        if !self.has_part.swap(true, Ordering::SeqCst) {
            deliver_part(Box::new(PartOfRows {
                flight: Arc::clone(self),
            }));
        }
        true
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Place<<C::Target as Reads>::Row>> {
        self.place.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out what was taken, for a moment.
    fn take_out(&self, py: Python<'_>) -> Option<Taking<<C::Target as Reads>::Row>> {
        let mut place = self.lock(py);
        match std::mem::replace(&mut *place, Place::Out(Arrived::default())) {
            Place::Taken(taking) => Some(taking),
            other => {
                *place = other;
                None
            }
        }
    }

    /// Puts back what was taken out; gives it back if that is not to be found any more, which is the answer.
    fn put_in(&self, py: Python<'_>, mut taking: Taking<<C::Target as Reads>::Row>) -> bool {
        let mut place = self.lock(py);
        match std::mem::replace(&mut *place, Place::Ahead) {
            Place::GivenUp(arrived) => {
                *place = Place::GivenUp(Arrived::default());
                drop(place);
                taking.absorb(arrived);
                taking.give_back(py, self.calls.get().ahead());
                false
            }
            Place::Out(arrived) => {
                taking.absorb(arrived);
                *place = Place::Taken(taking);
                true
            }
            Place::Ahead | Place::Taken(_) => {
                *place = Place::Taken(taking);
                true
            }
        }
    }

    fn give_up(&self, py: Python<'_>) {
        let mut place = self.lock(py);
        match std::mem::replace(&mut *place, Place::GivenUp(Arrived::default())) {
            Place::Taken(mut taking) => {
                drop(place);
                taking.give_back(py, self.calls.get().ahead());
            }
            Place::Out(arrived) | Place::GivenUp(arrived) => *place = Place::GivenUp(arrived),
            Place::Ahead => {}
        }
    }
}

impl<C: ReaderCalls> GiveUp for Arc<Flight<C>> {
    fn give_up(&self, py: Python<'_>) {
        Flight::give_up(self, py);
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.calls)
    }
}

/// A read of so many rows, or of all, whose rows are then passed to `receive`.
pub struct TakeRows<C: ReaderCalls> {
    flight: Arc<Flight<C>>,
    number: u64,
    size: Option<usize>,
    receive: Py<PyAny>,
}

impl<C: ReaderCalls> TakeRows<C> {
    /// The call for it.
    pub fn call(calls: &Bound<'_, C>, size: Option<usize>, receive: Py<PyAny>) -> NativeCall {
        let number = calls.get().ask(calls.py());
        let flight = Arc::new(Flight {
            calls: calls.clone().unbind(),
            place: Mutex::new(Place::Ahead),
            has_part: AtomicBool::new(false),
        });
        let read = Self {
            flight: Arc::clone(&flight),
            number,
            size,
            receive,
        };
        NativeCall::of(read).numbered(number).given_up_by(flight)
    }
}

impl<C: ReaderCalls> Work for TakeRows<C> {
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.receive)
    }

    fn run(self: Box<Self>) -> Box<dyn Finish> {
        let Self {
            flight,
            number,
            size,
            receive,
        } = *self;
        let calls = flight.calls.get();
        let is_open = calls.target().get().is_open();
        if is_open {
            // Rows that Python code has made are objects already.
            if size.is_none() && !calls.target().get().calls_python() {
                let began = Instant::now();
                while calls.ahead().fill_part(calls.target(), began) && flight.pass_on() {}
            }
            calls.ahead().make_objects(calls.target());
            calls.ahead().fill(calls.target(), size);
            flight.take(size);
        }
        // Whoever finds that it has run finds what it has taken, too.
        calls.ahead().answer(number);
        if is_open {
            Box::new(TakenRows { flight, receive })
        } else {
            Box::new(Unmade { flight })
        }
    }
}

/// A read of an object that was not made.
struct Unmade<C: ReaderCalls> {
    flight: Arc<Flight<C>>,
}

impl<C: ReaderCalls> Finish for Unmade<C> {
    fn step(&mut self, py: Python<'_>, _wanted: bool, _budget: &Budget) -> Step {
        let exception = match self.flight.calls.get().making() {
            Some(making) => making.raised::<C::Target>(py),
            None => <C::Target as Wrapper>::Module::unopened(<C::Target as Wrapper>::NAME),
        };
        Step::Done(Err(exception))
    }
}

struct TakenRows<C: ReaderCalls> {
    flight: Arc<Flight<C>>,
    receive: Py<PyAny>,
}

impl<C: ReaderCalls> Finish for TakenRows<C> {
    fn step(&mut self, py: Python<'_>, wanted: bool, budget: &Budget) -> Step {
        let calls = self.flight.calls.get();
        if !wanted {
            self.flight.give_up(py);
        }
        let Some(mut taking) = self.flight.take_out(py) else {
            return Step::Done(Ok(None));
        };
        match taking.convert(calls.target().bind(py), Some(budget)) {
            Ok(None) if self.flight.put_in(py, taking) => Step::More,
            Ok(None) => Step::Done(Ok(None)),
            // If it was given up meanwhile, the receiver gives them back.
            Ok(Some(taken)) => Step::Done(self.receive.call1(py, (taken,)).map(|_| None)),
            Err(exception) => Step::Done(Err(exception)),
        }
    }
}

/// Rows of a read of all that reads on.
struct PartOfRows<C: ReaderCalls> {
    flight: Arc<Flight<C>>,
}

impl<C: ReaderCalls> PartOfRows<C> {
    fn convert(&self, py: Python<'_>, budget: &Budget) -> Step {
        let Some(mut taking) = self.flight.take_out(py) else {
            return Step::Done(Ok(None));
        };
        let converted = taking.convert_rows(self.flight.calls.get().target().bind(py), Some(budget));
        match (self.flight.put_in(py, taking), converted) {
            (true, Ok(false)) => Step::More,
            (_, Err(exception)) => Step::Done(Err(exception)),
            _ => Step::Done(Ok(None)),
        }
    }
}

impl<C: ReaderCalls> Finish for PartOfRows<C> {
    fn step(&mut self, py: Python<'_>, _wanted: bool, budget: &Budget) -> Step {
        let step = self.convert(py, budget);
        if let Step::Done(_) = step {
            // What comes from here on comes with the next part, or with the end.
            self.flight.has_part.store(false, Ordering::SeqCst);
        }
        step
    }
}
