//! What the macro writes for a class, as traits.

use std::any::{Any, TypeId};
use std::sync::{Arc, Mutex};

use crate::handle::Handle;
use crate::outcome::{Outcome, Plain};
use crate::rows::Rows;
use crate::storage::{Access, Store};
use crate::task::lock;
use crate::worker::Worker;

/// A blocking type that has an async proxy. Written by `#[async_proxy]` on its `impl` block, never by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no async proxy",
    label = "handed out by a proxied member, but has no proxy itself",
    note = "annotate `impl {Self}` with `#[async_proxy]`, or mark the member `#[proxy(skip = \"why\")]`"
)]
pub trait Proxied: Plain + Sized + 'static {
    /// Its proxy.
    type Proxy: Proxy<Class = Self>;
    /// How its objects are kept: [`crate::Owned`] by the worker, or [`crate::Shared`].
    type Storage: Store<Self>;
    /// What a proxy keeps of the one that handed it out: that proxy, or just that it lives.
    type Parent: Clone + Send + Sync + 'static;
    /// Its snapshot properties as last published.
    type Board: Send + Sync + 'static;
    /// Its read-ahead buffer.
    type Rows: Rows;
    /// Its name, which its worker's thread gets too.
    const NAME: &'static str;
    /// Whether cancelling a call on it calls one of its members.
    const INTERRUPTS: bool = false;
    /// Whether one of its members answers also when it is closed, so that the object outlives its close.
    const ANSWERS_WHEN_CLOSED: bool = false;

    /// Reads the snapshot properties for the first time.
    fn board(&self) -> Self::Board;

    /// Reads the snapshot properties again.
    fn publish(&self, _board: &Self::Board) {}

    /// Reads the first rows of a new result set ahead.
    fn prime(_proxy: &Self::Proxy, _worker: &mut Worker) {}

    /// Interrupts the call that runs in the lane (the main lane's name is empty).
    fn interrupt(&self, _lane: &str) {}

    /// The object as an object of that class, which is its own or one that it extends.
    fn reach(&self, class: TypeId) -> Option<&dyn Any> {
        if class == TypeId::of::<Self>() {
            Some(self)
        } else {
            None
        }
    }

    /// The same to change it.
    fn reach_mut(&mut self, class: TypeId) -> Option<&mut dyn Any> {
        if class == TypeId::of::<Self>() {
            Some(self)
        } else {
            None
        }
    }
}

/// The async proxy of a [`Proxied`] type. Written by `#[async_proxy]`.
pub trait Proxy: Clone + Send + Sync + 'static {
    /// The blocking type.
    type Class: Proxied<Proxy = Self>;

    /// The proxy of the object that the handle leads to.
    fn from_handle(handle: Handle<Self::Class>) -> Self;
}

/// A class that others may extend: any whose `close` does not take `self`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be extended",
    note = "its `close` takes `self`, which can't be had of an object that is more than a `{Self}`: take `&mut self` or `&self`",
    note = "if `{Self}` has no proxy yet, annotate `impl {Self}` with `#[async_proxy]`"
)]
pub trait Extendable: Proxied {}

/// A class whose objects read one result set. Written by `#[async_proxy]` for a class with `rows` members.
pub trait ResultSet: Proxied<Rows = crate::RowBuffer<Self::One>> {
    /// What the member that gives the next row returns.
    type One: crate::OneRow;
    /// How that member takes the object.
    type Access: Access;

    /// Reads the next row.
    fn one(object: <Self::Access as Access>::Reference<'_, Self>) -> Self::One;
}

/// What a proxy keeps of the one that handed it out, where no `parent` member asks for more: that it stays open.
#[derive(Clone)]
pub struct Keeper(#[expect(dead_code, reason = "held, not read")] Option<Arc<dyn Any + Send + Sync>>);

/// A proxy that may hand out objects which keep `P` of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` hands out an object whose `parent` member gives `{P}`",
    note = "the class that a `parent` member gives is the one whose `child` member hands the object out"
)]
pub trait HandsOut<P> {
    #[doc(hidden)]
    fn parent(&self) -> P;
}

impl<P: Proxy> HandsOut<P> for P {
    fn parent(&self) -> P {
        self.clone()
    }
}

impl<P: Proxy> HandsOut<Keeper> for P {
    fn parent(&self) -> Keeper {
        Keeper(Some(Arc::new(self.clone())))
    }
}

/// What may be missing: a class that can be opened by itself has no need of a parent.
#[diagnostic::on_unimplemented(
    message = "an object with a `parent` member can't be opened by itself",
    note = "hand it out by a `child` member of its parent, or skip the `parent` member"
)]
pub trait Absent {
    #[doc(hidden)]
    fn absent() -> Self;
}

impl Absent for Keeper {
    fn absent() -> Self {
        Self(None)
    }
}

/// The board of a class without snapshot properties.
pub struct NoSnapshot(());

impl NoSnapshot {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "made by generated code only")]
    pub fn new() -> Self {
        Self(())
    }
}

/// The snapshot properties of an object as the last completed call brought them back.
pub struct Snapshot<S>(Mutex<S>);

impl<S> Snapshot<S> {
    /// The values that an object has when it is made.
    pub fn new(values: S) -> Self {
        Self(Mutex::new(values))
    }

    /// Publishes the values that the object has now.
    pub fn set(&self, values: S) {
        let before = std::mem::replace(&mut *lock(&self.0), values);
        drop(before);
    }

    /// Reads one of them.
    pub fn get<V>(&self, read: impl FnOnce(&S) -> V) -> V {
        read(&lock(&self.0))
    }
}

/// The board of a class that extends another.
pub struct ExtendedBoard<O, B> {
    /// Its own.
    pub own: O,
    /// The one of the class that it extends, shared with that view of the object.
    pub base: Arc<B>,
}

impl<O, B> ExtendedBoard<O, B> {
    /// Both at once.
    pub fn new(own: O, base: B) -> Self {
        Self {
            own,
            base: Arc::new(base),
        }
    }
}

/// Runs the `check` function of a setter.
pub fn check<V, C, Form, E>(value: V, check: impl FnOnce(&V) -> Result<C, E>) -> Result<V, E>
where
    C: crate::outcome::Checked<V, Form>,
{
    check(&value).map(|checked| checked.value(value))
}

/// The class whose proxy a member that hands out objects gives: the type of success of `R`.
pub(crate) type Handed<R> = <<R as Outcome>::Ok as Proxied>::Proxy;
