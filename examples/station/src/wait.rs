//! Waiting that can be interrupted.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Result, StationError};

/// How long a wait sleeps between two looks at what it waits for.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What those who wait sleep on, and are woken by.
#[derive(Default)]
pub(crate) struct Bell {
    /// Whether it rang, and nobody has heard it yet; and whether somebody listens.
    state: Mutex<(bool, bool)>,
    rang: Condvar,
}

impl Bell {
    /// Interrupts the call that waits now; does nothing if none does.
    pub(crate) fn ring(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = state.1;
        self.rang.notify_all();
    }

    /// Waits until `look` finds something, or until the time is over: `None` then.
    ///
    /// # Errors
    /// [`StationError::Interrupted`] if the bell rings, or what `look` fails with.
    pub(crate) fn wait<T>(&self, limit: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
        let end = Instant::now() + limit;
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        let outcome = loop {
            match look() {
                Ok(None) => {}
                found => break found,
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break Ok(None);
            }
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let (state, _) = self
                .rang
                .wait_timeout_while(state, left.min(LOOK_AGAIN), |(rang, _)| !*rang)
                .unwrap_or_else(PoisonError::into_inner);
            if state.0 {
                break Err(StationError::Interrupted);
            }
        };
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = (false, false);
        outcome
    }
}
