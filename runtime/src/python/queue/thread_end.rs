//! What a thread tells event loops of when it ends.

use std::cell::RefCell;
use std::sync::Arc;

use super::notifier::{Completion, Notifier};
use crate::error::drop_guarded;

thread_local! {
    static UNTOLD: RefCell<Untold> = const { RefCell::new(Untold(Vec::new())) };
}

struct Untold(Vec<(Arc<Notifier>, Completion)>);

impl Drop for Untold {
    fn drop(&mut self) {
        for (notifier, completion) in self.0.drain(..) {
            // Where the loop is closed nobody waits.
            if let Err(undelivered) = notifier.deliver(completion) {
                drop_guarded(undelivered);
            }
            notifier.tell_untold();
        }
    }
}

/// Hands a completion over when the calling thread has done everything else: a loop that was told before would come to wait for the
/// GIL, and then for the end of the thread.
pub(super) fn deliver_at_thread_end(notifier: Arc<Notifier>, completion: Completion) {
    UNTOLD.with_borrow_mut(|untold| untold.0.push((notifier, completion)));
}
