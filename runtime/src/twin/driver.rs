//! What runs the futures of twins.

use std::convert::Infallible;
use std::future::Future;

use futures_core::Stream;
use tokio::runtime::{EnterGuard, Handle};

use super::error::{Answer, HandedOut, Refused, SingleThreaded, TwinError};
use super::items::Items;
use super::kept::Mirrored;
use super::refuse::polls_tasks;
use super::shared;
use super::wait::{Watch, wait};
use crate::outcome::Outcome;

/// The runtime in whose context twins poll their futures: it moves their timers and sockets on, and runs what they spawn.
#[derive(Clone, Debug, Default)]
pub struct Driver {
    handle: Option<Handle>,
}

impl Driver {
    /// The runtime that all twins of the process share: its own, made when it is first needed, or the one that was given to
    /// [`share`](super::share).
    pub fn shared() -> Self {
        Self { handle: None }
    }

    /// A given runtime, which has to outlive the twins.
    ///
    /// # Errors
    /// [`SingleThreaded`] for a runtime of one thread: nothing would move on while that thread waits in a twin.
    pub fn on(handle: Handle) -> Result<Self, SingleThreaded> {
        shared::check(&handle)?;
        Ok(Self { handle: Some(handle) })
    }

    /// The runtime's handle.
    pub(crate) fn handle(&self) -> Result<&Handle, Refused> {
        match &self.handle {
            Some(handle) => Ok(handle),
            None => shared::handle(),
        }
    }

    /// The runtime's context, where there is one already or one can be made.
    pub(crate) fn enter(&self) -> Option<EnterGuard<'_>> {
        self.handle().ok().map(Handle::enter)
    }

    /// Runs the future that `make` gives to its end, in the calling thread.
    ///
    /// # Errors
    /// What the future gives, as [`TwinError::Call`]; the other variants if it was not run at all.
    pub fn run<R, M, F>(&self, make: impl FnOnce() -> M) -> Answer<R, F>
    where
        M: Future<Output = R>,
        R: Outcome,
        F: From<TwinError<R::Error>>,
    {
        match self.run_watched::<_, Infallible>(make, None) {
            Ok(Ok(outcome)) => outcome.into_result().map_err(|error| F::from(TwinError::Call(error))),
            Ok(Err(stopped)) => match stopped {},
            Err(refused) => Err(F::from(refused.into())),
        }
    }

    /// As [`Driver::run`], for a future that gives an object: the object's blocking form has this driver.
    ///
    /// # Errors
    /// As [`Driver::run`] has them.
    pub fn hand_out<R, M, F>(&self, make: impl FnOnce() -> M) -> HandedOut<R, F>
    where
        M: Future<Output = R>,
        R: Outcome<Ok: Mirrored>,
        F: From<TwinError<R::Error>>,
    {
        self.run(make).map(|object| object.into_blocking(self.clone()))
    }

    /// The items of the stream that `make` gives, as an iterator.
    pub fn items<S, F>(&self, make: impl FnOnce() -> S) -> Items<S, F>
    where
        S: Stream<Item: Outcome>,
    {
        let context = self.enter();
        let stream = Box::pin(make());
        drop(context);
        Items::new(stream, self.clone())
    }

    /// Runs a future, and drops it if the watch says so.
    pub(crate) fn run_watched<M: Future, B>(
        &self,
        make: impl FnOnce() -> M,
        watch: Option<Watch<'_, B>>,
    ) -> Result<Result<M::Output, B>, Refused> {
        if polls_tasks() {
            return Err(Refused::OnRuntime);
        }
        let _context = self.handle()?.enter();
        Ok(wait(make(), watch))
    }
}
