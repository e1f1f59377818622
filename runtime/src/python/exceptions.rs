//! From what a call gives when it fails to a Python exception.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::PyErr;
use pyo3::exceptions::{PyRuntimeError, PyValueError};

/// A generated module: which exceptions it raises for what no error of the API stands for. `class` is a class's name in
/// Python.
pub trait Module {
    /// For a call on an object that was closed.
    fn closed(class: &'static str) -> PyErr {
        PyValueError::new_err(format!("this {class} is closed: open another one"))
    }

    /// For a call that an object's own call makes on it: from a callback, say.
    fn reentered(class: &'static str) -> PyErr {
        PyRuntimeError::new_err(format!(
            "this {class} is in the middle of a call: use another one inside of its callbacks"
        ))
    }

    /// For a call on an object of a derived class that has not called the `__init__` of its base.
    fn unopened(class: &'static str) -> PyErr {
        PyRuntimeError::new_err(format!(
            "this {class} was never opened: call super().__init__() in the derived class"
        ))
    }

    /// For a call in another thread than that to which the object is confined; the threads by the numbers of Python.
    fn misplaced(class: &'static str, home: u64, here: u64) -> PyErr {
        PyRuntimeError::new_err(format!(
            "this {class} was made in thread {home} and is used in thread {here}: use it where it was made"
        ))
    }

    /// For a call that panicked.
    fn panicked(message: &str) -> PyErr {
        PyRuntimeError::new_err(panic_text(message))
    }
}

/// What is said of a panic.
pub(super) fn panic_text(message: &str) -> String {
    format!("the call panicked: {message}; this is a bug of the library, please report it")
}

/// An error that becomes an exception of the generated module `M`: the described error enums do by the module's own
/// mapping, the rest below as PyO3 has it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not become a Python exception",
    label = "this error can't be raised in Python",
    note = "put `#[async_proxy]` on the enum and `#[proxy(exception = \"…\")]` on its variants, return one that has it, or \
            keep the method out of Python with `#[proxy(rust_only = \"why\")]`"
)]
pub trait IntoException<M> {
    /// The exception.
    fn into_exception(self) -> PyErr;
}

impl<M> IntoException<M> for PyErr {
    fn into_exception(self) -> PyErr {
        self
    }
}

impl<M> IntoException<M> for Infallible {
    fn into_exception(self) -> PyErr {
        match self {}
    }
}

impl<M> IntoException<M> for std::io::Error {
    fn into_exception(self) -> PyErr {
        self.into()
    }
}

impl<M> IntoException<M> for String {
    fn into_exception(self) -> PyErr {
        PyRuntimeError::new_err(self)
    }
}

impl<M> IntoException<M> for &'static str {
    fn into_exception(self) -> PyErr {
        PyRuntimeError::new_err(self)
    }
}

/// Why a call gave no value.
#[derive(Debug)]
pub enum Failure<E> {
    /// The blocking call failed.
    Call(E),
    /// The object was closed.
    Closed,
    /// The object was never opened.
    Unopened,
    /// The object's own call made the call.
    Reentered,
    /// The call panicked, with that message.
    Panicked(String),
}

impl<E> Failure<E> {
    /// The exception that the module raises for it.
    pub fn into_exception<M: Module>(self, class: &'static str) -> PyErr
    where
        E: IntoException<M>,
    {
        match self {
            Self::Call(error) => error.into_exception(),
            Self::Closed => M::closed(class),
            Self::Unopened => M::unopened(class),
            Self::Reentered => M::reentered(class),
            Self::Panicked(message) => M::panicked(&message),
        }
    }
}

/// Runs a call; a panic becomes a failure. The object stays in use afterwards, as an object of the standard library does
/// whose method panicked: whether it is still sound is the API's affair.
pub(super) fn catch<T, E>(call: impl FnOnce() -> Result<T, E>) -> Result<T, Failure<E>> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(outcome) => outcome.map_err(Failure::Call),
        Err(panic) => Err(Failure::Panicked(message_of(&*panic))),
    }
}

pub(super) fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    panic
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_a_call_is_a_failure_with_its_message() {
        let fixed = catch(|| -> Result<(), ()> { panic!("the disk is gone") });
        assert!(matches!(fixed, Err(Failure::Panicked(message)) if message == "the disk is gone"));
        let sector = 7;
        let formatted = catch(|| -> Result<(), ()> { panic!("sector {sector}") });
        assert!(matches!(formatted, Err(Failure::Panicked(message)) if message == "sector 7"));
        let other = catch(|| -> Result<(), ()> { std::panic::panic_any(5) });
        assert!(matches!(other, Err(Failure::Panicked(message)) if message == "no message"));
    }
}
