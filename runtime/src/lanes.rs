//! Lanes: workers of their own for members that wait for something else than the rest.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::error::Fault;
use crate::queue::Queue;
use crate::task::lock;
use crate::worker::{Role, start};

/// The lanes of one object that were used so far.
#[derive(Default)]
pub(crate) struct Lanes(Mutex<State>);

#[derive(Default)]
struct State {
    shut: bool,
    lanes: Vec<Lane>,
}

struct Lane {
    name: &'static str,
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Lanes {
    /// The queue of a lane; its worker is started at the first use.
    pub(crate) fn queue(&self, class: &str, name: &'static str) -> Result<Arc<Queue>, Fault> {
        let mut state = lock(&self.0);
        if let Some(lane) = state.lanes.iter().find(|lane| lane.name == name) {
            return Ok(lane.queue.clone());
        }
        if state.shut {
            return Err(Fault::Closed);
        }
        let queue = Queue::new();
        let thread = start(&format!("{class}/{name}"), queue.clone(), Role::Lane).map_err(|_| Fault::Gone)?;
        state.lanes.push(Lane {
            name,
            queue: queue.clone(),
            thread: Some(thread),
        });
        Ok(queue)
    }

    /// Takes no more calls; those that wait are run.
    pub(crate) fn shut(&self) {
        let mut state = lock(&self.0);
        state.shut = true;
        for lane in &state.lanes {
            lane.queue.shut();
        }
    }

    /// Takes no more calls, abandons those that wait, interrupts those that run.
    pub(crate) fn cancel(&self) {
        self.shut();
        let queues: Vec<_> = lock(&self.0).lanes.iter().map(|lane| lane.queue.clone()).collect();
        for queue in queues {
            queue.cancel();
        }
    }

    /// Takes no more calls and waits until the workers have ended.
    pub(crate) fn join(&self) {
        self.shut();
        let threads: Vec<_> = lock(&self.0)
            .lanes
            .iter_mut()
            .filter_map(|lane| lane.thread.take())
            .collect();
        for thread in threads {
            // Its own panics were caught; an error here would be one that got past that, and the thread is gone either way.
            let _ = thread.join();
        }
    }
}
