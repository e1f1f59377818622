//! The thread that owns an object and runs the calls on it.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use crate::closing::Closing;
use crate::error::{Fault, drop_guarded, guarded};
use crate::haste::Gaps;
use crate::queue::Queue;
use crate::storage::Arena;

/// A worker as the code that it runs sees it: its queue and the objects that it owns. Opaque; generated code passes it on.
pub struct Worker {
    pub(crate) queue: Arc<Queue>,
    pub(crate) arena: Arena,
    /// Closes that are complete when the thread has nothing left to do.
    pub(crate) closings: Vec<Arc<Closing>>,
    /// It serves a lane: items are announced before they are run, so that a close can interrupt them.
    announces: bool,
}

/// Which of an object's workers one is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It owns the object; a close drains it.
    Main,
    /// It serves one lane; a close cancels it.
    Lane,
}

/// Starts the thread that serves a queue.
pub(crate) fn start(name: &str, queue: Arc<Queue>, role: Role) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(move || {
        let mut worker = Worker {
            queue,
            arena: Arena::default(),
            closings: Vec::new(),
            announces: role == Role::Lane,
        };
        worker.serve();
    })
}

impl Worker {
    fn serve(&mut self) {
        let queue = self.queue.clone();
        let mut batch = VecDeque::new();
        let mut gaps = Gaps::new();
        while queue.next_batch(&mut batch, &mut gaps) {
            while let Some(item) = batch.pop_front() {
                if !self.announces {
                    item.clone().run(self);
                } else if queue.begin(&item) {
                    item.clone().run(self);
                    queue.finish();
                } else {
                    item.abandon(Fault::Closed);
                }
                drop_guarded(item);
            }
        }
    }
}

/// However the thread ends, nobody is left waiting: objects are dropped first, then calls are refused, then closes complete.
impl Drop for Worker {
    fn drop(&mut self) {
        let _ = guarded(|| self.arena.clear());
        self.queue.end();
        for closing in self.closings.drain(..) {
            closing.complete();
        }
    }
}
