//! Taking turns on what only one call at a time may do, where a call that waits can be told to stop.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::line::Errand;
use crate::Result;

/// How long a call waits before it looks whether a signal has come in. Who cuts a line wakes those who wait.
const LONGEST_WAIT: Duration = Duration::from_millis(25);

/// Lets one call at a time through. A copy is the same gate.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<State>);

#[derive(Default)]
struct State {
    is_taken: Mutex<bool>,
    changed: Condvar,
}

/// The right of the call that was let through; the next one is, when this is dropped.
pub(crate) struct Pass(Gate);

impl Gate {
    /// Waits for the call's turn.
    ///
    /// # Errors
    /// That the call was told to stop meanwhile.
    pub(crate) fn enter(&self, errand: &Errand) -> Result<Pass> {
        errand.check()?;
        let mut is_taken = self.lock();
        loop {
            if !*is_taken {
                *is_taken = true;
                return Ok(Pass(self.clone()));
            }
            let waited = self.0.changed.wait_timeout(is_taken, LONGEST_WAIT);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
            // Without the lock: the handler of a signal may use the connection.
            errand.look()?;
            is_taken = self.lock();
        }
    }

    /// Has the calls that wait look whether they must stop.
    pub(crate) fn wake(&self) {
        // Whoever has looked and not begun to wait yet holds the lock.
        drop(self.lock());
        self.0.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.0.is_taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::sync::line::{Limits, Line};

    #[test]
    fn a_call_that_waits_for_its_turn_can_be_told_to_stop() {
        let line = Line::new(Limits {
            connect: None,
            silence: None,
        });
        let gate = Gate::default();
        let first = line.begin();
        let pass = gate.enter(&first).unwrap();
        let waiting = {
            let (gate, errand) = (gate.clone(), line.begin());
            thread::spawn(move || gate.enter(&errand).map(|_| ()))
        };
        line.cut();
        gate.wake();
        assert_eq!(waiting.join().unwrap().unwrap_err().to_string(), "interrupted");
        drop(pass);
        assert!(gate.enter(&line.begin()).is_ok());
    }
}
