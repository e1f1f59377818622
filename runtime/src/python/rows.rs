//! Reading a result set in chunks, and handing its rows to Python one by one.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyBaseException, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyList;

use crate::span;

/// Where a chunk ends: at a number of rows, of bytes or of milliseconds, whichever is reached first. A chunk has at least
/// one row, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The most rows.
    pub rows: usize,
    /// The bytes behind which no further row is read.
    pub bytes: usize,
    /// The time behind which no further row is read; `Duration::MAX` if it does not matter.
    pub time: Duration,
    /// The call that asked for them.
    pub asker: Option<Asker>,
}

/// A call that asked for rows. What is read ahead behind them is nobody's, and no limit on the time of a call counts there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// When it began.
    pub began: Instant,
    /// How many rows it has yet to get.
    pub rows: usize,
}

impl Limit {
    /// How many bytes a chunk holds, about: what is converted to Python objects in about a millisecond.
    pub const BYTES: usize = 1 << 20;
    /// How long a chunk is read, about: short enough that the first of slow rows arrive soon.
    pub const TIME: Duration = Duration::from_millis(10);

    /// A limit of that many rows and of the usual bytes and time.
    pub fn of_rows(rows: usize) -> Self {
        Self {
            rows,
            bytes: Self::BYTES,
            time: Self::TIME,
            asker: None,
        }
    }

    /// The same for rows that are there: the clock is not looked at.
    #[must_use]
    pub fn timeless(self) -> Self {
        Self {
            time: Duration::MAX,
            ..self
        }
    }

    /// Whether the time is up, by a clock that began to run when this was made.
    pub(super) fn clock(&self) -> impl Fn() -> bool + use<> {
        let time = self.time;
        let begin = (time < Duration::MAX).then(Instant::now);
        move || begin.is_some_and(|begin| begin.elapsed() >= time)
    }

    /// The same for a call that began then and has yet to get so many rows.
    #[must_use]
    pub fn asked(self, began: Instant, rows: usize) -> Self {
        Self {
            asker: Some(Asker { began, rows }),
            ..self
        }
    }
}

/// Rows that were read in one go.
#[derive(Debug)]
pub struct Chunk<R, F> {
    /// The rows.
    pub rows: Vec<R>,
    /// Whether there are no more behind them.
    pub exhausted: bool,
    /// What went wrong at the row behind them.
    pub failure: Option<F>,
}

impl<R, F> Chunk<R, F> {
    /// Rows behind which nothing is known.
    fn of(rows: Vec<R>) -> Self {
        Self {
            rows,
            exhausted: false,
            failure: None,
        }
    }
}

/// How many rows are read between two looks at the clock, which costs as much as a small row.
pub(super) const ROWS_BETWEEN_LOOKS: usize = 8;

/// Reads rows until the limit, the end, or an error.
pub(super) fn read<R, F>(
    limit: Limit,
    mut next: impl FnMut() -> Result<Option<R>, F>,
    weigh: impl Fn(&R) -> usize,
) -> Chunk<R, F> {
    let is_late = limit.clock();
    let mut chunk = Chunk {
        rows: Vec::new(),
        exhausted: false,
        failure: None,
    };
    let mut bytes = 0;
    while chunk.rows.len() < limit.rows && bytes < limit.bytes {
        let next = match limit.asker {
            Some(asker) if chunk.rows.len() < asker.rows => span::run_as_part(asker.began, &mut next),
            _ => next(),
        };
        match next {
            Ok(Some(row)) => {
                bytes += weigh(&row);
                chunk.rows.push(row);
            }
            Ok(None) => {
                chunk.exhausted = true;
                break;
            }
            Err(failure) => {
                chunk.failure = Some(failure);
                break;
            }
        }
        let read = chunk.rows.len();
        if (read < ROWS_BETWEEN_LOOKS || read % ROWS_BETWEEN_LOOKS == 0) && is_late() {
            break;
        }
    }
    chunk
}

/// For so long rows are made into Python objects before other Python threads have a turn. It is longer than Python's switch
/// interval (5 ms): a thread that waits for the GIL asks for it after that time, and gets it only if it has asked.
const STRETCH: Duration = Duration::from_millis(6);

/// What `_read_rows` of a native class returns: rows, whether there are none behind them, and the exception that is raised
/// behind them.
pub type ReadRows<'py> = (Bound<'py, PyList>, bool, Option<Bound<'py, PyBaseException>>);

/// The limit that `_read_rows` of a native class is given: of that many rows, as many as the last number says for a call that
/// began so many seconds ago.
///
/// # Errors
/// `ValueError` for seconds that are negative or not a number.
pub fn limit_of(rows: usize, asked: usize, elapsed: f64) -> PyResult<Limit> {
    let elapsed = Duration::try_from_secs_f64(elapsed)
        .map_err(|error| PyValueError::new_err(format!("{elapsed} is no time that has passed: {error}")))?;
    let began = Instant::now().checked_sub(elapsed);
    Ok(began.map_or_else(
        || Limit::of_rows(rows),
        |began| Limit::of_rows(rows).asked(began, asked),
    ))
}

/// The way of a result set's rows to Python. It keeps what was read and could not be handed over yet: the rows behind one
/// whose conversion raised, and the error behind those. They go out before anything further is read, so that no row is
/// lost and an error at row n is raised at row n.
pub struct Rows<R> {
    kept: Mutex<Kept<R>>,
}

struct Kept<R> {
    rows: VecDeque<R>,
    failure: Option<PyErr>,
    /// How often it was cleared.
    begun: u64,
}

impl<R> Default for Rows<R> {
    fn default() -> Self {
        Self {
            kept: Mutex::new(Kept {
                rows: VecDeque::new(),
                failure: None,
                begun: 0,
            }),
        }
    }
}

impl<R> Rows<R> {
    /// The next row: a kept one, or one that is fetched now.
    ///
    /// # Errors
    /// The error that was kept, or what fetching raises.
    pub fn one(&self, py: Python<'_>, fetch: impl FnOnce() -> PyResult<Option<R>>) -> PyResult<Option<R>> {
        match self.kept(py, 1) {
            Some(mut chunk) => chunk
                .rows
                .pop()
                .map_or_else(|| chunk.failure.map_or(Ok(None), Err), |row| Ok(Some(row))),
            None => fetch(),
        }
    }

    /// The next rows: kept ones, at most `limit`, or those that are fetched now.
    ///
    /// # Errors
    /// What fetching raises.
    pub fn many(
        &self,
        py: Python<'_>,
        limit: usize,
        fetch: impl FnOnce() -> PyResult<Vec<R>>,
    ) -> PyResult<Chunk<R, PyErr>> {
        match self.kept(py, limit.max(1)) {
            Some(chunk) => Ok(chunk),
            None => fetch().map(Chunk::of),
        }
    }

    /// All rows that remain: kept ones, and behind them those that are fetched now.
    ///
    /// # Errors
    /// What fetching raises.
    pub fn all(&self, py: Python<'_>, fetch: impl FnOnce() -> PyResult<Vec<R>>) -> PyResult<Chunk<R, PyErr>> {
        match self.kept(py, usize::MAX) {
            Some(chunk) if chunk.failure.is_some() => Ok(chunk),
            Some(mut chunk) => {
                match fetch() {
                    Ok(rows) => chunk.rows.extend(rows),
                    Err(exception) => chunk.failure = Some(exception),
                }
                Ok(chunk)
            }
            None => fetch().map(Chunk::of),
        }
    }

    /// The next chunk: kept rows, within the limit's number, or what is read now.
    ///
    /// # Errors
    /// What reading raises.
    pub fn chunk(
        &self,
        py: Python<'_>,
        limit: Limit,
        read: impl FnOnce(Limit) -> PyResult<Chunk<R, PyErr>>,
    ) -> PyResult<Chunk<R, PyErr>> {
        match self.kept(py, limit.rows.max(1)) {
            Some(chunk) => Ok(chunk),
            None => read(limit),
        }
    }

    /// Drops what is kept: a new result set begins, or the object is closed.
    pub fn clear(&self, py: Python<'_>) {
        let mut kept = self.lock(py);
        let old = (std::mem::take(&mut kept.rows), kept.failure.take());
        kept.begun += 1;
        drop(kept);
        drop(old);
    }

    /// How many result sets have begun, or ended with their object.
    pub fn begun(&self, py: Python<'_>) -> u64 {
        self.lock(py).begun
    }

    /// Hands a chunk to Python as a list. If the conversion of a row raises, the rows behind it are kept; if an error
    /// stands behind the rows, it is kept until they have been handed over.
    ///
    /// # Errors
    /// What a conversion raises, or the error behind no rows.
    pub fn list<'py>(
        &self,
        py: Python<'py>,
        chunk: Chunk<R, PyErr>,
        convert: impl FnMut(R) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (converted, raised) = self.convert(py, chunk, convert);
        if let Some(exception) = raised {
            return Err(exception);
        }
        if converted.is_empty()
            && let Some(exception) = self.lock(py).failure.take()
        {
            return Err(exception);
        }
        PyList::new(py, converted)
    }

    /// Hands a chunk to Python as `_read_rows` returns it.
    ///
    /// # Errors
    /// An exception of Python itself: it is out of memory.
    pub fn read<'py>(
        &self,
        py: Python<'py>,
        chunk: Chunk<R, PyErr>,
        convert: impl FnMut(R) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<ReadRows<'py>> {
        let exhausted = chunk.exhausted;
        let (converted, raised) = self.convert(py, chunk, convert);
        let exhausted = exhausted && raised.is_none();
        let exception = raised.or_else(|| self.lock(py).failure.take());
        let exception = exception.map(|exception| exception.into_value(py).into_bound(py));
        Ok((PyList::new(py, converted)?, exhausted, exception))
    }

    /// Converts rows up to the first whose conversion raises; keeps the rows behind it and the chunk's failure.
    fn convert<'py>(
        &self,
        py: Python<'py>,
        chunk: Chunk<R, PyErr>,
        mut convert: impl FnMut(R) -> PyResult<Bound<'py, PyAny>>,
    ) -> (Vec<Bound<'py, PyAny>>, Option<PyErr>) {
        let mut converted = Vec::with_capacity(chunk.rows.len());
        let mut rows = chunk.rows.into_iter();
        let mut began = Instant::now();
        let raised = rows
            .by_ref()
            .enumerate()
            .map(|(number, row)| {
                if number % ROWS_BETWEEN_LOOKS == ROWS_BETWEEN_LOOKS - 1 && began.elapsed() >= STRETCH {
                    py.detach(|| ());
                    began = Instant::now();
                }
                convert(row)
            })
            .find_map(|outcome| outcome.map(|object| converted.push(object)).err());
        if rows.len() > 0 || chunk.failure.is_some() {
            let mut kept = self.lock(py);
            for row in rows.rev() {
                kept.rows.push_front(row);
            }
            kept.failure = kept.failure.take().or(chunk.failure);
        }
        (converted, raised)
    }

    /// Takes out what is kept: at most so many rows, and the error if no row is left before it. `None` if nothing is kept.
    fn kept(&self, py: Python<'_>, limit: usize) -> Option<Chunk<R, PyErr>> {
        let mut kept = self.lock(py);
        if kept.rows.is_empty() && kept.failure.is_none() {
            return None;
        }
        let count = kept.rows.len().min(limit);
        let rows: Vec<R> = kept.rows.drain(..count).collect();
        let failure = if kept.rows.is_empty() && (limit > 1 || rows.is_empty()) {
            kept.failure.take()
        } else {
            None
        };
        Some(Chunk {
            rows,
            exhausted: false,
            failure,
        })
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Kept<R>> {
        self.kept.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(end: usize) -> impl FnMut() -> Result<Option<usize>, &'static str> {
        let mut next = 0;
        move || {
            next += 1;
            Ok((next <= end).then_some(next))
        }
    }

    #[test]
    fn a_chunk_ends_at_the_number_of_rows_and_knows_whether_more_follow() {
        let mut next = counter(5);
        let first = read(Limit::of_rows(3), &mut next, |_| 0);
        assert_eq!((first.rows, first.exhausted), (vec![1, 2, 3], false));
        let second = read(Limit::of_rows(3), &mut next, |_| 0);
        assert_eq!((second.rows, second.exhausted), (vec![4, 5], true));
    }

    #[test]
    fn a_chunk_ends_behind_the_row_that_reaches_the_number_of_bytes() {
        let limit = Limit {
            bytes: 10,
            ..Limit::of_rows(100)
        };
        assert_eq!(read(limit, counter(9), |_| 4).rows, [1, 2, 3]);
        assert_eq!(read(limit, counter(9), |_| 1_000).rows, [1]);
    }

    #[test]
    fn a_chunk_of_slow_rows_ends_at_the_time() {
        let limit = Limit {
            time: Duration::from_millis(5),
            ..Limit::of_rows(1_000)
        };
        let mut next = counter(1_000);
        let slow = || {
            std::thread::sleep(Duration::from_millis(3));
            next()
        };
        let rows = read(limit, slow, |_| 0).rows.len();
        assert!((1..=2).contains(&rows), "{rows} rows of 3 ms each within 5 ms");
    }

    /// Bug: a limit on the time of a call counts anew for each of its rows, or for rows that nobody has asked for yet.
    #[test]
    fn the_rows_that_a_call_asked_for_know_when_it_began() {
        let began = Instant::now().checked_sub(Duration::from_secs(5)).unwrap();
        let next = || Ok::<_, ()>(Some(span::call_began() == began));
        let chunk = read(Limit::of_rows(4).asked(began, 2), next, |_| 0);
        assert_eq!(chunk.rows, [true, true, false, false]);
        assert_ne!(span::call_began(), began);
    }

    #[test]
    fn the_rows_before_an_error_are_kept() {
        let mut rows = vec![Err("broken"), Ok(Some(2)), Ok(Some(1))];
        let chunk = read(Limit::of_rows(10), || rows.pop().unwrap(), |_| 0);
        assert_eq!(chunk.rows, [1, 2]);
        assert_eq!((chunk.exhausted, chunk.failure), (false, Some("broken")));
    }
}
