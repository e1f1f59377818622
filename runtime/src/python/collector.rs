//! What the garbage collector of Python is shown.
//!
//! A collection visits an object twice: on the first visit it counts the references that come from what it looks at, on the second
//! it goes to what can still be reached. What the first one finds and the second does not is garbage to it: it ends generators
//! that a task is yet to go on with. Between the two it does not let go of the GIL. So what is shown is taken away by those who
//! have the GIL, and what others lock for a moment is waited for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// No thread holds one of those locks for longer; but it may be put off its processor meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Takes a lock that no thread holds while it waits for the GIL, or runs Python code. In a forked process, where a thread that is
/// not there may hold it for ever, `None` each time.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    static HAS_WAITED_IN_VAIN: AtomicBool = AtomicBool::new(false);
    let mut end = None;
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
        if HAS_WAITED_IN_VAIN.load(Ordering::Relaxed) {
            return None;
        }
        if Instant::now() >= *end.get_or_insert_with(|| Instant::now() + LONGEST_WAIT) {
            HAS_WAITED_IN_VAIN.store(true, Ordering::Relaxed);
            return None;
        }
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bug: what a thread locks for a moment is found on the collector's first visit, and not on its second.
    #[test]
    fn what_is_locked_for_a_moment_is_seen_all_the_same() {
        let mutex = Mutex::new(0);
        thread::scope(|scope| {
            let changing = scope.spawn(|| {
                for _ in 0..100_000 {
                    *mutex.lock().unwrap() += 1;
                }
            });
            while !changing.is_finished() {
                assert!(lock(&mutex).is_some());
            }
        });
    }
}
