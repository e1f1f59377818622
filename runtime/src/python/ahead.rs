//! Rows that are read ahead in the worker, and handed out in the thread of the event loop.
//!
//! It is what `rows.py` is to a worker without a native queue, and keeps the same promises: however a result set is read,
//! its rows come in order, none is lost and none comes twice; an error comes where it happened; a read that is cancelled
//! gives back what it has taken. A call takes its rows where it runs, so that the order of the calls decides whose they
//! are; they become Python objects where they are handed out.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pyo3::exceptions::PyBaseException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyList;
use pyo3::{PyTraverseError, PyVisit};

use super::calls::Calls;
use super::exceptions::Module;
use super::handed::Handed;
use super::objects::Wrapper;
use super::queue::{
    Budget, Finish, GiveUp, NativeCall, NativeQueue, Step, Work, deliver_part, is_interrupted, raisable,
};
use super::rows::{Chunk, Limit};
use crate::task;

/// How many rows are converted between two looks at the clock.
const ROWS_BETWEEN_LOOKS: usize = 16;

/// How many rows are read between two times that a read of all passes on what it has.
const ROWS_OF_A_PART: usize = 1024;

/// How many chunks of the size that was asked for one trip to the worker brings at most: each one brings twice as many as the
/// one before, as long as the result set is read on.
const CHUNKS_OF_A_TRIP: usize = 4;

/// A native class whose objects read the rows of a result set.
pub trait Reads: pyo3::PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Send + Sync {
    /// A row.
    type Row: Send + 'static;

    /// Whether there is an object to read from. Answered with or without the GIL.
    fn is_open(&self) -> bool;

    /// Reads rows until the limit, without the GIL. What reading fails with stands behind the rows.
    ///
    /// # Errors
    /// The exception for an object that can't be read at all: it is closed, say.
    fn read(&self, limit: Limit) -> PyResult<Chunk<Self::Row, PyErr>>;

    /// Whether making a Python object of a row calls Python code, which is not for the thread of an event loop.
    fn calls_python(&self) -> bool;

    /// What makes a Python object of a row.
    fn converter<'py>(reader: &Bound<'py, Self>) -> impl Fn(Self::Row) -> PyResult<Bound<'py, PyAny>>;
}

/// What stands at a place of a result set.
enum Entry<R> {
    Row(R),
    /// A row that Python code made an object of, or that was handed out and given back.
    Object(Py<PyAny>),
    Failure(PyErr),
}

/// The rows of one result set that were read ahead.
pub struct Ahead<R> {
    state: Mutex<State<R>>,
}

struct State<R> {
    entries: VecDeque<Entry<R>>,
    /// How many of them are failures.
    failures: usize,
    exhausted: bool,
    /// Which result set it is.
    result_set: u64,
    chunk_size: usize,
    /// How many chunks the next trip to the worker brings.
    chunks: usize,
    /// The numbers of the calls that were queued last and that ran last.
    asked: u64,
    answered: u64,
    waiting: Vec<Waiting>,
}

/// A call that waits for a transaction to end: later ones may run before it.
struct Waiting {
    number: u64,
    future: Py<PyAny>,
    is_answered: bool,
}

/// What a read has taken: rows, or the error that came before there were enough of them.
#[pyclass(frozen, name = "Taken")]
pub struct Taken {
    rows: Py<PyList>,
    error: Option<Py<PyBaseException>>,
    result_set: u64,
    cut_off: bool,
}

#[pymethods]
impl Taken {
    #[getter]
    fn rows(&self, py: Python<'_>) -> Py<PyList> {
        self.rows.clone_ref(py)
    }

    #[getter]
    fn error(&self, py: Python<'_>) -> Option<Py<PyBaseException>> {
        self.error.as_ref().map(|error| error.clone_ref(py))
    }

    /// Whether the read was interrupted before there were enough of them.
    #[getter]
    fn cut_off(&self) -> bool {
        self.cut_off
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.rows)?;
        visit.call(&self.error)
    }
}

impl<R> Default for Ahead<R> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                entries: VecDeque::new(),
                failures: 0,
                exhausted: false,
                result_set: 0,
                chunk_size: 1,
                chunks: 1,
                asked: 0,
                answered: 0,
                waiting: Vec::new(),
            }),
        }
    }
}

impl<R: Send + 'static> Ahead<R> {
    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, State<R>> {
        self.state.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// How many rows are read ahead.
    pub fn chunk_size(&self, py: Python<'_>) -> usize {
        self.lock(py).chunk_size
    }

    /// Sets how many rows are read ahead.
    pub fn set_chunk_size(&self, py: Python<'_>, size: usize) {
        self.lock(py).chunk_size = size;
    }

    /// Notes that a call is about to be queued. Its number is for [`Ahead::answer`].
    pub fn ask(&self, py: Python<'_>) -> u64 {
        let mut state = self.lock(py);
        state.asked += 1;
        state.asked
    }

    /// Notes that the call of that number waits for a transaction to end, and so does not run in its order.
    pub fn wait(&self, py: Python<'_>, number: u64, future: Py<PyAny>) {
        self.lock(py).waiting.push(Waiting {
            number,
            future,
            is_answered: false,
        });
    }

    /// Notes that the call of that number has run. Those before it have, too, or never will. Called without the GIL.
    pub fn answer(&self, number: u64) {
        let mut state = task::lock(&self.state);
        state.answered = state.answered.max(number);
        for waiting in &mut state.waiting {
            waiting.is_answered |= waiting.number == number;
        }
    }

    /// Drops the result set. What is given back is for the thread of an event loop to drop. Called without the GIL.
    pub fn drop_result_set(&self) -> Box<dyn Send> {
        Box::new(task::lock(&self.state).end())
    }

    /// Reads the first rows of a new result set. Called without the GIL.
    pub fn begin<C: Reads<Row = R>>(&self, reader: &Py<C>) {
        self.fill(reader, Some(1));
    }

    /// Reads what a read of so many rows, or of all, needs. Called without the GIL.
    fn fill<C: Reads<Row = R>>(&self, reader: &Py<C>, size: Option<usize>) {
        let began = Instant::now();
        loop {
            let (wanted, asked) = {
                let mut state = task::lock(&self.state);
                if state.exhausted || state.failures > 0 || size.is_some_and(|size| state.entries.len() >= size) {
                    return;
                }
                let asked = size.map_or(usize::MAX, |size| size - state.entries.len());
                let ahead = state.chunk_size.saturating_mul(state.chunks);
                state.chunks = (state.chunks * 2).min(CHUNKS_OF_A_TRIP);
                (ahead.max(asked), asked)
            };
            if !self.read(reader, Limit::of_rows(wanted).asked(began, asked)) {
                return;
            }
        }
    }

    /// Reads the next rows, unless the call that runs was interrupted, which is the answer.
    fn read<C: Reads<Row = R>>(&self, reader: &Py<C>, limit: Limit) -> bool {
        // A chunk may be too short for an interrupt to find anything that it could end.
        if is_interrupted() {
            return false;
        }
        // One that is cancelled before its next step is not the end of the result set: others read on.
        let read = task::run_whole(|| reader.get().read(limit));
        let (entries, exhausted) = match read {
            Ok(chunk) => {
                let exhausted = chunk.exhausted;
                (entries_of(reader, chunk), exhausted)
            }
            Err(exception) => (vec![Entry::Failure(exception)], false),
        };
        let mut state = task::lock(&self.state);
        state.failures += entries
            .iter()
            .filter(|entry| matches!(entry, Entry::Failure(_)))
            .count();
        state.entries.extend(entries);
        state.exhausted = exhausted;
        true
    }

    /// Reads the next part of all rows. The answer is whether more may stand behind it. Called without the GIL.
    fn fill_part<C: Reads<Row = R>>(&self, reader: &Py<C>, began: Instant) -> bool {
        let may_follow = || {
            let state = task::lock(&self.state);
            !state.exhausted && state.failures == 0
        };
        may_follow() && self.read(reader, Limit::of_rows(ROWS_OF_A_PART).asked(began, usize::MAX)) && may_follow()
    }

    /// Whether a call waits for a transaction to end that has not run, and may.
    fn is_waited_for(&self, py: Python<'_>) -> bool {
        let (done, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.lock(py).waiting)
                .into_iter()
                .partition(|waiting| {
                    let done = || waiting.future.call_method0(py, intern!(py, "done"));
                    waiting.is_answered || done().is_ok_and(|done| done.is_truthy(py).unwrap_or(true))
                });
        drop(done);
        let is_waited_for = !waiting.is_empty();
        let mut state = self.lock(py);
        // Others may have come meanwhile.
        let later = std::mem::replace(&mut state.waiting, waiting);
        state.waiting.extend(later);
        is_waited_for
    }

    /// Takes the next row, if it is there and no call that is queued before comes to take it.
    ///
    /// # Errors
    /// What its conversion raises.
    pub fn next_ahead<'py, C: Reads<Row = R>>(&self, reader: &Bound<'py, C>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = reader.py();
        let taken = self.take_next(py);
        taken
            .map(|(entry, _)| object_of(py, &C::converter(reader), entry))
            .transpose()
    }

    fn take_next(&self, py: Python<'_>) -> Option<(Entry<R>, u64)> {
        let mut state = self.lock(py);
        if state.asked != state.answered {
            return None;
        }
        if !state.waiting.is_empty() {
            drop(state);
            if self.is_waited_for(py) {
                return None;
            }
            state = self.lock(py);
        }
        if matches!(state.entries.front(), None | Some(Entry::Failure(_))) {
            return None;
        }
        let entry = state.entries.pop_front()?;
        Some((entry, state.result_set))
    }

    /// Takes the next row, as something to be awaited, if it is there and no call that is queued before comes to take it.
    pub fn hand_out<C: Reads<Row = R>>(&self, reader: &Bound<'_, C>, rows: &Bound<'_, PyAny>) -> Option<Handed> {
        let py = reader.py();
        let (entry, result_set) = self.take_next(py)?;
        match object_of(py, &C::converter(reader), entry) {
            Ok(row) => Some(Handed::new(row.unbind(), rows.clone().unbind(), result_set)),
            Err(exception) => {
                // It is raised where the read is awaited.
                self.put_back(py, VecDeque::from([Entry::Failure(exception)]), result_set);
                None
            }
        }
    }

    /// Undoes the handing out of one row.
    pub fn give_back_one(&self, py: Python<'_>, row: Py<PyAny>, result_set: u64) {
        self.put_back(py, VecDeque::from([Entry::Object(row)]), result_set);
    }

    /// Whether the last row was read, and no call is queued: nothing of the result set is left but rows that are here.
    pub fn is_over(&self, py: Python<'_>) -> bool {
        let state = self.lock(py);
        state.asked == state.answered && state.waiting.is_empty() && state.exhausted && state.failures == 0
    }

    /// Takes so many rows, or all, if nothing has to be read for that.
    pub fn take_ahead<C: Reads<Row = R>>(&self, reader: &Bound<'_, C>, size: Option<usize>) -> Option<Taking<R>> {
        let py = reader.py();
        let mut state = self.lock(py);
        if state.asked != state.answered {
            return None;
        }
        if !state.waiting.is_empty() {
            drop(state);
            if self.is_waited_for(py) {
                return None;
            }
            state = self.lock(py);
        }
        let complete = state.exhausted || state.failures > 0;
        if !complete && size.is_none_or(|size| state.entries.len() < size) {
            return None;
        }
        Some(state.take(size))
    }

    /// Shows what it holds of Python to the garbage collector.
    ///
    /// # Errors
    /// The collector's own.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Held by another thread at this moment: seen on the collector's next visit.
        let Ok(state) = self.state.try_lock() else {
            return Ok(());
        };
        for entry in &state.entries {
            if let Entry::Object(object) = entry {
                visit.call(object)?;
            }
        }
        state.waiting.iter().try_for_each(|waiting| visit.call(&waiting.future))
    }

    /// Lets go of what it holds, for the garbage collector.
    pub fn clear(&self) {
        let old = self.state.try_lock().map(|mut state| {
            state.failures = 0;
            (std::mem::take(&mut state.entries), std::mem::take(&mut state.waiting))
        });
        drop(old);
    }

    /// Undoes a take.
    pub fn give_back(&self, py: Python<'_>, taken: &Taken) {
        let mut entries: VecDeque<_> = taken
            .rows
            .bind(py)
            .iter()
            .map(|row| Entry::Object(row.unbind()))
            .collect();
        if let Some(error) = &taken.error {
            entries.push_back(Entry::Failure(PyErr::from_value(error.bind(py).clone().into_any())));
        }
        self.put_back(py, entries, taken.result_set);
    }

    fn put_back(&self, py: Python<'_>, mut entries: VecDeque<Entry<R>>, result_set: u64) {
        let mut state = self.lock(py);
        if state.result_set == result_set {
            state.failures += entries
                .iter()
                .filter(|entry| matches!(entry, Entry::Failure(_)))
                .count();
            entries.append(&mut state.entries);
            state.entries = std::mem::take(&mut entries);
        }
        drop(state);
        drop(entries);
    }
}

impl<R> State<R> {
    /// Ends the result set. What is left of it is for the caller to drop.
    fn end(&mut self) -> VecDeque<Entry<R>> {
        self.failures = 0;
        self.exhausted = false;
        self.chunks = 1;
        self.result_set += 1;
        std::mem::take(&mut self.entries)
    }

    /// Takes so many rows, or all, as far as the first failure.
    fn take(&mut self, size: Option<usize>) -> Taking<R> {
        let wanted = size.unwrap_or(usize::MAX);
        let count = if self.failures == 0 {
            wanted.min(self.entries.len())
        } else {
            let rows = self.entries.iter().position(|entry| matches!(entry, Entry::Failure(_)));
            wanted.min(rows.unwrap_or(self.entries.len()))
        };
        let rows: VecDeque<_> = if count == self.entries.len() {
            std::mem::take(&mut self.entries)
        } else {
            self.entries.drain(..count).collect()
        };
        let mut failure = None;
        if count < wanted && matches!(self.entries.front(), Some(Entry::Failure(_))) {
            self.failures -= 1;
            failure = self.entries.pop_front();
        }
        let failure_is_none = failure.is_none();
        Taking {
            rows,
            failure,
            result_set: self.result_set,
            cut_off: count < wanted && failure_is_none && !self.exhausted,
            converted: None,
        }
    }
}

fn entries_of<C: Reads>(reader: &Py<C>, chunk: Chunk<C::Row, PyErr>) -> Vec<Entry<C::Row>> {
    let rows = chunk.rows.into_iter();
    let mut entries: Vec<_> = if reader.get().calls_python() {
        // An end of the interpreter leaves the rows to nobody.
        Python::try_attach(|py| {
            let convert = C::converter(reader.bind(py));
            rows.map(|row| convert(row).map_or_else(Entry::Failure, |row| Entry::Object(row.unbind())))
                .collect()
        })
        .unwrap_or_default()
    } else {
        rows.map(Entry::Row).collect()
    };
    entries.extend(chunk.failure.map(Entry::Failure));
    entries
}

fn object_of<'py, R>(
    py: Python<'py>,
    convert: &impl Fn(R) -> PyResult<Bound<'py, PyAny>>,
    entry: Entry<R>,
) -> PyResult<Bound<'py, PyAny>> {
    match entry {
        Entry::Row(row) => convert(row),
        Entry::Object(object) => Ok(object.into_bound(py)),
        Entry::Failure(exception) => Err(exception),
    }
}

/// Rows that a read has taken and that become Python objects.
pub struct Taking<R> {
    rows: VecDeque<Entry<R>>,
    failure: Option<Entry<R>>,
    result_set: u64,
    cut_off: bool,
    converted: Option<Py<PyList>>,
}

impl<R: Send + 'static> Taking<R> {
    /// Converts as many rows as the budget allows; gives what was taken when all are converted.
    ///
    /// # Errors
    /// An exception of Python itself: it is out of memory.
    pub fn convert<C: Reads<Row = R>>(
        &mut self,
        reader: &Bound<'_, C>,
        budget: Option<&Budget>,
    ) -> PyResult<Option<Taken>> {
        let py = reader.py();
        if !self.convert_rows(reader, budget)? {
            return Ok(None);
        }
        let error = match self.failure.take() {
            Some(Entry::Failure(exception)) => Some(raisable(py, exception).unbind()),
            _ => None,
        };
        let rows = self.converted.take();
        Ok(Some(Taken {
            rows: rows.unwrap_or_else(|| PyList::empty(py).unbind()),
            error,
            result_set: self.result_set,
            cut_off: self.cut_off,
        }))
    }

    /// Converts as many rows as the budget allows. The answer is whether those were all.
    fn convert_rows<C: Reads<Row = R>>(&mut self, reader: &Bound<'_, C>, budget: Option<&Budget>) -> PyResult<bool> {
        let py = reader.py();
        let convert = C::converter(reader);
        let list = match self.converted.take() {
            Some(list) => list.into_bound(py),
            None => PyList::empty(py),
        };
        let mut converted = Vec::with_capacity(ROWS_BETWEEN_LOOKS.min(self.rows.len()));
        while !self.rows.is_empty() {
            for entry in self.rows.drain(..ROWS_BETWEEN_LOOKS.min(self.rows.len())) {
                match object_of(py, &convert, entry) {
                    Ok(object) => converted.push(object),
                    Err(exception) => self.failure = Some(Entry::Failure(exception)),
                }
            }
            extend(&list, &mut converted)?;
            if !self.rows.is_empty() && budget.is_some_and(Budget::is_spent) {
                self.converted = Some(list.unbind());
                return Ok(false);
            }
        }
        self.converted = Some(list.unbind());
        Ok(true)
    }

    /// Takes what has arrived behind it.
    fn absorb(&mut self, arrived: Arrived<R>) {
        self.rows.extend(arrived.rows);
        self.failure = self.failure.take().or(arrived.failure);
        self.cut_off |= arrived.cut_off;
    }

    /// Gives them back, those that are objects already too.
    fn give_back(&mut self, py: Python<'_>, ahead: &Ahead<R>) {
        let converted = self.converted.take();
        let mut entries: VecDeque<_> = converted
            .iter()
            .flat_map(|list| list.bind(py).iter())
            .map(|row| Entry::Object(row.unbind()))
            .collect();
        entries.append(&mut self.rows);
        entries.extend(self.failure.take());
        ahead.put_back(py, entries, self.result_set);
    }
}

fn extend<'py>(list: &Bound<'py, PyList>, objects: &mut Vec<Bound<'py, PyAny>>) -> PyResult<()> {
    for object in objects.drain(..) {
        list.append(object)?;
    }
    Ok(())
}

/// The companion of a class whose objects read rows.
pub trait ReaderCalls: Calls<Target: Reads> {
    /// The rows that were read ahead.
    fn ahead(&self) -> &Ahead<<Self::Target as Reads>::Row>;
}

/// Ends an object of which nothing is left to be read, without anybody who waits for it: `close` and the drop of the object run
/// in the queue's thread. The answer is whether that could be.
pub fn end_over<C: ReaderCalls>(
    calls: &Bound<'_, C>,
    queue: &NativeQueue,
    end: impl FnOnce() -> Option<Box<dyn FnOnce() + Send>>,
) -> bool {
    let (own, py) = (calls.get(), calls.py());
    if !own.target().get().is_open() || !own.ahead().is_over(py) || !queue.end_later(py, end) {
        return false;
    }
    let rows = own.ahead().lock(py).end();
    drop(rows);
    true
}

/// What is read while the rows before it become Python objects.
struct Arrived<R> {
    rows: VecDeque<Entry<R>>,
    failure: Option<Entry<R>>,
    cut_off: bool,
}

impl<R> Default for Arrived<R> {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            failure: None,
            cut_off: false,
        }
    }
}

impl<R> From<Taking<R>> for Arrived<R> {
    fn from(taking: Taking<R>) -> Self {
        Self {
            rows: taking.rows,
            failure: taking.failure,
            cut_off: taking.cut_off,
        }
    }
}

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
        let mut taking = task::lock(&ahead.state).take(size);
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
