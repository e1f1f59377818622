//! Reading a result set: a read-ahead buffer that nobody notices.

mod buffer;
mod fetch;
mod lent;
mod stream;

use std::sync::Arc;

pub use buffer::RowBuffer;
pub use fetch::RowCount;
pub use stream::{NextRow, RowStream};

use crate::outcome::Outcome;

/// What the member that gives the next row returns: an [`Outcome`] whose success is an `Option`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a member that gives the next row returns",
    note = "it returns `Option<Row>`, or a `Result` of that"
)]
pub trait OneRow: Outcome<Ok = Option<Self::Row>, Error: Send + 'static> + 'static {
    /// The type of a row.
    type Row: Send + 'static;
}

impl<R, T> OneRow for R
where
    R: Outcome<Ok = Option<T>, Error: Send + 'static> + 'static,
    T: Send + 'static,
{
    type Row = T;
}

/// The read-ahead buffer of a class: [`RowBuffer`], or [`NoRows`].
pub trait Rows: Default + Send + Sync + 'static {
    #[doc(hidden)]
    type Turn: Send + 'static;

    /// Announces a call that reads rows, or begins a new result set: until the guard is dropped, whoever reads rows waits for
    /// their turn in the queue.
    #[doc(hidden)]
    fn turn(self: &Arc<Self>) -> Self::Turn;

    /// Drops the rows of the last result set.
    #[doc(hidden)]
    fn clear(&self);
}

/// The buffer of a class that reads no result set.
#[derive(Default)]
pub struct NoRows(());

impl Rows for NoRows {
    type Turn = ();

    fn turn(self: &Arc<Self>) {}

    fn clear(&self) {}
}

/// How a class that extends another gives it its buffer: they share it, unless only the extending class reads rows.
#[diagnostic::on_unimplemented(
    message = "a class with `rows` members can't extend another one that has them too",
    note = "leave the members that read rows to the class that is extended"
)]
pub trait HandsDownRows<B> {
    #[doc(hidden)]
    fn hand_down(own: &Arc<Self>) -> Arc<B>;
}

impl<B: Rows> HandsDownRows<B> for B {
    fn hand_down(own: &Arc<B>) -> Arc<B> {
        own.clone()
    }
}

impl<One: OneRow> HandsDownRows<NoRows> for RowBuffer<One> {
    fn hand_down(_: &Arc<Self>) -> Arc<NoRows> {
        Arc::default()
    }
}
