//! Where objects live: in the worker alone, or shared with those who may reach them in place.

use std::any::{Any, TypeId};
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, PoisonError, RwLock};

use crate::class::Proxied;
use crate::error::{Fault, drop_guarded, guarded};
use crate::lanes::Lanes;

/// What is published about an object beside the results of its calls: its snapshot properties.
pub(crate) type AnyBoard = Arc<dyn Any + Send + Sync>;

/// An object of some class, reached as that class or as one that it extends.
pub(crate) trait Object {
    fn reach(&self, class: TypeId) -> Option<&dyn Any>;
    fn reach_mut(&mut self, class: TypeId) -> Option<&mut dyn Any>;
    fn publish(&self, board: &dyn Any);
    fn interrupt(&self, lane: &str);
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// An [`Object`] that any thread may reach.
pub(crate) trait SharedObject: Object + Send + Sync {
    /// The object itself, if nobody else holds it.
    fn into_inner(self: Arc<Self>) -> Option<Box<dyn Any>>;
}

impl<T: Proxied> Object for T {
    fn reach(&self, class: TypeId) -> Option<&dyn Any> {
        <T as Proxied>::reach(self, class)
    }

    fn reach_mut(&mut self, class: TypeId) -> Option<&mut dyn Any> {
        <T as Proxied>::reach_mut(self, class)
    }

    fn publish(&self, board: &dyn Any) {
        if let Some(board) = board.downcast_ref::<T::Board>() {
            <T as Proxied>::publish(self, board);
        }
    }

    fn interrupt(&self, lane: &str) {
        <T as Proxied>::interrupt(self, lane);
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl<T: Proxied + Send + Sync> SharedObject for T {
    fn into_inner(self: Arc<Self>) -> Option<Box<dyn Any>> {
        Some(Box::new(Arc::into_inner(self)?))
    }
}

/// How the objects of a class are kept: [`Owned`] or [`Shared`].
#[diagnostic::on_unimplemented(
    message = "`{T}` can't be kept as its members ask",
    note = "members that are `direct`, `interrupt`, live properties or in a lane are run from several threads: the type must be Send and Sync"
)]
pub trait Store<T>: Sized {
    #[doc(hidden)]
    fn place(object: T, board: Arc<dyn Any + Send + Sync>, worker: &mut crate::Worker) -> Place;
}

/// The object belongs to its worker's thread alone: it need be neither Send nor Sync.
pub struct Owned(());

/// The object is shared: some of its members run in place or side by side, so all of them take `&self`.
pub struct Shared(());

impl<T: Proxied> Store<T> for Owned {
    fn place(object: T, board: AnyBoard, worker: &mut crate::Worker) -> Place {
        let key = worker.arena.insert(Content::Owned {
            object: Box::new(object),
            board,
        });
        Place { key, slot: None }
    }
}

impl<T: Proxied + Send + Sync> Store<T> for Shared {
    fn place(object: T, board: AnyBoard, worker: &mut crate::Worker) -> Place {
        let slot = Arc::new(SharedSlot {
            object: RwLock::new(Some(Arc::new(object))),
            board,
            lanes: Lanes::default(),
            outlives_close: T::ANSWERS_WHEN_CLOSED,
        });
        let key = worker.arena.insert(Content::Shared(slot.clone()));
        Place { key, slot: Some(slot) }
    }
}

/// The storage of a class whose members may be called in place.
#[diagnostic::on_unimplemented(
    message = "this member runs outside of the worker, but the class belongs to its worker alone",
    note = "the first `#[async_proxy]` block of the type decides: put one member that is `direct`, `interrupt`, a live property or in a lane there"
)]
pub trait ReachedInPlace {}

impl ReachedInPlace for Shared {}

/// The storage of a class whose members may take `&mut self`.
#[diagnostic::on_unimplemented(
    message = "a member takes `&mut self`, but objects of the class are shared between threads",
    note = "a class with members that are `direct`, `interrupt`, live properties or in a lane takes `&self` throughout; use a Mutex or an atomic inside"
)]
pub trait ReachedExclusively {}

impl ReachedExclusively for Owned {}

/// How a class that extends another reaches its base: by `Deref`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` extends `{B}`, but can't be used as one",
    label = "needs `Deref<Target = {B}>`",
    note = "write `impl Deref for {Self}` with `type Target = {B}`, and `DerefMut` too where members of `{B}` take `&mut self`"
)]
pub trait Extends<B> {
    #[doc(hidden)]
    fn as_base(&self) -> &B;
}

impl<D: Deref<Target = B>, B> Extends<B> for D {
    fn as_base(&self) -> &B {
        self
    }
}

/// The object as one of the class that its own extends.
pub fn as_base<B, D: Extends<B>>(object: &D) -> &B {
    object.as_base()
}

/// How a class that extends another reaches its base to change it: by `DerefMut`, where the base is [`Owned`].
pub trait Derive<D, B> {
    #[doc(hidden)]
    fn reach_mut(derived: &mut D, class: TypeId) -> Option<&mut dyn Any>;
}

impl<D: DerefMut<Target = B>, B: Proxied> Derive<D, B> for Owned {
    fn reach_mut(derived: &mut D, class: TypeId) -> Option<&mut dyn Any> {
        <B as Proxied>::reach_mut(derived.deref_mut(), class)
    }
}

impl<D: Deref<Target = B>, B: Proxied> Derive<D, B> for Shared {
    fn reach_mut(_: &mut D, _: TypeId) -> Option<&mut dyn Any> {
        None
    }
}

/// Where an object is: its entry in its worker's arena and, if it is shared, the slot that holds it. Opaque.
#[derive(Clone)]
pub struct Place {
    pub(crate) key: Key,
    pub(crate) slot: Option<Arc<SharedSlot>>,
}

/// A shared object, until it is closed.
pub(crate) struct SharedSlot {
    object: RwLock<Option<Arc<dyn SharedObject>>>,
    board: AnyBoard,
    pub(crate) lanes: Lanes,
    outlives_close: bool,
}

impl SharedSlot {
    /// The object for a worker, which uses it for as long as its call takes.
    fn get(&self) -> Option<Arc<dyn SharedObject>> {
        self.object.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lends the object to a member that never blocks. The lock is held meanwhile: a close waits for it, so that the object
    /// is dropped on its worker and nowhere else.
    pub(crate) fn with_in_place<T: Proxied, R>(&self, code: impl FnOnce(&T) -> R) -> Option<R> {
        let object = self.object.read().unwrap_or_else(PoisonError::into_inner);
        Some(code(object.as_ref()?.reach(TypeId::of::<T>())?.downcast_ref()?))
    }

    fn take(&self) -> Option<Arc<dyn SharedObject>> {
        self.object.write().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What interrupts the calls of a lane.
#[derive(Clone)]
pub(crate) struct Interrupter {
    pub(crate) slot: Arc<SharedSlot>,
    pub(crate) lane: &'static str,
}

impl Interrupter {
    pub(crate) fn interrupt(&self) {
        let object = self.slot.object.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(object) = object.as_ref() {
            let _ = guarded(|| object.interrupt(self.lane));
        }
    }
}

/// An entry of an [`Arena`]. The generation tells a removed object from the one that has its entry now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    index: usize,
    generation: u64,
}

/// The objects of one worker.
#[derive(Default)]
pub(crate) struct Arena {
    entries: Vec<Entry>,
    free: Vec<usize>,
    generation: u64,
}

struct Entry {
    generation: u64,
    content: Option<Content>,
}

pub(crate) enum Content {
    Owned { object: Box<dyn Object>, board: AnyBoard },
    Shared(Arc<SharedSlot>),
}

impl Arena {
    fn insert(&mut self, content: Content) -> Key {
        self.generation += 1;
        let entry = Entry {
            generation: self.generation,
            content: Some(content),
        };
        let index = match self.free.pop() {
            Some(index) => {
                self.entries[index] = entry;
                index
            }
            None => {
                self.entries.push(entry);
                self.entries.len() - 1
            }
        };
        Key {
            index,
            generation: self.generation,
        }
    }

    fn content(&mut self, key: Key) -> Option<&mut Content> {
        let entry = self.entries.get_mut(key.index)?;
        if entry.generation == key.generation {
            entry.content.as_mut()
        } else {
            None
        }
    }

    fn remove(&mut self, key: Key) -> Option<Content> {
        let entry = self.entries.get_mut(key.index)?;
        if entry.generation != key.generation {
            return None;
        }
        let content = entry.content.take()?;
        self.free.push(key.index);
        Some(content)
    }

    /// Ends every object, the newest first: those that were handed out by another before that one.
    pub(crate) fn clear(&mut self) {
        let mut entries = mem::take(&mut self.entries);
        self.free.clear();
        entries.sort_by_key(|entry| entry.generation);
        while let Some(entry) = entries.pop() {
            if let Some(content) = entry.content {
                content.end();
            }
        }
    }

    /// Ends one object.
    pub(crate) fn end(&mut self, place: &Place) {
        if let Some(content) = self.remove(place.key) {
            content.end();
        }
    }

    /// Takes one object out, as the class that it is of.
    pub(crate) fn take<T: Proxied>(&mut self, place: &Place) -> Result<T, Fault> {
        let taken = match self.remove(place.key).ok_or(Fault::Closed)? {
            Content::Owned { object, .. } => Some(object.into_any()),
            Content::Shared(slot) => {
                slot.lanes.join();
                let object = slot.take().ok_or(Fault::Closed)?;
                object.into_inner()
            }
        };
        // The macro lets no class be extended whose close takes `self`, and the lanes have ended.
        taken
            .and_then(|object| object.downcast::<T>().ok())
            .map(|object| *object)
            .ok_or(Fault::Gone)
    }

    /// Lends one object to a call; `publish`: its snapshot properties are read afterwards.
    pub(crate) fn with<T: Proxied, R>(
        &mut self,
        place: &Place,
        publish: bool,
        code: impl FnOnce(&T) -> R,
    ) -> Result<R, Fault> {
        if let Some(slot) = &place.slot {
            let object = slot.get().ok_or(Fault::Closed)?;
            let result = code(reached(object.reach(TypeId::of::<T>()))?);
            if publish {
                object.publish(&*slot.board);
            }
            return Ok(result);
        }
        let Some(Content::Owned { object, board }) = self.content(place.key) else {
            return Err(Fault::Closed);
        };
        let result = code(reached(object.reach(TypeId::of::<T>()))?);
        if publish {
            object.publish(&**board);
        }
        Ok(result)
    }

    /// Reads the snapshot properties of one object again.
    pub(crate) fn publish(&mut self, place: &Place) {
        if let Some(slot) = &place.slot {
            if let Some(object) = slot.get() {
                object.publish(&*slot.board);
            }
        } else if let Some(Content::Owned { object, board }) = self.content(place.key) {
            object.publish(&**board);
        }
    }

    /// The same for a call that changes it.
    pub(crate) fn with_mut<T: Proxied, R>(
        &mut self,
        place: &Place,
        publish: bool,
        code: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Fault> {
        let Some(Content::Owned { object, board }) = self.content(place.key) else {
            return Err(Fault::Closed);
        };
        let reached = object
            .reach_mut(TypeId::of::<T>())
            .and_then(|object| object.downcast_mut::<T>());
        let result = code(reached.ok_or(Fault::Gone)?);
        if publish {
            object.publish(&**board);
        }
        Ok(result)
    }
}

fn reached<T: Proxied>(object: Option<&dyn Any>) -> Result<&T, Fault> {
    object.and_then(|object| object.downcast_ref::<T>()).ok_or(Fault::Gone)
}

impl Content {
    /// Drops the object; a panic in its `Drop` stays here.
    fn end(self) {
        match self {
            Self::Owned { object, .. } => drop_guarded(object),
            Self::Shared(slot) => {
                slot.lanes.join();
                if !slot.outlives_close {
                    drop_guarded(slot.take());
                }
                drop_guarded(slot);
            }
        }
    }
}

/// Why an object could not be reached. Opaque.
pub struct AccessFault(pub(crate) Fault);

/// How the members that read rows take the object: [`Exclusive`] or [`InPlace`].
pub trait Access: 'static {
    /// The reference that the member takes.
    type Reference<'a, T: 'a>;

    #[doc(hidden)]
    fn with<T: Proxied, R>(
        worker: &mut crate::Worker,
        place: &Place,
        publish: bool,
        code: impl FnOnce(Self::Reference<'_, T>) -> R,
    ) -> Result<R, AccessFault>;
}

/// By `&mut self`.
pub struct Exclusive(());

/// By `&self`.
pub struct InPlace(());

impl Access for Exclusive {
    type Reference<'a, T: 'a> = &'a mut T;

    fn with<T: Proxied, R>(
        worker: &mut crate::Worker,
        place: &Place,
        publish: bool,
        code: impl FnOnce(&mut T) -> R,
    ) -> Result<R, AccessFault> {
        worker.arena.with_mut(place, publish, code).map_err(AccessFault)
    }
}

impl Access for InPlace {
    type Reference<'a, T: 'a> = &'a T;

    fn with<T: Proxied, R>(
        worker: &mut crate::Worker,
        place: &Place,
        publish: bool,
        code: impl FnOnce(&T) -> R,
    ) -> Result<R, AccessFault> {
        worker.arena.with(place, publish, code).map_err(AccessFault)
    }
}
