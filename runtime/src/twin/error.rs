//! What a blocking twin gives, and what it can fail with.

use super::kept::Mirrored;
use crate::outcome::Outcome;

/// The error of a blocking twin: the method's own, or why its future was not run.
///
/// `E` is the error type of the method, [`std::convert::Infallible`] where it can't fail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TwinError<E> {
    /// The method ran and failed with this.
    #[error(transparent)]
    Call(E),
    /// The twin was called in a thread in which tokio polls a task.
    #[error(
        "a blocking twin was called in a thread that runs tasks of tokio, and would hold them up while it waits: await the \
         async method there, or call the twin inside of `tokio::task::spawn_blocking`"
    )]
    OnRuntime,
    /// The runtime that is to run the future could not be made, with the system's reason.
    #[error("no runtime could be started for a blocking twin: {0}; look at the limit on threads and on open files")]
    NoRuntime(String),
}

impl<E> TwinError<E> {
    /// The method's own error, if it is one.
    pub fn into_call(self) -> Option<E> {
        match self {
            Self::Call(error) => Some(error),
            _ => None,
        }
    }

    /// The same with the method's own error converted.
    pub fn map<T>(self, convert: impl FnOnce(E) -> T) -> TwinError<T> {
        match self {
            Self::Call(error) => TwinError::Call(convert(error)),
            Self::OnRuntime => TwinError::OnRuntime,
            Self::NoRuntime(reason) => TwinError::NoRuntime(reason),
        }
    }
}

/// Why a future cannot be run at all.
#[derive(Clone, Debug)]
pub(crate) enum Refused {
    OnRuntime,
    NoRuntime(String),
}

impl<E> From<Refused> for TwinError<E> {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::OnRuntime => Self::OnRuntime,
            Refused::NoRuntime(reason) => Self::NoRuntime(reason),
        }
    }
}

/// What a twin gives: the type of success of `R`, or `F`, which is [`TwinError`] where the description names no error type of
/// its own.
pub type Answer<R, F = TwinError<<R as Outcome>::Error>> = Result<<R as Outcome>::Ok, F>;

/// What a twin gives that hands out an object: the object's blocking form, or `F`.
pub type HandedOut<R, F = TwinError<<R as Outcome>::Error>> = Result<<<R as Outcome>::Ok as Mirrored>::Blocking, F>;

/// A handle that twins cannot use: its runtime has one thread, and does nothing while nobody runs that thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a runtime of one thread moves nothing on while that thread is elsewhere, so that a twin could wait for ever: give the \
     handle of a runtime from `tokio::runtime::Builder::new_multi_thread`"
)]
pub struct SingleThreaded;

/// Why a handle was not taken as the shared one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlreadyShared {
    /// There is a shared runtime already.
    #[error("twins have a runtime already: call `async_proxy::twin::share` once, before the first twin")]
    InUse,
    /// The handle's runtime has one thread.
    #[error(transparent)]
    SingleThreaded(#[from] SingleThreaded),
}
