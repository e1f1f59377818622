//! What a call through a proxy can fail with.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The error of a call through a proxy: the blocking method's own, or what went wrong on the way to it.
///
/// `E` is the error type of the blocking method, [`std::convert::Infallible`] where it can't fail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError<E> {
    /// The blocking method ran and failed with this.
    #[error(transparent)]
    Call(E),
    /// The object was closed before the call was made, or the call waited in a lane that the close cancelled.
    #[error("the object is closed: open another one, or make the call before `close`")]
    Closed,
    /// The worker can't be reached: its thread could not be started, or has ended.
    #[error(
        "the worker of the object is gone: its thread could not be started or has ended; open another object, and look at the limit on threads if this happens while opening"
    )]
    Gone,
    /// The blocking method panicked with this message; the object and its worker go on.
    #[error(
        "the call panicked: {0}; the worker goes on, but look whether the object is still in a state that makes sense"
    )]
    Panicked(String),
}

impl<E> CallError<E> {
    /// The blocking method's own error, if it is one.
    pub fn into_call(self) -> Option<E> {
        match self {
            Self::Call(error) => Some(error),
            _ => None,
        }
    }

    /// The same with the blocking method's own error converted.
    pub fn map<T>(self, convert: impl FnOnce(E) -> T) -> CallError<T> {
        match self {
            Self::Call(error) => CallError::Call(convert(error)),
            Self::Closed => CallError::Closed,
            Self::Gone => CallError::Gone,
            Self::Panicked(message) => CallError::Panicked(message),
        }
    }
}

/// What can go wrong with a call apart from the method's own error.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Closed,
    Gone,
    Panicked(String),
}

impl<E> From<Fault> for CallError<E> {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Closed => Self::Closed,
            Fault::Gone => Self::Gone,
            Fault::Panicked(message) => Self::Panicked(message),
        }
    }
}

/// Runs code that is not ours. A panic in it becomes a fault that carries its message.
pub(crate) fn guarded<T>(code: impl FnOnce() -> T) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|payload| Fault::Panicked(message_of(payload)))
}

/// Drops a value whose `Drop` is not ours and may panic.
pub(crate) fn drop_guarded<T>(value: T) {
    let _ = guarded(move || drop(value));
}

fn message_of(payload: Box<dyn Any + Send>) -> String {
    let message = if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a payload that is not text".to_owned()
    };
    // A payload may panic when it is dropped, and so may the payload of that panic: the second one is leaked.
    if let Err(second) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
        mem::forget(second);
    }
    message
}
