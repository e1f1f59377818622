//! Whether several tasks of an event loop make calls at the same time.
//!
//! A task that is alone looks for its result. Where there are others, that time is theirs: the task lets them have a turn, in
//! which they make their calls, and finds its result when it goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use pyo3::prelude::*;

use super::awaited::AwaitedCall;
use super::notifier::Notifier;
use crate::python::finalizer::finalize;

/// So many calls of others in a turn make it worth while to wait for the next one: it costs as much as a call or two.
const MANY: u32 = 3;

/// What is known of the tasks of an event loop.
#[derive(Default)]
pub(super) struct Others {
    /// How many calls were made.
    calls: AtomicU32,
    /// Whether many calls were made in the latest turn.
    are_many: AtomicBool,
}

impl Others {
    /// Notes that a call is made.
    pub(super) fn note_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether others make calls, too.
    pub(super) fn are_there(&self) -> bool {
        self.are_many.load(Ordering::Relaxed)
    }

    fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Notes what others did in a turn before which so many calls had been made.
    fn note_turn(&self, calls_before: u32) {
        let calls = self.calls().wrapping_sub(calls_before);
        self.are_many.store(calls >= MANY, Ordering::Relaxed);
    }
}

/// A turn of the event loop, for which a task lets others go on.
pub(super) struct Turn {
    notifier: Arc<Notifier>,
    calls_before: u32,
    /// Whether the task looks for its result after it, so that the loop need not be told of results meanwhile.
    looks: bool,
}

impl Turn {
    pub(super) fn begin(py: Python<'_>, notifier: &Arc<Notifier>, looks: bool) -> Self {
        if looks {
            notifier.expect(py);
        }
        Self {
            notifier: Arc::clone(notifier),
            calls_before: notifier.others.calls(),
            looks,
        }
    }

    /// Whether the task looks for its result after it.
    pub(super) fn looks(&self) -> bool {
        self.looks
    }

    /// Ends it. The answer is whether the call is done.
    pub(super) fn end(self, py: Python<'_>, call: &AwaitedCall) -> bool {
        self.notifier.others.note_turn(self.calls_before);
        if self.looks {
            self.notifier.finish_now(py);
        }
        call.is_done(py)
    }
}

/// Also where the task never goes on: the others are told of their results then.
impl Drop for Turn {
    fn drop(&mut self) {
        if self.looks {
            finalize(|py| self.notifier.expect_no_more(py));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MANY, Others};

    /// Bug: a task waits for a turn of others after each call where there are none any more.
    #[test]
    fn others_are_there_while_they_make_calls() {
        let others = Others::default();
        assert!(!others.are_there());
        let before = others.calls();
        (0..MANY).for_each(|_| others.note_call());
        others.note_turn(before);
        assert!(others.are_there());
        let before = others.calls();
        others.note_call();
        others.note_turn(before);
        assert!(!others.are_there());
    }
}
