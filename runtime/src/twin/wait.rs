//! Runs a future to its end in the calling thread.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Wakes the thread that waits.
struct Unpark {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

/// Somebody who is asked from time to time whether to go on waiting.
pub(crate) struct Watch<'a, B> {
    /// How long between two questions.
    pub(crate) every: Duration,
    /// Gives the reason to stop.
    pub(crate) ask: &'a mut dyn FnMut() -> Option<B>,
}

/// Polls the future until it is ready, or until the watch says to stop: then the future is dropped.
pub(crate) fn wait<F: Future, B>(future: F, mut watch: Option<Watch<'_, B>>) -> Result<F::Output, B> {
    let mut future = pin!(future);
    let unpark = Arc::new(Unpark {
        thread: thread::current(),
        is_woken: AtomicBool::new(false),
    });
    let waker = Waker::from(Arc::clone(&unpark));
    let mut context = Context::from_waker(&waker);
    let mut next = watch.as_ref().map(|watch| Instant::now() + watch.every);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Ok(value);
        }
        // A thread can be unparked for reasons of others.
        while !unpark.is_woken.swap(false, Ordering::Acquire) {
            match (&mut watch, next) {
                (Some(watch), Some(moment)) => {
                    let now = Instant::now();
                    if now < moment {
                        thread::park_timeout(moment - now);
                        continue;
                    }
                    if let Some(reason) = (watch.ask)() {
                        return Err(reason);
                    }
                    next = Some(Instant::now() + watch.every);
                }
                _ => thread::park(),
            }
        }
        // A future that is woken again and again must not keep the question from being asked.
        if let (Some(watch), Some(moment)) = (&mut watch, next)
            && Instant::now() >= moment
        {
            if let Some(reason) = (watch.ask)() {
                return Err(reason);
            }
            next = Some(Instant::now() + watch.every);
        }
    }
}
