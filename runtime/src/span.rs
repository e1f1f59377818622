//! When a call began that a worker runs in parts.

use std::cell::Cell;
use std::time::Instant;

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// When the call began that the caller works for, for a blocking API that limits how long a call may take.
///
/// Mostly that is now. But a worker that hands out rows in chunks reads those of one `fetchall` one by one; they are parts of
/// one call then, and this is when it began. It is asked where a method begins.
///
/// ```
/// # use std::time::{Duration, Instant};
/// let limit = Duration::from_secs(5);
/// let deadline = async_proxy::call_began() + limit;
/// # assert!(deadline <= Instant::now() + limit);
/// ```
pub fn call_began() -> Instant {
    BEGAN.get().unwrap_or_else(Instant::now)
}

/// Runs a part of a call that began then.
#[cfg(feature = "python")]
pub(crate) fn run_as_part<T>(began: Instant, part: impl FnOnce() -> T) -> T {
    /// A panic passes through on its way to the caller.
    struct Restore(Option<Instant>);
    impl Drop for Restore {
        fn drop(&mut self) {
            BEGAN.set(self.0);
        }
    }
    let _restore = Restore(BEGAN.replace(Some(began)));
    part()
}
