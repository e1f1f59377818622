//! The members that read rows: from the buffer where they can, on the worker where they must.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::buffer::{Behind, Entry, RowBuffer};
use super::lent::{Home, Lent};
use super::stream::RowStream;
use super::{OneRow, Rows};
use crate::call::{Answering, Call};
use crate::class::ResultSet;
use crate::error::{CallError, Fault, guarded};
use crate::handle::Handle;
use crate::outcome::Outcome;
use crate::storage::{Access, Place};
use crate::task::{CallToken, Pending, lock};
use crate::worker::Worker;

/// A chunk that is read ahead ends at so many rows,
const CHUNK_ROWS: usize = 64;
/// or when reading it has taken so long, whichever is first.
const CHUNK_TIME: Duration = Duration::from_millis(1);
/// The next chunk is read when no more rows than these are left of the last.
const LOW: usize = CHUNK_ROWS / 2;

/// The size that a member which reads several rows is asked for: an integer, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number of rows",
    note = "a `rows` member that gives several takes one argument: an integer or an `Option` of one"
)]
pub trait RowCount: Copy + Send + 'static {
    /// The number, where it is given.
    fn rows(self) -> Option<usize>;

    /// That number in this type.
    fn of(rows: usize) -> Self;
}

macro_rules! row_count {
    ($($integer:ty),*) => {
        $(
            impl RowCount for $integer {
                fn rows(self) -> Option<usize> {
                    // What is no number of rows in memory, too large or negative, asks for all.
                    Some(usize::try_from(self).unwrap_or(usize::MAX))
                }

                fn of(rows: usize) -> Self {
                    <$integer>::try_from(rows).unwrap_or(<$integer>::MAX)
                }
            }
        )*
    };
}

row_count!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl<T: RowCount> RowCount for Option<T> {
    fn rows(self) -> Option<usize> {
        self.and_then(T::rows)
    }

    fn of(rows: usize) -> Self {
        Some(T::of(rows))
    }
}

/// What a class's next row is read with.
type One<T> = <T as ResultSet>::One;
type Row<T> = <One<T> as OneRow>::Row;
type Error<T> = <One<T> as Outcome>::Error;
/// A row that was read ahead, and where its object came from.
type Ahead<T> = (Entry<Row<T>, Error<T>>, Home<One<T>>);

impl<T: ResultSet> Handle<T> {
    fn rows(&self) -> &Arc<RowBuffer<T::One>> {
        &self.0.rows
    }

    fn home(&self, generation: u64, first: u64) -> Home<T::One> {
        Home {
            buffer: self.rows().clone(),
            generation,
            first,
        }
    }

    /// The next row.
    pub fn fetch_one<R, F>(&self) -> Call<R, F>
    where
        R: OneRow<Row = Row<T>> + Outcome<Error = Error<T>>,
    {
        Call::new(self.answer_one())
    }

    pub(super) fn answer_one(&self) -> Answering<Option<Row<T>>, Error<T>> {
        if let Some((entry, home)) = self.next_in_place() {
            return in_place(lent_one(entry, home));
        }
        let place = self.0.life.place.clone();
        let (turn, rows) = (self.rows().turn(), self.rows().clone());
        self.0.life.submit_main(move |worker| {
            let _turn = turn;
            if rows.state().is_empty() {
                if let Err(fault) = read_chunk::<T>(&rows, &place, worker) {
                    return Lent::error(fault.into());
                }
                worker.arena.publish(&place);
            }
            let mut state = rows.state();
            let generation = state.generation;
            let taken = state.take_one();
            drop(state);
            match taken {
                Some((first, entry)) => lent_one(
                    entry,
                    Home {
                        buffer: rows,
                        generation,
                        first,
                    },
                ),
                None => Lent::error(CallError::Gone),
            }
        })
    }

    /// What comes next, if it may be taken in the caller's thread.
    pub(super) fn next_in_place(&self) -> Option<Ahead<T>> {
        if self.0.life.is_closed() {
            return None;
        }
        let mut state = self.rows().state();
        if !state.is_free() {
            return None;
        }
        let generation = state.generation;
        let (first, entry) = state.take_one()?;
        drop(state);
        Some((entry, self.home(generation, first)))
    }

    /// The next rows, at most as many as `size` says, or `default_size` where it says nothing.
    pub fn fetch_many<R, F, S>(
        &self,
        size: S,
        default_size: impl FnOnce(&T) -> Option<usize> + Send + 'static,
        many: impl FnOnce(<T::Access as Access>::Reference<'_, T>, S) -> R + Send + 'static,
    ) -> Call<R, F>
    where
        R: Outcome<Ok = Vec<Row<T>>, Error = Error<T>>,
        S: RowCount,
    {
        if let (Some(wanted), false) = (size.rows(), self.0.life.is_closed()) {
            let mut state = self.rows().state();
            if wanted > 0 && state.is_free() && state.suffices(wanted) {
                let generation = state.generation;
                let (taken, behind) = state.take(wanted);
                drop(state);
                return Call::new(in_place(match behind {
                    Behind::Failed(error) => Lent::error(error),
                    Behind::Unknown | Behind::End => Lent::rows(taken.rows, self.home(generation, taken.first)),
                }));
            }
        }
        let place = self.0.life.place.clone();
        let (turn, rows) = (self.rows().turn(), self.rows().clone());
        Call::new(self.0.life.submit_main(move |worker| {
            let _turn = turn;
            if rows.state().is_empty() {
                return read_rest::<T, R>(&rows, &place, worker, Vec::new(), None, |object| many(object, size));
            }
            let wanted = match size.rows() {
                Some(wanted) => wanted,
                None => match worker.arena.with(&place, false, default_size) {
                    // Nothing says how many: the least that is not none.
                    Ok(wanted) => wanted.unwrap_or(1),
                    Err(fault) => return Lent::error(fault.into()),
                },
            };
            let mut state = rows.state();
            let generation = state.generation;
            let (taken, behind) = state.take(wanted);
            drop(state);
            let missing = wanted - taken.rows.len();
            match behind {
                Behind::Failed(error) => Lent::error(error),
                Behind::Unknown if missing > 0 => {
                    read_rest::<T, R>(&rows, &place, worker, taken.rows, Some(taken.first), |object| {
                        many(object, S::of(missing))
                    })
                }
                Behind::Unknown | Behind::End => Lent::rows(
                    taken.rows,
                    Home {
                        buffer: rows,
                        generation,
                        first: taken.first,
                    },
                ),
            }
        }))
    }

    /// All rows that remain.
    pub fn fetch_all<R, F>(
        &self,
        all: impl FnOnce(<T::Access as Access>::Reference<'_, T>) -> R + Send + 'static,
    ) -> Call<R, F>
    where
        R: Outcome<Ok = Vec<Row<T>>, Error = Error<T>>,
    {
        if !self.0.life.is_closed() {
            let mut state = self.rows().state();
            if state.is_free() && state.suffices(usize::MAX) {
                let generation = state.generation;
                let (taken, behind) = state.take(usize::MAX);
                drop(state);
                return Call::new(in_place(match behind {
                    Behind::Failed(error) => Lent::error(error),
                    Behind::Unknown | Behind::End => Lent::rows(taken.rows, self.home(generation, taken.first)),
                }));
            }
        }
        let place = self.0.life.place.clone();
        let (turn, rows) = (self.rows().turn(), self.rows().clone());
        Call::new(self.0.life.submit_main(move |worker| {
            let _turn = turn;
            let mut state = rows.state();
            let generation = state.generation;
            let (taken, behind) = state.take(usize::MAX);
            drop(state);
            match behind {
                Behind::Failed(error) => Lent::error(error),
                Behind::End => Lent::rows(
                    taken.rows,
                    Home {
                        buffer: rows,
                        generation,
                        first: taken.first,
                    },
                ),
                Behind::Unknown => read_rest::<T, R>(&rows, &place, worker, taken.rows, Some(taken.first), |object| {
                    all(object)
                }),
            }
        }))
    }

    /// All rows that remain, one by one.
    pub fn stream<R, F>(&self) -> RowStream<R, F>
    where
        R: OneRow<Row = Row<T>> + Outcome<Error = Error<T>>,
    {
        RowStream::new(Arc::new(self.clone()))
    }

    /// Has the next rows read while those that are left are consumed.
    pub(super) fn prefetch(&self) {
        let Some(prefetch) = self.rows().begin_prefetch(LOW) else {
            return;
        };
        let place = self.0.life.place.clone();
        self.0.life.submit_unawaited(move |worker| {
            // A fault here is one that whoever asks for the next row is told too.
            let _ = read_chunk::<T>(&prefetch.0, &place, worker);
            worker.arena.publish(&place);
        });
    }

    /// Reads the first rows of a new result set, in the call that began it.
    pub fn read_ahead(&self, worker: &mut Worker) {
        let _ = read_chunk::<T>(self.rows(), &self.0.life.place, worker);
    }
}

/// The answer of a member that was served in the caller's thread.
fn in_place<One, A>(lent: Lent<One, A>) -> Answering<A, One::Error>
where
    One: OneRow,
    A: IntoIterator<Item = One::Row> + Send + 'static,
{
    Answering::pending(Arc::new(Served(Mutex::new(Some(lent)))))
}

struct Served<O>(Mutex<Option<O>>);

impl<One, A> Pending<Result<A, CallError<One::Error>>> for Served<Lent<One, A>>
where
    One: OneRow,
    A: IntoIterator<Item = One::Row> + Send + 'static,
{
    fn poll_answer(&self, _: &mut Context<'_>) -> Poll<Result<A, CallError<One::Error>>> {
        let answer = lock(&self.0).take().and_then(|mut lent| lent.take());
        Poll::Ready(answer.expect("a call's future was polled after it had given its result"))
    }

    fn cancel(&self) {
        let lent = lock(&self.0).take();
        drop(lent);
    }
}

fn lent_one<One: OneRow>(entry: Entry<One::Row, One::Error>, home: Home<One>) -> Lent<One, Option<One::Row>> {
    match entry {
        Entry::Row(row) => Lent::rows(Some(row), home),
        Entry::End => Lent::rows(None, home),
        Entry::Failed(error) => Lent::error(error),
    }
}

/// Reads rows up to the limits of a chunk, at least one entry.
fn read_chunk<T: ResultSet>(rows: &RowBuffer<T::One>, place: &Place, worker: &mut Worker) -> Result<(), Fault> {
    let started = Instant::now();
    let token = CallToken::current();
    for count in 1.. {
        // A panic while reading ahead is an error at its row, as any other: not one of whoever asked for the rows before it.
        let entry = match guarded(|| T::Access::with(worker, place, false, T::one)) {
            Ok(read) => match read.map_err(|fault| fault.0)?.into_result() {
                Ok(Some(row)) => Entry::Row(row),
                Ok(None) => Entry::End,
                Err(error) => Entry::Failed(CallError::Call(error)),
            },
            Err(panic) => Entry::Failed(panic.into()),
        };
        let last = !matches!(entry, Entry::Row(_));
        rows.state().extend([entry]);
        let nobody_waits = token.as_ref().is_some_and(CallToken::is_cancelled);
        if last || nobody_waits || count == CHUNK_ROWS || started.elapsed() >= CHUNK_TIME {
            break;
        }
    }
    Ok(())
}

/// Has the object itself give what is missing behind the rows that were there.
fn read_rest<T, R>(
    rows: &Arc<RowBuffer<T::One>>,
    place: &Place,
    worker: &mut Worker,
    mut taken: Vec<Row<T>>,
    first: Option<u64>,
    read: impl FnOnce(<T::Access as Access>::Reference<'_, T>) -> R,
) -> Lent<T::One, Vec<Row<T>>>
where
    T: ResultSet,
    R: Outcome<Ok = Vec<Row<T>>, Error = Error<T>>,
{
    let rest = match T::Access::with(worker, place, true, read) {
        Ok(rest) => rest.into_result(),
        Err(fault) => return Lent::error(fault.0.into()),
    };
    match rest {
        Ok(rest) => {
            let mut state = rows.state();
            let first = first.unwrap_or_else(|| state.next_number());
            state.number(rest.len());
            let generation = state.generation;
            drop(state);
            if taken.is_empty() {
                taken = rest;
            } else {
                taken.extend(rest);
            }
            Lent::rows(
                taken,
                Home {
                    buffer: rows.clone(),
                    generation,
                    first,
                },
            )
        }
        Err(error) => Lent::error(CallError::Call(error)),
    }
}
