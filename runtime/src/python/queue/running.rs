//! The call that a queue's thread runs, and what it is told meanwhile.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::notifier::{Completion, Notifier};
use crate::task;

/// The native call that runs.
pub(super) struct Running {
    /// The address of what waits for it: what is awaited, or a future.
    pub(super) waiter: usize,
    /// Whether it runs without the GIL. Of others the worker knows when they can be interrupted.
    pub(super) is_native: bool,
    pub(super) flags: Arc<Flags>,
}

/// What was told to a call that runs.
#[derive(Default)]
pub(super) struct Flags {
    /// Nobody waits for it any more.
    given_up: AtomicBool,
    /// It was interrupted.
    pub(super) interrupted: AtomicBool,
    /// Where the results of a native one go.
    notifier: Option<Arc<Notifier>>,
}

impl Flags {
    pub(super) fn new(notifier: Option<Arc<Notifier>>) -> Self {
        Self {
            notifier,
            ..Self::default()
        }
    }

    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::SeqCst);
        self.interrupted.store(true, Ordering::SeqCst);
    }
}

impl task::CancelFlag for Flags {
    fn is_cancelled(&self) -> bool {
        self.given_up.load(Ordering::SeqCst)
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Flags>>> = const { RefCell::new(None) };
}

/// Whether the native call that runs in this thread was interrupted: one that consists of steps ends between two of them.
pub(crate) fn is_interrupted() -> bool {
    CURRENT.with_borrow(|flags| {
        let flags = flags.as_ref();
        flags.is_some_and(|flags| flags.interrupted.load(Ordering::SeqCst))
    })
}

/// Hands a part of what the native call that runs in this thread gives over to its event loop, before the rest. Where there is
/// no such loop, or none any more, it is dropped.
pub(crate) fn deliver_part(finish: Box<dyn super::Finish>) {
    let flags = CURRENT.with_borrow(Clone::clone);
    if let Some(notifier) = flags.as_ref().and_then(|flags| flags.notifier.as_ref()) {
        drop(notifier.deliver(Completion::part(finish)));
    }
}

/// Runs a call, which can ask what it was told.
pub(super) fn as_current<T>(flags: Arc<Flags>, call: impl FnOnce() -> T) -> T {
    let before = CURRENT.replace(Some(Arc::clone(&flags)));
    let outcome = task::run_as(flags, call);
    CURRENT.set(before);
    outcome
}
