//! The object of a blocking class, and what classes of both colours are to each other.

use std::fmt;
use std::future::Future;

use futures_core::Stream;

use super::driver::Driver;

/// A type with `#[sync_proxy]` on its `impl` block.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no blocking form",
    label = "this is handed out by a method of an async API",
    note = "put `#[sync_proxy]` on an `impl {Self}` block, or remove `#[proxy(child)]` or `#[proxy(open)]` from the method"
)]
pub trait Mirrored: Sized {
    /// Its blocking form: a class of its own, or with `twins` the type itself.
    type Blocking;

    /// The blocking form of an object.
    fn into_blocking(self, driver: Driver) -> Self::Blocking;
}

/// A blocking class: an object of an async type, with what runs its futures.
pub trait Blocking: From<Self::Object> {
    /// The async type.
    type Object;

    /// The blocking form of an object, whose futures run on that driver.
    fn of(object: Self::Object, driver: Driver) -> Self;

    /// The object: its async methods can be used beside the twins.
    fn object(&self) -> &Self::Object;

    /// The object by itself.
    fn into_object(self) -> Self::Object;
}

/// An object and its driver. It is dropped in the driver's context, where a `Drop` may spawn what is left to do.
pub struct Kept<T> {
    /// Taken once, at the end.
    object: Option<T>,
    driver: Driver,
}

const TAKEN: &str = "the object is taken only when its keeper ends";

impl<T> Kept<T> {
    /// Keeps an object.
    pub fn new(object: T, driver: Driver) -> Self {
        Self {
            object: Some(object),
            driver,
        }
    }

    /// The object.
    pub fn object(&self) -> &T {
        self.object.as_ref().expect(TAKEN)
    }

    /// What runs its futures.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// Both, the object for a method that takes `&mut self`.
    pub fn parts(&mut self) -> (&Driver, &mut T) {
        (&self.driver, self.object.as_mut().expect(TAKEN))
    }

    /// Both, the object for a method that takes `self`.
    pub fn into_parts(mut self) -> (Driver, T) {
        let object = self.object.take().expect(TAKEN);
        (self.driver.clone(), object)
    }

    /// The object by itself.
    pub fn into_object(self) -> T {
        self.into_parts().1
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            let _context = self.driver.enter();
            drop(object);
        }
    }
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Kept").finish_non_exhaustive()
    }
}

// The lines that rustc shows of these two say what to do.

/// Asserts what an awaitable needs of a future.
#[rustfmt::skip]
pub fn awaitable<F: Future
    + Send // help: hold no `Rc`, `RefCell` or guard of a lock across an `.await`, or write `#[proxy(rust_only = "why")]`
>(_: F) {}

/// Asserts what reading a stream needs of it, and of its items.
#[rustfmt::skip]
pub fn readable<S: Stream<Item: Send>
    + Send // help: hold no `Rc`, `RefCell` or guard of a lock in the stream, or write `#[proxy(rust_only = "why")]`
>(_: S) {}
