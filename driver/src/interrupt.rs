//! Which operation runs now, and whether it must stop.
//!
//! The engine's own interrupt is a flag of the whole connection, which stays set while any statement is half read and so
//! ends innocent ones. Here each blocking operation has a number of its own; an interrupt marks the number that runs at
//! that moment, and the engine's progress handler compares. Numbers are given in one place, [`Operations::begin`].
//!
//! An interrupt finds nothing while a worker has begun a call whose operation is not entered yet. For that an operation
//! also knows the [`CallToken`] of its call: one that was given up before the operation is entered stops it there. Whoever
//! gives a call up sets its token first and interrupts then, and an operation is entered first and looks at its token then:
//! one of the two sees the other.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_proxy::CallToken;
use turso_core::LimboError;

use crate::{Error, Result};

/// How many instructions of the engine's virtual machine pass between two looks at whether to stop. A look costs a few
/// atomic loads; a thousand instructions take some ten microseconds.
pub(crate) const INSTRUCTIONS_BETWEEN_LOOKS: u64 = 1_000;

/// How long an attempt may take that is made in the thread of an event loop: less than a trip to a worker.
const ATTEMPT: Duration = Duration::from_micros(20);

/// How long a wait for a lock sleeps at a stretch, so that it notices an interrupt soon.
const LONGEST_SLEEP: Duration = Duration::from_millis(10);

/// No operation.
const NONE: u64 = 0;

/// The deadline of an attempt until its first look, if nobody noted when it began. Most end before, and need not look at the clock.
const NOT_LOOKED_YET: u64 = u64::MAX;

/// The operations of one connection: which runs, and which was told to stop. Free of locks.
#[derive(Debug)]
pub(crate) struct Operations {
    /// The number last given.
    last: AtomicU64,
    /// The number of the operation that runs now, or [`NONE`].
    running: AtomicU64,
    /// The number of the operation that was told to stop last.
    interrupted: AtomicU64,
    /// When the operation that runs now must have ended, in nanoseconds after `origin`; 0 for never, or [`NOT_LOOKED_YET`].
    deadline: AtomicU64,
    /// Whether what the operation does now is done to its end: see [`Work::shielded`].
    shielded: AtomicBool,
    /// Where `deadline` counts from.
    origin: Instant,
}

/// One blocking operation: from the lock of the engine until it is let go.
///
/// It has begun when it is made and has ended when it is dropped; only while it is entered does an interrupt find it.
#[derive(Debug)]
pub(crate) struct Operation {
    number: u64,
    /// When it must have ended, in the terms of [`Operations::deadline`].
    deadline: u64,
    /// How long it may take; for the message.
    timeout: Option<Duration>,
    /// Whether it goes on whatever happens: a rollback.
    shielded: Cell<bool>,
    /// The call of a worker that it is a part of.
    call: Option<CallToken>,
}

/// The operation on whose behalf the engine works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) operations: &'a Operations,
}

/// What ran before an operation was entered, to be restored when it is left.
#[derive(Debug)]
pub(crate) struct Previous {
    running: u64,
    deadline: u64,
}

impl Operations {
    pub(crate) fn new() -> Self {
        Self {
            last: AtomicU64::new(NONE),
            running: AtomicU64::new(NONE),
            interrupted: AtomicU64::new(NONE),
            deadline: AtomicU64::new(0),
            shielded: AtomicBool::new(false),
            origin: Instant::now(),
        }
    }

    /// Begins an operation; it and all that is done for the same call may take that long.
    pub(crate) fn begin(&self, timeout: Option<Duration>) -> Operation {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let deadline = timeout.map_or(0, |timeout| {
            let began = async_proxy::call_began().saturating_duration_since(self.origin);
            nanoseconds_of(began).saturating_add(nanoseconds_of(timeout)).max(1)
        });
        Operation {
            number,
            deadline,
            timeout,
            shielded: Cell::new(false),
            call: CallToken::current(),
        }
    }

    /// Begins an operation that is given up when it takes long.
    pub(crate) fn begin_attempt(&self) -> Operation {
        Operation {
            number: self.last.fetch_add(1, Ordering::Relaxed) + 1,
            deadline: NOT_LOOKED_YET,
            timeout: None,
            shielded: Cell::new(false),
            call: None,
        }
    }

    /// Notes when the attempt that runs now began: one that may have slow instructions ends at its first look, if that comes late.
    pub(crate) fn note_attempt(&self, began: Instant) {
        let end = began.saturating_duration_since(self.origin).saturating_add(ATTEMPT);
        self.deadline.store(nanoseconds_of(end), Ordering::Relaxed);
    }

    /// Makes the operation the one that runs. Its caller holds the engine.
    pub(crate) fn enter(&self, operation: &Operation) -> Previous {
        let previous = Previous {
            deadline: self.deadline.swap(operation.deadline, Ordering::SeqCst),
            running: self.running.swap(operation.number, Ordering::SeqCst),
        };
        // Only now: an interrupt that came before found another operation, or none.
        if operation.is_given_up() {
            self.interrupted.store(operation.number, Ordering::SeqCst);
        }
        previous
    }

    /// Ends what [`Operations::enter`] began. Its caller still holds the engine.
    pub(crate) fn leave(&self, previous: &Previous) {
        self.running.store(previous.running, Ordering::SeqCst);
        self.deadline.store(previous.deadline, Ordering::SeqCst);
    }

    /// Ends an operation that was entered and not left, if it is still the one that runs.
    pub(crate) fn finish(&self, operation: &Operation) {
        let _ = self
            .running
            .compare_exchange(operation.number, NONE, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Tells the operation that runs now to stop, if there is one. From any thread, at any time, without waiting.
    pub(crate) fn interrupt(&self) {
        let running = self.running.load(Ordering::SeqCst);
        if running != NONE {
            self.interrupted.store(running, Ordering::SeqCst);
        }
    }

    /// Whether the operation that runs now must stop: what the engine's progress handler asks.
    pub(crate) fn must_stop(&self) -> bool {
        let running = self.running.load(Ordering::SeqCst);
        running != NONE
            && !self.shielded.load(Ordering::SeqCst)
            && (self.interrupted.load(Ordering::SeqCst) == running || self.is_past_deadline())
    }

    fn is_past_deadline(&self) -> bool {
        match self.deadline.load(Ordering::Relaxed) {
            0 => false,
            NOT_LOOKED_YET => {
                let end = self.nanoseconds().saturating_add(nanoseconds_of(ATTEMPT));
                self.deadline.store(end, Ordering::Relaxed);
                false
            }
            deadline => self.nanoseconds() >= deadline,
        }
    }

    fn nanoseconds(&self) -> u64 {
        nanoseconds_of(self.origin.elapsed())
    }
}

impl Operation {
    /// Whether nobody waits for its call any more.
    fn is_given_up(&self) -> bool {
        self.call.as_ref().is_some_and(CallToken::is_cancelled)
    }
}

impl Work<'_> {
    /// An error if the operation must stop.
    pub(crate) fn check(self) -> Result<()> {
        if self.operation.shielded.get() || self.operations.shielded.load(Ordering::SeqCst) || !self.is_stopped() {
            return Ok(());
        }
        Err(self.stop_error())
    }

    /// Whether the operation was interrupted or took too long.
    pub(crate) fn is_stopped(self) -> bool {
        let deadline = self.operation.deadline;
        self.is_interrupted() || (deadline != 0 && self.operations.nanoseconds() >= deadline)
    }

    /// The error of an operation that was stopped: `sqlite3`'s "interrupted", or that it took too long.
    pub(crate) fn stop_error(self) -> Error {
        match self.operation.timeout {
            Some(timeout) if !self.is_interrupted() => Error::retold(
                format!(
                    "interrupted: the call took longer than the query timeout of {} s; set_query_timeout sets another",
                    timeout.as_secs_f64()
                ),
                LimboError::Interrupt,
            ),
            _ => Error::from(LimboError::Interrupt),
        }
    }

    /// From here on the operation runs to its end, whoever wants it to stop: it undoes what was stopped.
    pub(crate) fn shield(self) {
        self.operation.shielded.set(true);
        self.operations.running.store(NONE, Ordering::SeqCst);
    }

    /// Does a part of the operation to its end. Who wants the operation to stop meanwhile is heard behind it.
    pub(crate) fn shielded<T>(self, part: impl FnOnce() -> T) -> T {
        struct Lowered<'a>(&'a AtomicBool, bool);
        impl Drop for Lowered<'_> {
            fn drop(&mut self) {
                self.0.store(self.1, Ordering::SeqCst);
            }
        }
        let shield = &self.operations.shielded;
        let _lowered = Lowered(shield, shield.swap(true, Ordering::SeqCst));
        part()
    }

    /// Sleeps, but not past the moment at which the operation must stop.
    pub(crate) fn sleep(self, duration: Duration) -> Result<()> {
        let end = Instant::now() + duration;
        loop {
            self.check()?;
            let remaining = end.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                return Ok(());
            }
            std::thread::sleep(remaining.min(LONGEST_SLEEP));
        }
    }

    fn is_interrupted(self) -> bool {
        #[cfg(test)]
        if moments::is_now() {
            self.operations
                .interrupted
                .store(self.operation.number, Ordering::SeqCst);
        }
        self.operations.interrupted.load(Ordering::SeqCst) == self.operation.number || self.operation.is_given_up()
    }
}

fn nanoseconds_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The moments at which an operation looks whether it must stop, each of which a test can make the one of an interrupt.
#[cfg(test)]
pub(crate) mod moments {
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// Interrupts what this thread does at the look of that number, counted from 0. The answer is whether it came to that.
    pub(crate) fn interrupt_at<T>(look: u32, act: impl FnOnce() -> T) -> (T, bool) {
        LEFT.set(Some(look));
        let outcome = act();
        (outcome, LEFT.take().is_none())
    }

    pub(super) fn is_now() -> bool {
        let left = LEFT.get();
        LEFT.set(left.and_then(|left| left.checked_sub(1)));
        left == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work<'a>(operations: &'a Operations, operation: &'a Operation) -> Work<'a> {
        Work { operation, operations }
    }

    #[test]
    fn an_interrupt_when_nothing_runs_does_not_hit_the_next_operation() {
        let operations = Operations::new();
        operations.interrupt();
        let operation = operations.begin(None);
        operations.enter(&operation);
        assert!(!operations.must_stop());
        assert!(work(&operations, &operation).check().is_ok());
    }

    #[test]
    fn an_interrupt_stops_the_running_operation_and_not_the_one_after_it() {
        let operations = Operations::new();
        let first = operations.begin(None);
        let before = operations.enter(&first);
        operations.interrupt();
        assert!(operations.must_stop());
        assert_eq!(
            work(&operations, &first).check().unwrap_err().to_string(),
            "interrupted"
        );
        operations.leave(&before);

        let second = operations.begin(None);
        operations.enter(&second);
        assert!(!operations.must_stop());
        assert!(work(&operations, &second).check().is_ok());
    }

    #[test]
    fn an_operation_inside_another_gives_way_to_it_again() {
        let operations = Operations::new();
        let outer = operations.begin(None);
        operations.enter(&outer);
        let inner = operations.begin(None);
        let before = operations.enter(&inner);
        operations.leave(&before);
        operations.interrupt();
        assert!(work(&operations, &outer).check().is_err());
        assert!(work(&operations, &inner).check().is_ok());
    }

    #[test]
    fn a_deadline_stops_the_operation_and_says_so() {
        let operations = Operations::new();
        let operation = operations.begin(Some(Duration::from_millis(1)));
        operations.enter(&operation);
        let error = work(&operations, &operation)
            .sleep(Duration::from_secs(60))
            .unwrap_err();
        assert!(operations.must_stop());
        assert!(error.to_string().contains("query timeout of 0.001 s"), "{error}");
    }

    #[test]
    fn a_shielded_operation_is_not_stopped() {
        let operations = Operations::new();
        let operation = operations.begin(None);
        operations.enter(&operation);
        operations.interrupt();
        work(&operations, &operation).shield();
        assert!(work(&operations, &operation).check().is_ok());
        assert!(!operations.must_stop());
    }
}
