//! One call on its way: a single allocation that holds the work, the place for its result and who waits for it.

use std::cell::RefCell;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};

use crate::error::{Fault, drop_guarded, guarded};
use crate::storage::Interrupter;
use crate::worker::Worker;

/// Locks a mutex whose content is right also after a panic: ours are held over no code that can leave it half changed.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What waits in a queue, as the worker sees it.
pub(crate) trait Item: Send + Sync {
    /// Runs it, unless it was cancelled, and publishes the result.
    fn run(self: Arc<Self>, worker: &mut Worker);

    /// Publishes a fault in place of running it, unless it runs already.
    fn abandon(&self, fault: Fault);

    /// Interrupts it if it runs; if it waits, it is abandoned as closed.
    fn interrupt(&self);
}

/// A call as its future sees it.
pub(crate) trait Pending<A>: Send + Sync {
    /// Takes the answer, or leaves the waker to be woken when there is one.
    fn poll_answer(&self, context: &mut TaskContext<'_>) -> Poll<A>;

    /// The future was dropped: a waiting call never runs, a running one is interrupted and its result discarded.
    fn cancel(&self);
}

/// The result of the work as it is kept until its future takes it.
pub(crate) trait Output<A>: Send + 'static {
    /// The result of work that did not come to its end.
    fn from_fault(fault: Fault) -> Self;

    /// What the future gives.
    fn into_answer(self) -> A;
}

impl<T: Send + 'static, E: Send + 'static> Output<Result<T, crate::CallError<E>>> for Result<T, crate::CallError<E>> {
    fn from_fault(fault: Fault) -> Self {
        Err(fault.into())
    }

    fn into_answer(self) -> Self {
        self
    }
}

/// A call: queued, running, done, over.
pub(crate) struct Task<W, O> {
    state: Mutex<State<W, O>>,
    /// Sequentially consistent, so that a blocking API which announces what it runs and then looks here is either found by
    /// the interrupt that follows, or sees this.
    cancelled: AtomicBool,
    interrupter: Option<Interrupter>,
    from_fault: fn(Fault) -> O,
}

struct State<W, O> {
    stage: Stage<W, O>,
    waker: Option<Waker>,
}

enum Stage<W, O> {
    Queued(W),
    Running,
    Done(O),
    /// Taken by the future, or given up by it.
    Over,
}

impl<W, O> Task<W, O>
where
    W: FnOnce(&mut Worker) -> O + Send + 'static,
    O: Send + 'static,
{
    pub(crate) fn new<A>(work: W, interrupter: Option<Interrupter>) -> Arc<Self>
    where
        O: Output<A>,
    {
        Arc::new(Self {
            state: Mutex::new(State {
                stage: Stage::Queued(work),
                waker: None,
            }),
            cancelled: AtomicBool::new(false),
            interrupter,
            from_fault: O::from_fault,
        })
    }

    /// Stores the result for the future and wakes it; drops it here if the future is gone.
    fn publish(&self, output: O) {
        let mut state = lock(&self.state);
        if !matches!(state.stage, Stage::Running) {
            drop(state);
            drop_guarded(output);
            return;
        }
        state.stage = Stage::Done(output);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            // A waker belongs to an executor that is not ours.
            let _ = guarded(move || waker.wake());
        }
    }
}

impl<W, O> Item for Task<W, O>
where
    W: FnOnce(&mut Worker) -> O + Send + 'static,
    O: Send + 'static,
{
    fn run(self: Arc<Self>, worker: &mut Worker) {
        let work = {
            let mut state = lock(&self.state);
            match mem::replace(&mut state.stage, Stage::Running) {
                Stage::Queued(work) => work,
                other => {
                    state.stage = other;
                    return;
                }
            }
        };
        let before = CURRENT.replace(Some(self.clone()));
        let output = guarded(|| work(worker)).unwrap_or_else(self.from_fault);
        CURRENT.set(before);
        self.publish(output);
    }

    fn abandon(&self, fault: Fault) {
        let mut state = lock(&self.state);
        match mem::replace(&mut state.stage, Stage::Running) {
            Stage::Queued(work) => {
                drop(state);
                drop_guarded(work);
                self.publish((self.from_fault)(fault));
            }
            other => state.stage = other,
        }
    }

    fn interrupt(&self) {
        let state = lock(&self.state);
        match state.stage {
            Stage::Queued(_) => {
                drop(state);
                self.abandon(Fault::Closed);
            }
            Stage::Running => {
                self.cancelled.store(true, Ordering::SeqCst);
                // Under the lock that the worker needs to publish: until it is given back, this call is the current one.
                if let Some(interrupter) = &self.interrupter {
                    interrupter.interrupt();
                }
            }
            Stage::Done(_) | Stage::Over => {}
        }
    }
}

impl<W, O, A> Pending<A> for Task<W, O>
where
    W: FnOnce(&mut Worker) -> O + Send + 'static,
    O: Output<A>,
{
    fn poll_answer(&self, context: &mut TaskContext<'_>) -> Poll<A> {
        let mut state = lock(&self.state);
        match mem::replace(&mut state.stage, Stage::Over) {
            Stage::Done(output) => {
                drop(state);
                Poll::Ready(output.into_answer())
            }
            Stage::Over => panic!("a call's future was polled after it had given its result"),
            waiting => {
                state.stage = waiting;
                let replaced = match &state.waker {
                    Some(waker) if waker.will_wake(context.waker()) => None,
                    _ => state.waker.replace(context.waker().clone()),
                };
                drop(state);
                drop(replaced);
                Poll::Pending
            }
        }
    }

    fn cancel(&self) {
        let mut state = lock(&self.state);
        let waker = state.waker.take();
        let stage = mem::replace(&mut state.stage, Stage::Over);
        if matches!(stage, Stage::Running) {
            self.cancelled.store(true, Ordering::SeqCst);
            // Under the lock that the worker needs to go on: until it is given back, this call is the current one.
            if let Some(interrupter) = &self.interrupter {
                interrupter.interrupt();
            }
        }
        drop(state);
        // Outside of the lock: what is dropped here (arguments, a result) is not ours.
        drop(stage);
        drop(waker);
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<dyn CancelFlag>>> = const { RefCell::new(None) };
}

pub(crate) trait CancelFlag: Send + Sync {
    fn is_cancelled(&self) -> bool;
}

/// Runs a call of a worker that is not made of tasks; the flag says that nobody waits for it any more.
#[cfg(feature = "python")]
pub(crate) fn run_as<T>(given_up: Arc<dyn CancelFlag>, call: impl FnOnce() -> T) -> T {
    let before = CURRENT.replace(Some(given_up));
    let outcome = call();
    CURRENT.set(before);
    outcome
}

/// Runs a part of a call that is not given up half way: whoever runs it looks between the parts.
#[cfg(feature = "python")]
pub(crate) fn run_whole<T>(part: impl FnOnce() -> T) -> T {
    let before = CURRENT.take();
    let outcome = part();
    CURRENT.set(before);
    outcome
}

impl<W: Send, O: Send> CancelFlag for Task<W, O> {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }
}

/// The call that a worker is running, for a blocking API that wants to know whether anybody still waits for it.
///
/// A long-running method looks at it now and then (in a progress handler, say) and gives up early. Unlike a class's
/// `interrupt` member, which sets a state of the whole object, a token belongs to one call and can't hit another.
///
/// The two go together: the member stops what is under way, and finds nothing if the call has not come that far. The token
/// is set before the member is called. So a method that first announces what it begins, where the member looks for it, and
/// then looks at its token, is stopped whenever its future is dropped.
///
/// ```
/// # use async_proxy::CallToken;
/// fn count(numbers: &[u64]) -> Result<u64, String> {
///     let token = CallToken::current();
///     let mut sum = 0;
///     for number in numbers {
///         if token.as_ref().is_some_and(CallToken::is_cancelled) {
///             return Err("nobody waits for the sum any more".to_owned());
///         }
///         sum += number;
///     }
///     Ok(sum)
/// }
/// # assert_eq!(count(&[1, 2]), Ok(3));
/// ```
#[derive(Clone)]
pub struct CallToken(Arc<dyn CancelFlag>);

impl CallToken {
    /// The call that runs in this thread; `None` in a thread that is not a worker's, so also when the method is called
    /// without a proxy.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(|current| current.clone().map(Self))
    }

    /// Whether the call's future was dropped, or its lane was cancelled by a close.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl std::fmt::Debug for CallToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("CallToken")
            .field("is_cancelled", &self.is_cancelled())
            .finish()
    }
}
