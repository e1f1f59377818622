//! The rows that were read ahead, shared by all proxies of one object.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{OneRow, Rows};
use crate::error::CallError;
use crate::task::lock;

/// Rows read ahead of those who asked for them, in the order of the result set.
///
/// A row leaves it in one of two ways. The members that read rows take it in place, in the caller's thread, as long as no
/// call is queued that could come before them; otherwise they queue a call that takes it in its turn. A row that was taken
/// for a future that is then dropped comes back to its old place.
pub struct RowBuffer<One: OneRow>(Mutex<State<One::Row, One::Error>>);

pub(super) struct State<Row, E> {
    /// Which result set this is.
    pub(super) generation: u64,
    /// The number of the next row that is read.
    next: u64,
    entries: VecDeque<(u64, Entry<Row, E>)>,
    /// Calls in the queue that must come before whoever asks now.
    turns: usize,
    /// A call to read ahead is in the queue or runs; it only appends.
    prefetching: bool,
}

pub(super) enum Entry<Row, E> {
    Row(Row),
    /// Reading came to the end of the result set.
    End,
    /// Reading failed here.
    Failed(CallError<E>),
}

/// What stands behind the rows that were asked for.
pub(super) enum Behind<E> {
    /// More rows, or nothing that was read yet.
    Unknown,
    End,
    Failed(CallError<E>),
}

/// Rows taken out, and the number of the first.
pub(super) struct Taken<Row> {
    pub(super) rows: Vec<Row>,
    pub(super) first: u64,
}

impl<One: OneRow> Default for RowBuffer<One> {
    fn default() -> Self {
        Self(Mutex::new(State {
            generation: 0,
            next: 0,
            entries: VecDeque::new(),
            turns: 0,
            prefetching: false,
        }))
    }
}

impl<One: OneRow> RowBuffer<One> {
    pub(super) fn state(&self) -> MutexGuard<'_, State<One::Row, One::Error>> {
        lock(&self.0)
    }
}

impl<One: OneRow> Rows for RowBuffer<One> {
    type Turn = Turn<One>;

    fn turn(self: &Arc<Self>) -> Turn<One> {
        self.state().turns += 1;
        Turn(self.clone())
    }

    fn clear(&self) {
        let old = {
            let mut state = self.state();
            state.generation += 1;
            mem::take(&mut state.entries)
        };
        drop(old);
    }
}

/// Announces a call; see [`Rows::turn`].
pub struct Turn<One: OneRow>(Arc<RowBuffer<One>>);

impl<One: OneRow> Drop for Turn<One> {
    fn drop(&mut self) {
        self.0.state().turns -= 1;
    }
}

/// Announces a call that only reads ahead; see [`RowBuffer::begin_prefetch`].
pub(super) struct Prefetch<One: OneRow>(pub(super) Arc<RowBuffer<One>>);

impl<One: OneRow> Drop for Prefetch<One> {
    fn drop(&mut self) {
        self.0.state().prefetching = false;
    }
}

impl<One: OneRow> RowBuffer<One> {
    /// Whether it is time to read the next rows; if so, the caller does it.
    pub(super) fn begin_prefetch(self: &Arc<Self>, low: usize) -> Option<Prefetch<One>> {
        let mut state = self.state();
        let finished = matches!(state.entries.back(), Some((_, Entry::End | Entry::Failed(_))));
        if state.prefetching || state.turns > 0 || finished || state.entries.len() > low {
            return None;
        }
        state.prefetching = true;
        Some(Prefetch(self.clone()))
    }
}

impl<Row, E> State<Row, E> {
    /// Whether rows may be taken in place.
    pub(super) fn is_free(&self) -> bool {
        self.turns == 0
    }

    /// Whether nothing is known of what comes next.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether `wanted` rows are there, or all that there are.
    pub(super) fn suffices(&self, wanted: usize) -> bool {
        self.entries.len() >= wanted || matches!(self.entries.back(), Some((_, Entry::End | Entry::Failed(_))))
    }

    /// Takes what comes next.
    pub(super) fn take_one(&mut self) -> Option<(u64, Entry<Row, E>)> {
        self.entries.pop_front()
    }

    /// Takes up to `wanted` rows. The end of the result set is left in place behind rows, so that it is told once more; an
    /// error comes in place of the rows before it, as it does in a blocking call that runs into it.
    pub(super) fn take(&mut self, wanted: usize) -> (Taken<Row>, Behind<E>) {
        let first = self.entries.front().map_or(self.next, |(number, _)| *number);
        let mut rows = Vec::with_capacity(wanted.min(self.entries.len()));
        let mut behind = Behind::Unknown;
        while rows.len() < wanted {
            match self.entries.pop_front() {
                Some((_, Entry::Row(row))) => rows.push(row),
                Some((number, Entry::End)) => {
                    if !rows.is_empty() {
                        self.entries.push_front((number, Entry::End));
                    }
                    behind = Behind::End;
                    break;
                }
                Some((_, Entry::Failed(error))) => {
                    behind = Behind::Failed(error);
                    break;
                }
                None => break,
            }
        }
        (Taken { rows, first }, behind)
    }

    /// Appends what was read.
    pub(super) fn extend(&mut self, entries: impl IntoIterator<Item = Entry<Row, E>>) {
        for entry in entries {
            self.entries.push_back((self.next, entry));
            self.next += 1;
        }
    }

    /// The number of the next row that is read.
    pub(super) fn next_number(&self) -> u64 {
        self.next
    }

    /// Numbers rows that were read without passing through the buffer.
    pub(super) fn number(&mut self, count: usize) {
        self.next += count as u64;
    }

    /// Puts rows back where they were.
    pub(super) fn put_back(&mut self, first: u64, rows: impl IntoIterator<Item = Row>) {
        let position = self.entries.partition_point(|(number, _)| *number < first);
        for (offset, row) in rows.into_iter().enumerate() {
            self.entries
                .insert(position + offset, (first + offset as u64, Entry::Row(row)));
        }
    }
}
