//! Whether the calling thread is polling a task of tokio.

use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;
use tokio::task::coop;

/// More than tokio gives any task before it has to yield (128 when this was written).
const MORE_THAN_ANY_BUDGET: usize = 1024;

/// Whether the calling thread is one in which tokio polls a task, so that waiting here would hold up others.
///
/// Tokio does not tell, but it gives whatever it polls a budget, and gives none to threads that may block: those of
/// `spawn_blocking`, of `block_in_place`, and those that merely entered a runtime's context. So the budget is used up, and put
/// back as it was.
pub(crate) fn polls_tasks() -> bool {
    // Outside of any runtime's context, which is the common case, there is no budget to look at.
    if Handle::try_current().is_err() {
        return false;
    }
    let mut context = Context::from_waker(Waker::noop());
    let mut taken = Vec::new();
    let mut limited = !coop::has_budget_remaining();
    while !limited && taken.len() < MORE_THAN_ANY_BUDGET {
        match coop::poll_proceed(&mut context) {
            Poll::Ready(unit) => taken.push(unit),
            Poll::Pending => limited = true,
        }
    }
    // Each restores what there was before it: the first one has to be the last.
    while let Some(unit) = taken.pop() {
        drop(unit);
    }
    limited
}
