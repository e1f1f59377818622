//! Where objects end.

use crate::twin::Driver;

/// An object that is dropped in the context of the runtime, where its `Drop` may spawn what is left to do.
pub(super) struct InContext<T> {
    /// Taken once, at the end.
    object: Option<T>,
}

const TAKEN: &str = "the object is taken only when its keeper ends";

impl<T> InContext<T> {
    pub(super) fn new(object: T) -> Self {
        Self { object: Some(object) }
    }

    pub(super) fn get(&self) -> &T {
        self.object.as_ref().expect(TAKEN)
    }

    pub(super) fn get_mut(&mut self) -> &mut T {
        self.object.as_mut().expect(TAKEN)
    }

    pub(super) fn into_inner(mut self) -> T {
        self.object.take().expect(TAKEN)
    }
}

impl<T> Drop for InContext<T> {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            let driver = Driver::shared();
            let _context = driver.enter();
            // A panic in the end of an object of the API must not take the interpreter down.
            crate::error::drop_guarded(object);
        }
    }
}
