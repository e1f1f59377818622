//! The queue in front of a worker.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::error::{Fault, drop_guarded};
use crate::haste::Gaps;
use crate::task::{Item, lock};

/// Calls that wait for a worker, in the order in which they were made.
///
/// Whether a call is still taken is decided under the lock that puts it in, so that nothing can be left behind the item
/// that ends the worker.
pub(crate) struct Queue {
    state: Mutex<State>,
    ready: Condvar,
    /// What the worker runs at present and whether it was told to run nothing more; see [`Queue::cancel`].
    current: Mutex<Current>,
    /// How many calls were put in, and how often it was shut, for a look without the lock.
    news: AtomicUsize,
    /// A copy of "not open" for those who only want to know.
    shut: AtomicBool,
}

struct State {
    items: VecDeque<Arc<dyn Item>>,
    phase: Phase,
    /// The worker sleeps and wants to be woken.
    sleeping: bool,
}

#[derive(Default)]
struct Current {
    item: Option<Arc<dyn Item>>,
    cancelled: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Takes calls.
    Open,
    /// Takes no more calls: the object was closed, or nobody is left who could make one. What waits is run.
    Shut,
    /// No worker any more.
    Gone,
}

impl Queue {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                items: VecDeque::new(),
                phase: Phase::Open,
                sleeping: false,
            }),
            ready: Condvar::new(),
            current: Mutex::new(Current::default()),
            news: AtomicUsize::new(0),
            shut: AtomicBool::new(false),
        })
    }

    /// Puts a call at the end, or says why it can't be run any more.
    pub(crate) fn push(&self, item: Arc<dyn Item>) -> Result<(), Fault> {
        self.push_in(Phase::Open, item)
    }

    /// The same, and takes nothing more from then on.
    pub(crate) fn push_last(&self, item: Arc<dyn Item>) -> Result<(), Fault> {
        self.push_in(Phase::Shut, item)
    }

    fn push_in(&self, next: Phase, item: Arc<dyn Item>) -> Result<(), Fault> {
        let mut state = lock(&self.state);
        match state.phase {
            Phase::Open => {}
            Phase::Shut => return Err(Fault::Closed),
            Phase::Gone => return Err(Fault::Gone),
        }
        state.items.push_back(item);
        self.set_phase(&mut state, next);
        let wake = mem::take(&mut state.sleeping);
        self.tell(state, wake);
        Ok(())
    }

    /// Takes nothing more; the worker runs what waits and ends.
    pub(crate) fn shut(&self) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Open {
            self.set_phase(&mut state, Phase::Shut);
        }
        let wake = mem::take(&mut state.sleeping);
        self.tell(state, wake);
    }

    /// Tells the worker that there is news. Not under the lock: it takes that next.
    fn tell(&self, state: MutexGuard<'_, State>, wake: bool) {
        drop(state);
        self.news.fetch_add(1, Ordering::Release);
        if wake {
            self.ready.notify_one();
        }
    }

    /// Takes nothing more, abandons what waits and interrupts what runs.
    pub(crate) fn cancel(&self) {
        self.shut();
        let running = {
            let mut current = lock(&self.current);
            current.cancelled = true;
            current.item.clone()
        };
        if let Some(item) = running {
            item.interrupt();
        }
    }

    /// Whether a call would be refused.
    pub(crate) fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Acquire)
    }

    /// The worker ended, for whatever reason: what waits is abandoned.
    pub(crate) fn end(&self) {
        let left = {
            let mut state = lock(&self.state);
            // After a close the answer stays that it was closed: the thread's end is part of it.
            if state.phase == Phase::Open {
                self.set_phase(&mut state, Phase::Gone);
            }
            mem::take(&mut state.items)
        };
        for item in left {
            item.abandon(Fault::Gone);
            drop_guarded(item);
        }
    }

    fn set_phase(&self, state: &mut State, phase: Phase) {
        state.phase = phase;
        if phase != Phase::Open {
            self.shut.store(true, Ordering::Release);
        }
    }

    /// Swaps an empty batch for all that waits; looks for a moment and then sleeps until there is something. `false` when there
    /// never will be.
    pub(crate) fn next_batch(&self, batch: &mut VecDeque<Arc<dyn Item>>, gaps: &mut Gaps) -> bool {
        let mut idle_since = None;
        let mut state = lock(&self.state);
        while state.items.is_empty() {
            if state.phase != Phase::Open {
                return false;
            }
            if idle_since.is_none() {
                idle_since = Some(Instant::now());
                // Read under the lock: what comes from here on is news.
                let known = self.news.load(Ordering::Acquire);
                drop(state);
                gaps.look(|| self.news.load(Ordering::Acquire) != known);
                state = lock(&self.state);
                continue;
            }
            state.sleeping = true;
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.sleeping = false;
        }
        mem::swap(&mut state.items, batch);
        drop(state);
        if let Some(since) = idle_since {
            gaps.note(Instant::elapsed(&since));
        }
        true
    }

    /// Notes what the worker is about to run. `false`: it was told to run nothing more.
    pub(crate) fn begin(&self, item: &Arc<dyn Item>) -> bool {
        let mut current = lock(&self.current);
        if current.cancelled {
            return false;
        }
        current.item = Some(item.clone());
        true
    }

    /// The worker has run it.
    pub(crate) fn finish(&self) {
        let item = lock(&self.current).item.take();
        drop_guarded(item);
    }
}
