//! What a proxy holds: the way to its object. Generated code calls this; people call the proxy.

use std::fmt;
use std::sync::Arc;

use crate::call::{Answering, Call, Child, Open};
use crate::class::{Absent, Extendable, HandsOut, Proxied, Proxy};
use crate::closing::{Close, Closing};
use crate::error::{CallError, Fault, guarded};
use crate::outcome::{Answer, Outcome};
use crate::queue::Queue;
use crate::rows::{HandsDownRows, Rows};
use crate::storage::{Interrupter, Place, ReachedExclusively, ReachedInPlace, Store};
use crate::task::{Item, Output, Task};
use crate::worker::{Role, Worker, start};

/// The way to an object of class `T` on its worker. When the last handle is gone, what is queued is run and the worker drops
/// the object.
pub struct Handle<T: Proxied>(pub(crate) Arc<View<T>>);

/// An object seen as one of its classes. The fields are dropped in this order: the object goes before the one that handed it
/// out.
pub(crate) struct View<T: Proxied> {
    pub(crate) life: Arc<Life>,
    board: Arc<T::Board>,
    pub(crate) rows: Arc<T::Rows>,
    parent: T::Parent,
}

/// What all views of one object share: as long as it lives, so does the object.
pub(crate) struct Life {
    queue: Arc<Queue>,
    pub(crate) place: Place,
    interrupter: Option<Interrupter>,
    closing: Arc<Closing>,
    /// It was opened, not handed out: the worker ends with it.
    whole: bool,
}

impl Life {
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_shut() || self.closing.has_begun()
    }

    /// What a call made now is refused for.
    fn refusal(&self) -> Option<Fault> {
        // The queue itself refuses what comes too late for the worker; this is about an object that was handed out.
        (!self.whole && self.closing.has_begun()).then_some(Fault::Closed)
    }

    fn submit<T, E, W, O>(&self, queue: &Queue, interrupter: Option<Interrupter>, work: W) -> Answering<T, E>
    where
        T: 'static,
        E: 'static,
        W: FnOnce(&mut Worker) -> O + Send + 'static,
        O: Output<Result<T, CallError<E>>>,
    {
        if let Some(fault) = self.refusal() {
            return Answering::fault(fault);
        }
        let task = Task::new(work, interrupter);
        match queue.push(task.clone()) {
            Ok(()) => Answering::pending(task),
            Err(fault) => Answering::fault(fault),
        }
    }

    /// Queues work in the main lane.
    pub(crate) fn submit_main<T, E, W, O>(&self, work: W) -> Answering<T, E>
    where
        T: 'static,
        E: 'static,
        W: FnOnce(&mut Worker) -> O + Send + 'static,
        O: Output<Result<T, CallError<E>>>,
    {
        self.submit(&self.queue, self.interrupter.clone(), work)
    }

    /// Queues work that nobody waits for.
    pub(crate) fn submit_unawaited(&self, work: impl FnOnce(&mut Worker) + Send + 'static) {
        let work = move |worker: &mut Worker| -> Result<(), CallError<()>> {
            work(worker);
            Ok(())
        };
        // Refused, the worker is about to drop everything anyway.
        let _ = self.queue.push(Task::new(work, None));
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(slot) = &self.place.slot {
            slot.lanes.shut();
        }
        if self.whole {
            self.queue.shut();
        } else if !self.closing.has_begun() {
            let place = self.place.clone();
            self.submit_unawaited(move |worker| worker.arena.end(&place));
        }
    }
}

impl<T: Proxied> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Proxied> fmt::Debug for Handle<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.0.life.is_closed() { "closed" } else { "open" };
        formatter.debug_tuple(T::NAME).field(&format_args!("{state}")).finish()
    }
}

/// Opens an object on a worker of its own.
pub fn open<R, F, W>(work: W) -> Open<R, F>
where
    W: FnOnce() -> R + Send + 'static,
    R: Outcome,
    R::Ok: Proxied,
    R::Error: Send + 'static,
    <R::Ok as Proxied>::Parent: Absent,
{
    let queue = Queue::new();
    let unopened = ShutOnDrop(Some(queue.clone()));
    let task = Task::new(
        move |worker: &mut Worker| {
            let mut unopened = unopened;
            let object = work().into_result().map_err(CallError::Call)?;
            let parent = <R::Ok as Proxied>::Parent::absent();
            let proxy = adopt(object, worker, parent, None, true);
            // From here on the proxy's end is the worker's.
            unopened.0 = None;
            Ok(proxy)
        },
        None,
    );
    let answering = match queue.push(task.clone()) {
        Ok(()) => Answering::pending(task),
        Err(fault) => Answering::fault(fault),
    };
    if start(<R::Ok as Proxied>::NAME, queue.clone(), Role::Main).is_err() {
        queue.end();
    }
    Open::new(answering)
}

/// Ends a worker whose object was never opened: the function failed, panicked, or was cancelled.
struct ShutOnDrop(Option<Arc<Queue>>);

impl Drop for ShutOnDrop {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            queue.shut();
        }
    }
}

/// Takes an object into the worker and gives its proxy.
fn adopt<T: Proxied>(
    object: T,
    worker: &mut Worker,
    parent: T::Parent,
    interrupter: Option<Interrupter>,
    whole: bool,
) -> T::Proxy {
    let board = Arc::new(object.board());
    let place = <T::Storage as Store<T>>::place(object, board.clone(), worker);
    let interrupter = match &place.slot {
        Some(slot) if T::INTERRUPTS => Some(Interrupter {
            slot: slot.clone(),
            lane: "",
        }),
        _ => interrupter,
    };
    let life = Life {
        queue: worker.queue.clone(),
        place,
        interrupter,
        closing: Arc::default(),
        whole,
    };
    let view = View {
        life: Arc::new(life),
        board,
        rows: Arc::new(T::Rows::default()),
        parent,
    };
    let proxy = T::Proxy::from_handle(Handle(Arc::new(view)));
    T::prime(&proxy, worker);
    proxy
}

impl<T: Proxied> Handle<T> {
    fn life(&self) -> &Life {
        &self.0.life
    }

    /// Queues a member that takes `&self`.
    pub fn call<R, F, W>(&self, work: W) -> Call<R, F>
    where
        W: FnOnce(&T) -> R + Send + 'static,
        R: Outcome<Ok: Send + 'static, Error: Send + 'static>,
    {
        let place = self.life().place.clone();
        Call::new(
            self.life()
                .submit_main(move |worker| answer(worker.arena.with(&place, true, work))),
        )
    }

    /// Queues a member that takes `&mut self`.
    pub fn call_mut<R, F, W>(&self, work: W) -> Call<R, F>
    where
        T::Storage: ReachedExclusively,
        W: FnOnce(&mut T) -> R + Send + 'static,
        R: Outcome<Ok: Send + 'static, Error: Send + 'static>,
    {
        let place = self.life().place.clone();
        Call::new(
            self.life()
                .submit_main(move |worker| answer(worker.arena.with_mut(&place, true, work))),
        )
    }

    /// Queues a member that returns the object itself; the future gives the proxy, and a new result set begins.
    pub fn chain<P, R, F, W>(&self, proxy: &P, work: W) -> Call<R, F>
    where
        P: Proxy<Class = T>,
        T: Proxied<Proxy = P, Storage: ReachedExclusively>,
        W: FnOnce(&mut T) -> Result<(), R::Error> + Send + 'static,
        R: Outcome<Ok = P, Error: Send + 'static>,
    {
        let place = self.life().place.clone();
        let turn = self.0.rows.turn();
        let rows = self.0.rows.clone();
        let proxy = proxy.clone();
        Call::new(self.life().submit_main(move |worker| {
            let _turn = turn;
            rows.clear();
            answer::<Result<(), R::Error>>(worker.arena.with_mut(&place, true, work))?;
            T::prime(&proxy, worker);
            Ok(proxy)
        }))
    }

    /// Queues a member that hands out another object.
    pub fn child<P, R, F, W>(&self, proxy: &P, work: W) -> Child<R, F>
    where
        P: HandsOut<<R::Ok as Proxied>::Parent>,
        W: FnOnce(&T) -> R + Send + 'static,
        R: Outcome<Ok: Proxied, Error: Send + 'static> + 'static,
    {
        let place = self.life().place.clone();
        let adoption = self.adoption::<P, R>(proxy, self.life().interrupter.clone());
        Child::new(self.life().submit_main(move |worker| {
            let handed = worker.arena.with(&place, true, work);
            adoption(handed, worker)
        }))
    }

    /// The same for a member that takes `&mut self`.
    pub fn child_mut<P, R, F, W>(&self, proxy: &P, work: W) -> Child<R, F>
    where
        T::Storage: ReachedExclusively,
        P: HandsOut<<R::Ok as Proxied>::Parent>,
        W: FnOnce(&mut T) -> R + Send + 'static,
        R: Outcome<Ok: Proxied, Error: Send + 'static> + 'static,
    {
        let place = self.life().place.clone();
        let adoption = self.adoption::<P, R>(proxy, self.life().interrupter.clone());
        Child::new(self.life().submit_main(move |worker| {
            let handed = worker.arena.with_mut(&place, true, work);
            adoption(handed, worker)
        }))
    }

    #[expect(clippy::type_complexity, reason = "the result of one adoption, named nowhere else")]
    fn adoption<P, R>(
        &self,
        proxy: &P,
        interrupter: Option<Interrupter>,
    ) -> impl FnOnce(Result<R, Fault>, &mut Worker) -> Result<<R::Ok as Proxied>::Proxy, CallError<R::Error>>
    + Send
    + 'static
    + use<P, R, T>
    where
        P: HandsOut<<R::Ok as Proxied>::Parent>,
        R: Outcome<Ok: Proxied, Error: Send + 'static> + 'static,
    {
        let parent = proxy.parent();
        move |handed, worker| answer::<R>(handed).map(|object| adopt(object, worker, parent, interrupter, false))
    }

    /// Queues a member in a lane of its own.
    pub fn call_in_lane<R, F, W>(&self, lane: &'static str, work: W) -> Call<R, F>
    where
        T::Storage: ReachedInPlace,
        W: FnOnce(&T) -> R + Send + 'static,
        R: Outcome<Ok: Send + 'static, Error: Send + 'static>,
    {
        let place = self.life().place.clone();
        let work = move |worker: &mut Worker| answer(worker.arena.with(&place, true, work));
        Call::new(match self.lane(lane) {
            Ok((queue, interrupter)) => self.life().submit(&queue, interrupter, work),
            Err(fault) => Answering::fault(fault),
        })
    }

    fn lane(&self, lane: &'static str) -> Result<(Arc<Queue>, Option<Interrupter>), Fault> {
        let life = self.life();
        if life.is_closed() {
            return Err(Fault::Closed);
        }
        let slot = life.place.slot.as_ref().ok_or(Fault::Gone)?;
        let queue = slot.lanes.queue(T::NAME, lane)?;
        let interrupter = T::INTERRUPTS.then(|| Interrupter {
            slot: slot.clone(),
            lane,
        });
        Ok((queue, interrupter))
    }

    /// Runs a member in place, in the caller's thread.
    pub fn direct<R, F, W>(&self, work: W) -> Answer<R, F>
    where
        T::Storage: ReachedInPlace,
        W: FnOnce(&T) -> R,
        R: Outcome,
        F: From<CallError<R::Error>>,
    {
        if self.life().is_closed() {
            return Err(F::from(CallError::Closed));
        }
        self.direct_when_closed(work)
    }

    /// The same for a member that answers also when the object is closed.
    pub fn direct_when_closed<R, F, W>(&self, work: W) -> Answer<R, F>
    where
        T::Storage: ReachedInPlace,
        W: FnOnce(&T) -> R,
        R: Outcome,
        F: From<CallError<R::Error>>,
    {
        let slot = self.life().place.slot.as_ref();
        let answered = guarded(|| slot.and_then(|slot| slot.with_in_place(work)));
        answer::<R>(answered.and_then(|result| result.ok_or(Fault::Closed))).map_err(F::from)
    }

    /// Queues the `close` of a class where it takes `&self`.
    pub fn close<R, F, W>(&self, work: W) -> Close<R, F>
    where
        W: FnOnce(&T) -> R + Send + 'static,
        R: Outcome<Ok: Send + Default + 'static, Error: Send + 'static> + 'static,
    {
        self.close_by(move |worker, place| worker.arena.with(place, true, work))
    }

    /// Queues the `close` of a class where it takes `&mut self`.
    pub fn close_mut<R, F, W>(&self, work: W) -> Close<R, F>
    where
        T::Storage: ReachedExclusively,
        W: FnOnce(&mut T) -> R + Send + 'static,
        R: Outcome<Ok: Send + Default + 'static, Error: Send + 'static> + 'static,
    {
        self.close_by(move |worker, place| worker.arena.with_mut(place, true, work))
    }

    /// Queues the `close` of a class where it takes `self`.
    pub fn close_owned<R, F, W>(&self, work: W) -> Close<R, F>
    where
        W: FnOnce(T) -> R + Send + 'static,
        R: Outcome<Ok: Send + Default + 'static, Error: Send + 'static> + 'static,
    {
        self.close_by(move |worker, place| worker.arena.take(place).map(work))
    }

    fn close_by<R, F, W>(&self, work: W) -> Close<R, F>
    where
        W: FnOnce(&mut Worker, &Place) -> Result<R, Fault> + Send + 'static,
        R: Outcome<Ok: Send + Default + 'static, Error: Send + 'static> + 'static,
    {
        let life = self.life();
        if let Some(slot) = &life.place.slot {
            slot.lanes.shut();
        }
        Close::new(
            life.closing.clone(),
            life.place.clone(),
            life.whole,
            work,
            |item: Arc<dyn Item>| {
                if life.whole {
                    life.queue.push_last(item)
                } else {
                    life.queue.push(item)
                }
            },
        )
    }

    /// The snapshot properties as the last completed call brought them back.
    pub fn board(&self) -> &T::Board {
        &self.0.board
    }

    /// What the proxy keeps of the one that handed it out.
    pub fn parent(&self) -> &T::Parent {
        &self.0.parent
    }

    /// The same object as one of the class that this one extends.
    pub fn base<B>(&self, board: Arc<B::Board>) -> B::Proxy
    where
        B: Extendable<Parent = T::Parent>,
        T::Rows: HandsDownRows<B::Rows>,
    {
        let rows = T::Rows::hand_down(&self.0.rows);
        let view = View {
            life: self.0.life.clone(),
            board,
            rows,
            parent: self.0.parent.clone(),
        };
        B::Proxy::from_handle(Handle(Arc::new(view)))
    }
}

fn answer<R: Outcome>(result: Result<R, Fault>) -> Answer<R> {
    result?.into_result().map_err(CallError::Call)
}
