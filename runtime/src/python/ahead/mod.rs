//! Rows that are read ahead in the worker, and handed out in the thread of the event loop.
//!
//! It is what `rows.py` is to a worker without a native queue, and keeps the same promises: however a result set is read,
//! its rows come in order, none is lost and none comes twice; an error comes where it happened; a read that is cancelled
//! gives back what it has taken. A call takes its rows where it runs, so that the order of the calls decides whose they
//! are; they become Python objects where they are handed out.

mod flight;
mod taking;

pub use flight::TakeRows;
pub use taking::{Taken, Taking};

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::{PyTraverseError, PyVisit};

use super::calls::Calls;
use super::collector;
use super::handed::Handed;
use super::queue::{NativeQueue, is_interrupted};
use super::rows::{Chunk, Limit};
use crate::task;

/// How many rows are read between two times that a read of all passes on what it has.
const ROWS_OF_A_PART: usize = 1024;

/// How many chunks of the size that was asked for one trip to the worker brings at most: each one brings twice as many as the
/// one before, as long as the result set is read on.
const CHUNKS_OF_A_TRIP: usize = 4;

/// How many rows are read ahead if nobody says how many; `rows.py` has the same number.
const CHUNK_SIZE: usize = 64;

/// How many calls may wait for a transaction to end before it is looked for those that have run.
const MANY: usize = 16;

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
    Failure(Box<PyErr>),
}

impl<R> Entry<R> {
    fn is_row(&self) -> bool {
        matches!(self, Self::Row(_))
    }

    fn of_failure(exception: PyErr) -> Self {
        Self::Failure(Box::new(exception))
    }
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
    /// Whether the result set came from a call that was run in place, and no other call was made since.
    is_whole: bool,
    waiting: Vec<Waiting>,
}

/// A call that waits for a transaction to end: later ones may run before it.
struct Waiting {
    number: u64,
    future: Py<PyAny>,
    is_answered: bool,
}

impl<R> Default for Ahead<R> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                entries: VecDeque::new(),
                failures: 0,
                exhausted: false,
                result_set: 0,
                chunk_size: CHUNK_SIZE,
                chunks: 1,
                asked: 0,
                answered: 0,
                is_whole: false,
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
        state.is_whole = false;
        state.asked
    }

    /// Whether the result set came from a call that was run in place, and no other call was made since: the end of the object
    /// has nothing to wait for.
    pub fn is_whole(&self, py: Python<'_>) -> bool {
        self.lock(py).is_whole
    }

    /// Notes that the call of that number waits for a transaction to end, and so does not run in its order.
    pub fn wait(&self, py: Python<'_>, number: u64, future: Py<PyAny>) {
        let mut state = self.lock(py);
        state.waiting.push(Waiting {
            number,
            future,
            is_answered: false,
        });
        // Those of a cursor that nobody reads from would be kept for ever. To look at all of them each time costs too much.
        if state.waiting.len() >= MANY && state.waiting.len().is_power_of_two() {
            drop(state);
            self.forget_done(py);
        }
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
        Box::new(self.take_out(State::end))
    }

    /// Has something take rows out. Called without the GIL, which is taken where Python objects are among them: the collector must
    /// not see on its first visit what it misses on its second.
    fn take_out<T>(&self, take: impl Fn(&mut State<R>) -> T) -> T {
        let mut state = task::lock(&self.state);
        if !state.has_objects() {
            return take(&mut state);
        }
        drop(state);
        // Behind the end of the interpreter nobody collects.
        Python::try_attach(|py| take(&mut self.lock(py))).unwrap_or_else(|| take(&mut task::lock(&self.state)))
    }

    /// Reads the first rows of a new result set. Called without the GIL.
    pub fn begin<C: Reads<Row = R>>(&self, reader: &Py<C>) {
        self.fill(reader, Some(1));
    }

    /// Takes over the rows of a new result set that a call run in place has put there whole: nothing has to be read for them, and
    /// no time passes.
    pub fn begin_whole<C: Reads<Row = R>>(&self, reader: &Py<C>) {
        let rows = {
            let mut state = task::lock(&self.state);
            state.is_whole = true;
            state.rows_of_a_trip()
        };
        self.read(reader, Limit::of_rows(rows).timeless());
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
                (state.rows_of_a_trip().max(asked), asked)
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
            Err(exception) => (vec![Entry::of_failure(exception)], false),
        };
        let mut state = task::lock(&self.state);
        state.failures += failures_of(&entries);
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

    /// Makes Python objects of the rows that were read ahead, as far as the first that cannot be one, if Python code makes them: that
    /// is set since they were read. Called in the worker's thread, without the GIL.
    fn make_objects<C: Reads<Row = R>>(&self, reader: &Py<C>) {
        if !reader.get().calls_python() || !task::lock(&self.state).entries.iter().any(Entry::is_row) {
            return;
        }
        let make = |py: Python<'_>| {
            let convert = C::converter(reader.bind(py));
            let (mut entries, result_set) = {
                let mut state = self.lock(py);
                (std::mem::take(&mut state.entries), state.result_set)
            };
            let mut made = VecDeque::with_capacity(entries.len());
            while !matches!(made.back(), Some(Entry::Failure(_)))
                && let Some(entry) = entries.pop_front()
            {
                let object = object_of(py, &convert, entry);
                made.push_back(object.map_or_else(Entry::of_failure, |object| Entry::Object(object.unbind())));
            }
            made.append(&mut entries);
            let mut state = self.lock(py);
            if state.result_set == result_set {
                // What a cancelled read has given back meanwhile stands before them.
                state.entries.append(&mut made);
                state.failures = failures_of(&state.entries);
            }
        };
        // An end of the interpreter leaves the rows to nobody.
        let _ = Python::try_attach(make);
    }

    /// The state, if no call that is queued before comes to take rows.
    fn lock_unasked(&self, py: Python<'_>) -> Option<MutexGuard<'_, State<R>>> {
        let is_unasked = |state: &State<R>| state.asked == state.answered;
        let mut state = self.lock(py);
        if is_unasked(&state) && !state.waiting.is_empty() {
            drop(state);
            self.forget_done(py);
            state = self.lock(py);
        }
        (is_unasked(&state) && state.waiting.is_empty()).then_some(state)
    }

    /// Forgets the calls that waited for a transaction to end and have run, or never will.
    fn forget_done(&self, py: Python<'_>) {
        let state = self.lock(py);
        let futures: Vec<_> = state
            .waiting
            .iter()
            .map(|waiting| (waiting.number, waiting.future.clone_ref(py)))
            .collect();
        drop(state);
        // Python code may run: without the lock, for it may ask for rows of this object, and with all of them noted.
        let is_done = |future: &Py<PyAny>| {
            let done = future.call_method0(py, intern!(py, "done"));
            done.is_ok_and(|done| done.is_truthy(py).unwrap_or(true))
        };
        let done: Vec<u64> = futures
            .iter()
            .filter(|(_, future)| is_done(future))
            .map(|(number, _)| *number)
            .collect();
        let mut state = self.lock(py);
        let (over, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut state.waiting)
            .into_iter()
            .partition(|waiting| waiting.is_answered || done.contains(&waiting.number));
        state.waiting = waiting;
        drop(state);
        drop(over);
    }

    /// Takes the next row, if it is there and no call that is queued before comes to take it.
    ///
    /// # Errors
    /// What its conversion raises.
    pub fn next_ahead<'py, C: Reads<Row = R>>(&self, reader: &Bound<'py, C>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = reader.py();
        let taken = self.take_next(reader);
        taken
            .map(|(entry, _)| object_of(py, &C::converter(reader), entry))
            .transpose()
    }

    fn take_next<C: Reads<Row = R>>(&self, reader: &Bound<'_, C>) -> Option<(Entry<R>, u64)> {
        let mut state = self.lock_unasked(reader.py())?;
        match state.entries.front() {
            None | Some(Entry::Failure(_)) => return None,
            // It is for the worker to make one.
            Some(Entry::Row(_)) if reader.get().calls_python() => return None,
            Some(_) => {}
        }
        let entry = state.entries.pop_front()?;
        Some((entry, state.result_set))
    }

    /// Takes the next row, as something to be awaited, if it is there and no call that is queued before comes to take it.
    pub fn hand_out<C: Reads<Row = R>>(&self, reader: &Bound<'_, C>, rows: &Bound<'_, PyAny>) -> Option<Handed> {
        let py = reader.py();
        let (entry, result_set) = self.take_next(reader)?;
        match object_of(py, &C::converter(reader), entry) {
            Ok(row) => Some(Handed::new(row.unbind(), rows.clone().unbind(), result_set)),
            Err(exception) => {
                // It is raised where the read is awaited.
                self.put_back(py, VecDeque::from([Entry::of_failure(exception)]), result_set);
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
        let mut state = self.lock_unasked(py)?;
        let complete = state.exhausted || state.failures > 0;
        if !complete && size.is_none_or(|size| state.entries.len() < size) {
            return None;
        }
        if reader.get().calls_python() && state.entries.iter().any(Entry::is_row) {
            return None;
        }
        Some(state.take(size))
    }

    /// Shows what it holds of Python to the garbage collector.
    ///
    /// # Errors
    /// The collector's own.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(state) = collector::lock(&self.state) else {
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
            entries.push_back(Entry::of_failure(PyErr::from_value(error.bind(py).clone().into_any())));
        }
        self.put_back(py, entries, taken.result_set);
    }

    fn put_back(&self, py: Python<'_>, mut entries: VecDeque<Entry<R>>, result_set: u64) {
        let mut state = self.lock(py);
        if state.result_set == result_set {
            state.failures += failures_of(&entries);
            entries.append(&mut state.entries);
            state.entries = std::mem::take(&mut entries);
        }
        drop(state);
        drop(entries);
    }
}

impl<R> State<R> {
    fn has_objects(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Object(_)))
    }

    /// How many rows the next trip to the worker brings. The one behind it brings more.
    fn rows_of_a_trip(&mut self) -> usize {
        let rows = self.chunk_size.saturating_mul(self.chunks);
        self.chunks = (self.chunks * 2).min(CHUNKS_OF_A_TRIP);
        rows
    }

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

fn failures_of<'a, R: 'a>(entries: impl IntoIterator<Item = &'a Entry<R>>) -> usize {
    let failures = entries.into_iter().filter(|entry| matches!(entry, Entry::Failure(_)));
    failures.count()
}

fn entries_of<C: Reads>(reader: &Py<C>, chunk: Chunk<C::Row, PyErr>) -> Vec<Entry<C::Row>> {
    let rows = chunk.rows.into_iter();
    let mut entries: Vec<_> = if reader.get().calls_python() {
        // An end of the interpreter leaves the rows to nobody.
        Python::try_attach(|py| {
            let convert = C::converter(reader.bind(py));
            rows.map(|row| convert(row).map_or_else(Entry::of_failure, |row| Entry::Object(row.unbind())))
                .collect()
        })
        .unwrap_or_default()
    } else {
        rows.map(Entry::Row).collect()
    };
    entries.extend(chunk.failure.map(Entry::of_failure));
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
        Entry::Failure(exception) => Err(*exception),
    }
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
    if !own.target().get().is_open() || !own.ahead().is_over(py) {
        return false;
    }
    let is_ended = if own.ahead().is_whole(py) {
        // Whether it fails is told to nobody, here as in the queue's thread.
        end().map(|end| drop(catch_unwind(AssertUnwindSafe(end)))).is_some()
    } else {
        queue.end_later(py, end)
    };
    if !is_ended {
        return false;
    }
    let rows = own.ahead().lock(py).end();
    drop(rows);
    true
}
