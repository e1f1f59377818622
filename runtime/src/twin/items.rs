//! The items of a stream, as a plain iterator.

use std::fmt;
use std::future::poll_fn;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::pin::Pin;

use futures_core::Stream;

use super::driver::Driver;
use super::error::TwinError;
use crate::outcome::Outcome;

/// The blocking twin of a stream: each item is waited for in the thread that asks for it.
///
/// Nothing is read ahead. An item that is a `Result` gives its error as [`TwinError::Call`]; what comes behind it is up to the
/// stream.
#[must_use = "nothing is read until the iterator is asked for an item"]
pub struct Items<S: Stream<Item: Outcome>, F = TwinError<<<S as Stream>::Item as Outcome>::Error>> {
    /// Dropped in the runtime's context; `None` behind the end.
    stream: Option<Pin<Box<S>>>,
    driver: Driver,
    error: PhantomData<fn() -> F>,
}

impl<S: Stream<Item: Outcome>, F> Items<S, F> {
    pub(super) fn new(stream: Pin<Box<S>>, driver: Driver) -> Self {
        Self {
            stream: Some(stream),
            driver,
            error: PhantomData,
        }
    }

    fn end(&mut self) {
        if let Some(stream) = self.stream.take() {
            let _context = self.driver.enter();
            drop(stream);
        }
    }
}

impl<S, F> Iterator for Items<S, F>
where
    S: Stream<Item: Outcome>,
    F: From<TwinError<<S::Item as Outcome>::Error>>,
{
    type Item = Result<<S::Item as Outcome>::Ok, F>;

    fn next(&mut self) -> Option<Self::Item> {
        let stream = self.stream.as_mut()?;
        let next = poll_fn(|context| stream.as_mut().poll_next(context));
        let next = self.driver.run_watched::<_, std::convert::Infallible>(|| next, None);
        match next {
            Ok(Ok(Some(item))) => Some(item.into_result().map_err(|error| F::from(TwinError::Call(error)))),
            Ok(Ok(None)) => {
                self.end();
                None
            }
            Ok(Err(stopped)) => match stopped {},
            Err(refused) => Some(Err(F::from(refused.into()))),
        }
    }
}

impl<S, F> FusedIterator for Items<S, F>
where
    S: Stream<Item: Outcome>,
    F: From<TwinError<<S::Item as Outcome>::Error>>,
{
}

impl<S: Stream<Item: Outcome>, F> Drop for Items<S, F> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<S: Stream<Item: Outcome>, F> fmt::Debug for Items<S, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Items").finish_non_exhaustive()
    }
}
