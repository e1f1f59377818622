//! Where the thread of a queue waits for calls, and when it is woken.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use super::items::Item;
use super::notifier::Notifier;
use crate::haste::processors;

/// Where the thread of a queue waits for calls.
#[derive(Default)]
pub(super) struct Gate {
    pub(super) state: Mutex<State>,
    available: Condvar,
    /// Whether the thread was awake when the latest call came.
    pub(super) was_awake: AtomicBool,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) items: VecDeque<Item>,
    sleep: Sleep,
    /// How many calls the thread has run since it slept.
    pub(super) ran: usize,
    /// The notifier in whose loop several tasks are about to go on that have waited for calls, by its address; 0 for none.
    crowd: usize,
    /// Whether calls are there for which the thread was not woken yet.
    pub(super) is_held: bool,
    /// Whether native calls are left to the worker, which refuses them.
    pub(super) skips: bool,
    /// Whether calls may be put in by whoever makes them.
    pub(super) is_direct: bool,
}

/// Whether the thread waits for calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sleep {
    #[default]
    Awake,
    /// For a short time, after which it looks by itself.
    Light,
    /// Until it is woken.
    Deep,
}

/// How long the thread sleeps before it looks by itself. For no longer a call is held back that it is not woken for.
const LIGHT_SLEEP: Duration = Duration::from_millis(2);

/// How many calls of a crowd wake the thread. To wake it costs as much as to make a call; to wake it late leaves it idle.
const CROWD: usize = 4;
/// The same on one processor, where the thread runs only when the loop has nothing to do.
const CROWD_ON_ONE_PROCESSOR: usize = 64;

impl Gate {
    /// Says that several tasks of a loop are about to go on that have waited for calls of this queue: the next calls come
    /// together, and the thread need not be woken for each of them. Until [`Gate::disperse`].
    pub(super) fn expect_crowd(&self, py: Python<'_>, notifier: &Arc<Notifier>) {
        self.lock(py).crowd = Arc::as_ptr(notifier).addr();
    }

    /// Ends that, and wakes the thread for the calls for which it was not woken yet.
    pub(super) fn disperse(&self, py: Python<'_>) {
        let mut state = self.lock(py);
        state.crowd = 0;
        if std::mem::take(&mut state.is_held) {
            self.wake(state);
        }
    }

    pub(super) fn wake(&self, mut state: MutexGuard<'_, State>) {
        state.is_held = false;
        let before = std::mem::take(&mut state.sleep);
        self.was_awake.store(before == Sleep::Awake, Ordering::Relaxed);
        drop(state);
        if before != Sleep::Awake {
            self.available.notify_one();
        }
    }

    pub(super) fn lock(&self, py: Python<'_>) -> MutexGuard<'_, State> {
        self.state.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something to come. Called without the GIL.
    pub(super) fn wait<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if std::mem::take(&mut state.ran) > 1 {
            state.sleep = Sleep::Light;
            (state, _) = self
                .available
                .wait_timeout(state, LIGHT_SLEEP)
                .unwrap_or_else(PoisonError::into_inner);
            if state.sleep == Sleep::Awake || !state.items.is_empty() {
                state.sleep = Sleep::Awake;
                state.is_held = false;
                return state;
            }
        }
        state.sleep = Sleep::Deep;
        state = self.available.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.sleep = Sleep::Awake;
        state
    }
}

impl State {
    /// Whether the thread need not be woken for a call that this notifier's loop has put in.
    pub(super) fn holds(&self, notifier: usize) -> bool {
        self.sleep == Sleep::Light && self.crowd == notifier && notifier != 0 && self.items.len() < crowd()
    }
}

fn crowd() -> usize {
    if processors() > 1 {
        CROWD
    } else {
        CROWD_ON_ONE_PROCESSOR
    }
}
