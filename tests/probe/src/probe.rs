//! The probe itself.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use async_proxy::async_proxy;

use crate::charge::{CONVERTED, Charge, Heavy};
use crate::gauge::Gauge;
use crate::part::Part;
use crate::{ProbeError, Result};

/// Calls that wait, fail and panic, and what became of them. Clones are handles of one probe.
#[derive(Clone)]
pub struct Probe {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The numbers of the calls that have run, in their order; one that was interrupted has not.
    ran: Vec<u64>,
    /// The number of the call that waits.
    waiting: Option<u64>,
    /// Whether the call that waits may end.
    released: bool,
    /// Whether the call that waits was interrupted.
    interrupted: bool,
    /// How often an interrupt found no call that waits.
    missed: usize,
}

/// Calls that wait, fail and panic, and what became of them.
#[async_proxy]
impl Probe {
    /// Notes its number, and gives it.
    pub fn note(&self, number: u64) -> u64 {
        self.state().ran.push(number);
        number
    }

    /// Waits until it is released, then notes its number and gives it.
    ///
    /// # Errors
    /// [`ProbeError::Interrupted`] if it is interrupted before that.
    pub fn wait(&self, number: u64) -> Result<u64> {
        let mut state = self.state();
        state.waiting = Some(number);
        while !state.released && !state.interrupted {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let interrupted = std::mem::take(&mut state.interrupted);
        state.waiting = None;
        state.released = false;
        if interrupted {
            return Err(ProbeError::Interrupted);
        }
        state.ran.push(number);
        Ok(number)
    }

    /// Panics.
    pub fn panic(&self) -> u64 {
        panic!("a call panicked")
    }

    /// Gives a charge.
    pub fn give(&self, text: &str) -> Charge {
        Charge::new(text)
    }

    /// Notes its number, and gives it as one that takes long to become an object of Python.
    pub fn weigh(&self, number: u64) -> Heavy {
        Heavy(self.note(number))
    }

    /// Makes a part with so many numbers.
    ///
    /// # Errors
    /// [`ProbeError::Failed`] if there are to be none.
    #[proxy(child)]
    pub fn part(&self, numbers: u64) -> Result<Part> {
        if numbers == 0 {
            return Err(ProbeError::Failed);
        }
        Ok(Part::of(numbers))
    }

    /// Makes a gauge with so many numbers.
    #[proxy(child)]
    pub fn gauge(&self, numbers: u64) -> Gauge {
        Gauge::of(numbers)
    }

    /// The numbers of the calls that have run, in their order. One that was interrupted has not.
    #[proxy(direct)]
    pub fn ran(&self) -> Vec<u64> {
        self.state().ran.clone()
    }

    /// The number of the call that waits now.
    #[proxy(direct)]
    pub fn waiting(&self) -> Option<u64> {
        self.state().waiting
    }

    /// How often an interrupt came when no call waited.
    #[proxy(direct)]
    pub fn missed(&self) -> usize {
        self.state().missed
    }

    /// How many heavy numbers became objects of Python so far, in this process.
    #[proxy(direct)]
    pub fn converted(&self) -> usize {
        CONVERTED.load(Ordering::Relaxed)
    }

    /// How many processors this process may use.
    #[proxy(direct)]
    pub fn processors(&self) -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }

    /// Lets the call end that waits now, or the next one that does.
    #[proxy(direct)]
    pub fn release(&self) {
        self.state().released = true;
        self.shared.changed.notify_all();
    }

    /// Interrupts the call that waits.
    #[proxy(interrupt)]
    pub fn interrupt(&self) {
        let mut state = self.state();
        if state.waiting.is_some() {
            state.interrupted = true;
            self.shared.changed.notify_all();
        } else {
            state.missed += 1;
        }
    }

    /// Closes it.
    #[proxy(close)]
    pub fn close(&self) {
        self.state().ran.clear();
    }
}

impl Probe {
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a probe.
#[async_proxy]
pub fn open() -> Probe {
    Probe { shared: Arc::default() }
}
