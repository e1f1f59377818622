//! Closing: once, for everybody, and known when it is done.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::error::{CallError, Fault, drop_guarded, guarded};
use crate::outcome::{Answer, Outcome};
use crate::storage::Place;
use crate::task::{Item, lock};
use crate::worker::Worker;

/// The state of an object's end, shared by all who wait for it.
#[derive(Default)]
pub(crate) struct Closing(Mutex<State>);

#[derive(Default)]
struct State {
    begun: bool,
    done: bool,
    /// Those who wait, each in its own place, so that a future polled from another task replaces its waker.
    wakers: Vec<Option<Waker>>,
}

impl Closing {
    /// Whether the caller is the one who closes.
    fn begin(&self) -> bool {
        !mem::replace(&mut lock(&self.0).begun, true)
    }

    pub(crate) fn has_begun(&self) -> bool {
        lock(&self.0).begun
    }

    pub(crate) fn complete(&self) {
        let wakers = {
            let mut state = lock(&self.0);
            state.done = true;
            mem::take(&mut state.wakers)
        };
        for waker in wakers.into_iter().flatten() {
            let _ = guarded(move || waker.wake());
        }
    }

    fn poll_done(&self, place: &mut Option<usize>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.0);
        if state.done {
            return Poll::Ready(());
        }
        let index = *place.get_or_insert(state.wakers.len());
        if index == state.wakers.len() {
            state.wakers.push(None);
        }
        let replaced = match &state.wakers[index] {
            Some(waker) if waker.will_wake(context.waker()) => None,
            _ => state.wakers[index].replace(context.waker().clone()),
        };
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    fn forget(&self, place: usize) {
        let waker = lock(&self.0).wakers.get_mut(place).and_then(Option::take);
        drop(waker);
    }
}

/// Where the outcome of the close member is left for the future of who closed.
type Slot<R> = Mutex<Option<Answer<R>>>;

/// The future of a `close`: gives its outcome when the object is dropped and, if it was opened and not handed out by
/// another, its worker has nothing left to do.
///
/// Closing is not undone by dropping this future. A second close gives the success type's default when the first is done.
#[must_use = "the object is closed all the same, but only awaiting this tells when, and whether it failed"]
pub struct Close<R: Outcome, F = CallError<<R as Outcome>::Error>> {
    closing: Arc<Closing>,
    place: Option<usize>,
    answer: Option<Arc<Slot<R>>>,
    error: PhantomData<fn() -> F>,
}

impl<R: Outcome + 'static, F> Close<R, F>
where
    R::Ok: Send,
    R::Error: Send,
{
    /// Closes, if nobody did before. `queue` puts the item in.
    pub(crate) fn new<W>(
        closing: Arc<Closing>,
        place: Place,
        whole: bool,
        work: W,
        queue: impl FnOnce(Arc<dyn Item>) -> Result<(), Fault>,
    ) -> Self
    where
        W: FnOnce(&mut Worker, &Place) -> Result<R, Fault> + Send + 'static,
    {
        let mut this = Self {
            closing: closing.clone(),
            place: None,
            answer: None,
            error: PhantomData,
        };
        if !closing.begin() {
            return this;
        }
        let answer = Arc::new(Mutex::new(None));
        let item = Arc::new(CloseItem {
            work: Mutex::new(Some(work)),
            place,
            whole,
            closing,
            answer: answer.clone(),
        });
        this.answer = Some(answer);
        if let Err(fault) = queue(item.clone()) {
            item.refused(fault);
        }
        this
    }
}

impl<R: Outcome, F> Future for Close<R, F>
where
    R::Ok: Default,
    F: From<CallError<R::Error>>,
{
    type Output = Answer<R, F>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.closing.poll_done(&mut this.place, context).is_pending() {
            return Poll::Pending;
        }
        let answer = this.answer.take().and_then(|slot| lock(&slot).take());
        Poll::Ready(answer.unwrap_or_else(|| Ok(R::Ok::default())).map_err(F::from))
    }
}

impl<R: Outcome, F> fmt::Debug for Close<R, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Close").finish_non_exhaustive()
    }
}

impl<R: Outcome, F> Drop for Close<R, F> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.closing.forget(place);
        }
    }
}

struct CloseItem<R: Outcome, W> {
    work: Mutex<Option<W>>,
    place: Place,
    /// The object was opened: its worker ends with it.
    whole: bool,
    closing: Arc<Closing>,
    answer: Arc<Slot<R>>,
}

impl<R: Outcome, W> CloseItem<R, W> {
    /// The queue takes nothing any more. A child whose connection was closed is closed: that is no error.
    fn refused(&self, fault: Fault) {
        if self.whole {
            *lock(&self.answer) = Some(Err(fault.into()));
        }
        self.closing.complete();
    }
}

impl<R, W> Item for CloseItem<R, W>
where
    R: Outcome + 'static,
    R::Ok: Send,
    R::Error: Send,
    W: FnOnce(&mut Worker, &Place) -> Result<R, Fault> + Send,
{
    fn run(self: Arc<Self>, worker: &mut Worker) {
        let Some(work) = lock(&self.work).take() else { return };
        if let Some(slot) = &self.place.slot {
            slot.lanes.cancel();
        }
        let answer = match guarded(|| work(worker, &self.place).map(Outcome::into_result)) {
            Ok(Ok(result)) => result.map_err(CallError::Call),
            Ok(Err(fault)) | Err(fault) => Err(fault.into()),
        };
        *lock(&self.answer) = Some(answer);
        worker.arena.end(&self.place);
        if self.whole {
            worker.closings.push(self.closing.clone());
        } else {
            self.closing.complete();
        }
    }

    fn abandon(&self, fault: Fault) {
        let work = lock(&self.work).take();
        if work.is_some() {
            drop_guarded(work);
            self.refused(fault);
        }
    }

    fn interrupt(&self) {}
}
