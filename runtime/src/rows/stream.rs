//! Iteration.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::OneRow;
use super::buffer::Entry;
use crate::call::Call;
use crate::class::ResultSet;
use crate::error::CallError;
use crate::handle::Handle;
use crate::outcome::Outcome;

/// The rows that remain of a result set, `R` being what the member that gives the next row returns.
///
/// It shares the read-ahead buffer of its object with the other members that read rows. Leaving it half way loses nothing:
/// what it did not give is there for the next stream or fetch. It ends after the last row, and after an error. Rows come as
/// they were when they were read, up to a chunk (64 rows or a millisecond of reading) before they are asked for.
#[must_use = "a stream reads nothing until it is polled"]
pub struct RowStream<R: OneRow, F = CallError<<R as Outcome>::Error>> {
    source: Arc<dyn Source<R>>,
    request: Option<Call<R>>,
    finished: bool,
    error: PhantomData<fn() -> F>,
}

/// A handle, its class forgotten.
pub(super) trait Source<R: OneRow>: Send + Sync {
    /// The next entry, if it is there and may be taken now.
    fn next(&self) -> Option<Entry<R::Row, R::Error>>;

    /// A call for the next row.
    fn request(&self) -> Call<R>;
}

impl<T, R> Source<R> for Handle<T>
where
    T: ResultSet,
    R: OneRow<Row = <T::One as OneRow>::Row> + Outcome<Error = <T::One as Outcome>::Error>,
{
    fn next(&self) -> Option<Entry<R::Row, R::Error>> {
        let (entry, _) = self.next_in_place()?;
        if matches!(entry, Entry::Row(_)) {
            self.prefetch();
        }
        Some(entry)
    }

    fn request(&self) -> Call<R> {
        self.fetch_one()
    }
}

/// What one step of a stream gives.
type Step<R> = Option<Result<<R as OneRow>::Row, CallError<<R as Outcome>::Error>>>;

impl<R: OneRow, F> RowStream<R, F> {
    pub(super) fn new(source: Arc<dyn Source<R>>) -> Self {
        Self {
            source,
            request: None,
            finished: false,
            error: PhantomData,
        }
    }

    /// The next row; `None` after the last. Dropping the future loses no row.
    #[expect(
        clippy::should_implement_trait,
        reason = "it is the `next` of `StreamExt`, there without that trait"
    )]
    pub fn next(&mut self) -> NextRow<'_, R, F>
    where
        F: From<CallError<R::Error>>,
    {
        NextRow(self)
    }

    fn poll_row(&mut self, context: &mut Context<'_>) -> Poll<Step<R>> {
        if self.finished {
            return Poll::Ready(None);
        }
        if self.request.is_none() {
            match self.source.next() {
                Some(Entry::Row(row)) => return Poll::Ready(Some(Ok(row))),
                Some(Entry::End) => return self.finish(None),
                Some(Entry::Failed(error)) => return self.finish(Some(error)),
                None => {}
            }
        }
        let source = &self.source;
        let request = self.request.get_or_insert_with(|| source.request());
        let answer = ready!(Pin::new(request).poll(context));
        self.request = None;
        match answer {
            Ok(Some(row)) => Poll::Ready(Some(Ok(row))),
            Ok(None) => self.finish(None),
            Err(error) => self.finish(Some(error)),
        }
    }

    fn finish<T>(&mut self, error: Option<CallError<R::Error>>) -> Poll<Option<Result<T, CallError<R::Error>>>> {
        self.finished = true;
        Poll::Ready(error.map(Err))
    }
}

impl<R: OneRow, F> Unpin for RowStream<R, F> {}

impl<R: OneRow, F: From<CallError<R::Error>>> Stream for RowStream<R, F> {
    type Item = Result<R::Row, F>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_row(context).map(|row| row.map(|row| row.map_err(F::from)))
    }
}

impl<R: OneRow, F> fmt::Debug for RowStream<R, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RowStream")
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}

/// The future of [`RowStream::next`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct NextRow<'a, R: OneRow, F>(&'a mut RowStream<R, F>);

impl<R: OneRow, F: From<CallError<R::Error>>> Future for NextRow<'_, R, F> {
    type Output = Option<Result<R::Row, F>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.0).poll_next(context)
    }
}
