//! Rows on their way to a future: if nobody takes them, they go back.

use std::sync::Arc;

use super::{OneRow, RowBuffer};
use crate::error::{CallError, Fault};
use crate::task::Output;

/// The answer of a member that reads rows, `A` being an `Option` or a `Vec` of them. Dropped before its future has taken it,
/// it returns the rows to the buffer.
pub(super) struct Lent<One: OneRow, A: IntoIterator<Item = One::Row>> {
    answer: Option<Result<A, CallError<One::Error>>>,
    home: Option<Home<One>>,
}

/// Where rows came from.
pub(super) struct Home<One: OneRow> {
    pub(super) buffer: Arc<RowBuffer<One>>,
    pub(super) generation: u64,
    pub(super) first: u64,
}

impl<One: OneRow, A: IntoIterator<Item = One::Row>> Lent<One, A> {
    pub(super) fn rows(rows: A, home: Home<One>) -> Self {
        Self {
            answer: Some(Ok(rows)),
            home: Some(home),
        }
    }

    pub(super) fn error(error: CallError<One::Error>) -> Self {
        Self {
            answer: Some(Err(error)),
            home: None,
        }
    }

    /// The answer, which is now the caller's.
    pub(super) fn take(&mut self) -> Option<Result<A, CallError<One::Error>>> {
        self.answer.take()
    }
}

impl<One: OneRow, A: IntoIterator<Item = One::Row>> Drop for Lent<One, A> {
    fn drop(&mut self) {
        if let (Some(Ok(rows)), Some(home)) = (self.answer.take(), &self.home) {
            let mut state = home.buffer.state();
            if state.generation == home.generation {
                state.put_back(home.first, rows);
            }
        }
    }
}

impl<One, A> Output<Result<A, CallError<One::Error>>> for Lent<One, A>
where
    One: OneRow,
    A: IntoIterator<Item = One::Row> + Send + 'static,
{
    fn from_fault(fault: Fault) -> Self {
        Self::error(fault.into())
    }

    fn into_answer(mut self) -> Result<A, CallError<One::Error>> {
        self.take().unwrap_or(Err(CallError::Gone))
    }
}
