//! The queue in front of a worker's thread, and what that thread does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyList, PyTuple};

use super::super::confined::mark_of_thread;
use super::attached::Attached;
use super::awaited::{AwaitedCall, Waiter};
use super::call::{NativeCall, Work, run};
use super::gate::{Gate, State};
use super::haste::Haste;
use super::notifier::{Completion, Notifier, running_loop};
use super::running::{Flags, Running, as_current};
use super::thread_end::deliver_at_thread_end;
use crate::error::drop_guarded;
use crate::haste::Gaps;
use crate::task;

/// An unbounded queue of calls `(future, function)` in front of one thread; `None` is the end.
#[pyclass(frozen, name = "NativeQueue")]
pub struct NativeQueue {
    gate: Arc<Gate>,
    /// The native call that runs. Where both locks are held, that of the state was taken first. While this one is held
    /// Python code may run, which may put something in: so whoever interrupts a call does not hold the other.
    running: Mutex<Option<Running>>,
    /// How many items there are, for a look without the lock: for a moment, one that is taken out was not added yet.
    length: AtomicIsize,
    /// The notifier that the latest call needed.
    notifier: Mutex<Option<Arc<Notifier>>>,
    haste: Haste,
    /// Whether a call runs that needs the GIL.
    is_attached: AtomicBool,
    /// The thread that runs the calls, by its mark; 0 for none.
    server: AtomicUsize,
}

/// How many calls may be before one whose result is looked for.
const SOON: isize = 2;

/// The same where the other tasks of the loop have a turn before.
const SOON_WITH_OTHERS: isize = 64;

/// How many ends of objects may be left for later while calls are run where they are made.
const ENDS_LEFT: usize = 16;

/// What a look for a result comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It is not to be looked for.
    No,
    /// It was looked for. The event loop may want a turn, for it had none for some calls.
    Done { wants_turn: bool },
    /// It is to be looked for when the other tasks of the loop had a turn.
    AfterTurn,
}

pub(super) enum Item {
    End,
    /// A pair that is run with the GIL, and the address of its future.
    Python(Py<PyAny>, usize),
    Native(Queued),
    /// Something to be done that nobody waits for, and that refers to nothing in Python.
    Unseen(Box<dyn FnOnce() + Send>),
}

pub(super) struct Queued {
    waiter: Waiter,
    call: Py<NativeCall>,
    notifier: Arc<Notifier>,
    cancelled: bool,
}

impl NativeQueue {
    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, State> {
        self.gate.lock(py)
    }

    fn lock_running(&self, py: Python<'_>) -> MutexGuard<'_, Option<Running>> {
        self.running
            .lock_py_attached(py)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, py: Python<'_>, item: Item) {
        let mut state = self.lock(py);
        state.items.push_back(item);
        self.gate.wake(state);
        self.note_added();
    }

    /// Notes that something was put in. Not under the lock: the thread takes that next.
    fn note_added(&self) {
        self.length.fetch_add(1, Ordering::SeqCst);
    }

    /// Adds a call if calls are taken directly; gives it back otherwise.
    fn put_directly(&self, py: Python<'_>, item: Item) -> Result<(), Item> {
        let notifier = match &item {
            Item::Native(queued) => Arc::as_ptr(&queued.notifier).addr(),
            _ => 0,
        };
        let mut state = self.lock(py);
        if !state.is_direct {
            return Err(item);
        }
        state.items.push_back(item);
        if state.holds(notifier) {
            state.is_held = true;
            self.gate.was_awake.store(false, Ordering::Relaxed);
            drop(state);
        } else {
            self.gate.wake(state);
        }
        self.note_added();
        Ok(())
    }

    /// Adds something that has time until the next call: the thread is not woken for it.
    fn append(&self, py: Python<'_>, item: Item) {
        let mut state = self.lock(py);
        state.items.push_back(item);
        drop(state);
        self.note_added();
    }

    /// Adds the end of an object that nobody waits for and that has time until the next call, if calls are taken directly.
    /// `take` gives what is to be done, which refers to nothing in Python, and takes no lock that is waited for. The answer is
    /// whether it was added.
    pub(in super::super) fn end_later(
        &self,
        py: Python<'_>,
        take: impl FnOnce() -> Option<Box<dyn FnOnce() + Send>>,
    ) -> bool {
        let mut state = self.lock(py);
        if !state.is_direct {
            return false;
        }
        let Some(end) = take() else {
            return false;
        };
        state.items.push_back(Item::Unseen(end));
        drop(state);
        self.note_added();
        true
    }

    /// Whether calls are put in directly, and there is none: one that is made now may as well be run where it is made.
    fn is_idle(&self, py: Python<'_>) -> bool {
        let state = self.lock(py);
        state.is_direct
            && !state.skips
            && state.items.len() <= ENDS_LEFT
            && state.items.iter().all(|item| matches!(item, Item::Unseen(_)))
            // Who has the lock is about to interrupt a call.
            && self.running.try_lock().is_ok_and(|running| running.is_none())
    }

    /// The notifier of an event loop.
    fn notifier_of(&self, event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Notifier>> {
        let py = event_loop.py();
        let latest = self.lock_notifier(py).clone();
        if let Some(notifier) = latest.filter(|notifier| notifier.is_of(event_loop)) {
            return Ok(notifier);
        }
        let notifier = Notifier::of(event_loop)?;
        if notifier.is_watched() {
            let before = self.lock_notifier(py).replace(Arc::clone(&notifier));
            drop(before);
        }
        Ok(notifier)
    }

    fn lock_notifier(&self, py: Python<'_>) -> MutexGuard<'_, Option<Arc<Notifier>>> {
        self.notifier
            .lock_py_attached(py)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The next item; a native call is the one that runs from here on. Called without the GIL.
    fn next(&self, gaps: &mut Gaps) -> Item {
        let mut state = task::lock(&self.gate.state);
        let mut idle_since = None;
        loop {
            if let Some(item) = state.items.pop_front() {
                self.length.fetch_sub(1, Ordering::SeqCst);
                if let Some(since) = idle_since {
                    gaps.note(Instant::elapsed(&since));
                }
                state.ran += usize::from(!matches!(item, Item::Unseen(_)));
                let begins = match &item {
                    Item::Native(queued) if !queued.cancelled && !state.skips => {
                        Some((queued.waiter.address(), Some(&queued.notifier)))
                    }
                    Item::Python(_, future) => Some((*future, None)),
                    _ => None,
                };
                if let Some((waiter, notifier)) = begins {
                    *task::lock(&self.running) = Some(Running {
                        waiter,
                        is_native: notifier.is_some(),
                        flags: Arc::new(Flags::new(notifier.cloned())),
                    });
                }
                return item;
            }
            if idle_since.is_none() {
                idle_since = Some(Instant::now());
                drop(state);
                let is_there = || self.length.load(Ordering::SeqCst) > 0;
                gaps.look(is_there);
                if !is_there() {
                    self.tell_untold();
                }
                state = task::lock(&self.gate.state);
                continue;
            }
            state = self.gate.wait(state);
        }
    }

    /// Waits for the result of a native call, in the thread of its event loop, if that takes less than to be told of it.
    pub(super) fn finish_soon(&self, py: Python<'_>, notifier: &Arc<Notifier>, call: &AwaitedCall) -> Look {
        let has_others = notifier.others.are_there();
        let may_be_soon = self.length.load(Ordering::SeqCst) <= if has_others { SOON_WITH_OTHERS } else { SOON }
            && !self.is_attached.load(Ordering::SeqCst)
            && self.gate.was_awake.load(Ordering::Relaxed);
        if !may_be_soon || !notifier.is_of_running_loop(py) || !self.haste.is_worthwhile() {
            return Look::No;
        }
        if has_others {
            return Look::AfterTurn;
        }
        let is_done = notifier.finish_soon(py, call);
        self.haste.note(is_done);
        Look::Done {
            wants_turn: is_done && notifier.wants_turn(),
        }
    }

    /// Notes whether a result was there after a turn of others.
    pub(super) fn note_found(&self, is_found: bool) {
        self.haste.note(is_found);
    }

    /// Tells a loop of results that a task of it was to look for: the task may never go on. Called without the GIL.
    fn tell_untold(&self) {
        let latest = task::lock(&self.notifier).clone();
        if let Some(notifier) = latest {
            notifier.tell_untold();
        }
    }

    fn flags(&self) -> Option<Arc<Flags>> {
        let running = task::lock(&self.running);
        running.as_ref().map(|running| Arc::clone(&running.flags))
    }

    /// Runs a pair with the GIL, which the caller does not hold.
    fn run_python(&self, item: Py<PyAny>, worker: &Attached) {
        self.is_attached.store(true, Ordering::SeqCst);
        match self.flags() {
            Some(flags) => as_current(flags, || worker.run(item)),
            None => worker.run(item),
        }
        self.is_attached.store(false, Ordering::SeqCst);
        *task::lock(&self.running) = None;
    }

    /// Runs a native call. Called without the GIL.
    fn run(&self, queued: Queued, worker: &Attached) {
        let flags = self.flags();
        let Queued {
            waiter,
            call,
            notifier,
            cancelled,
        } = queued;
        if flags.is_none() && !cancelled {
            worker.run_pair(&waiter, call);
            return;
        }
        let finish = match (flags, call.get().take()) {
            (Some(flags), Some(work)) => as_current(flags, || run(work)),
            // Cancelled before it began: what is left of it goes to the loop.
            (None, Some(work)) => Box::new(Dropped(Some(work))),
            (_, None) => Box::new(Dropped(None)),
        };
        // From here on an interrupt does not find it.
        *task::lock(&self.running) = None;
        if let Err(undelivered) = notifier.deliver(Completion {
            waiter: Some(waiter),
            call: Some(call),
            finish,
            gate: Some(Arc::clone(&self.gate)),
        }) {
            worker.lose(undelivered);
        }
    }
}

/// A native call to be put in.
fn native(waiter: Waiter, call: &Bound<'_, NativeCall>, notifier: Arc<Notifier>) -> Item {
    Item::Native(Queued {
        waiter,
        call: call.clone().unbind(),
        notifier,
        cancelled: false,
    })
}

/// A call that was never run, on its way back to be dropped.
struct Dropped(Option<Box<dyn Work>>);

impl super::Finish for Dropped {
    fn step(&mut self, _py: Python<'_>, _wanted: bool, _budget: &super::Budget) -> super::Step {
        drop(self.0.take());
        super::Step::Done(Ok(None))
    }
}

/// The outcome of a call that was run with the GIL.
struct Told {
    /// What is called before it is handed over.
    wait: Option<Py<PyAny>>,
    outcome: Option<PyResult<Py<PyAny>>>,
    /// What was called, which is dropped with this in the thread of the loop.
    _function: Py<PyAny>,
}

impl super::Finish for Told {
    fn step(&mut self, py: Python<'_>, wanted: bool, _budget: &super::Budget) -> super::Step {
        // Where nobody takes it over any more, nobody is told of what interrupts a wait either: Ctrl-C, say.
        if let Some(wait) = self.wait.take()
            && wanted
            && let Err(exception) = wait.call0(py)
        {
            return super::Step::Done(Err(exception));
        }
        super::Step::Done(self.outcome.take().transpose())
    }
}

#[pymethods]
impl NativeQueue {
    #[new]
    fn new() -> Self {
        Self {
            gate: Arc::default(),
            running: Mutex::default(),
            length: AtomicIsize::new(0),
            notifier: Mutex::default(),
            haste: Haste::default(),
            is_attached: AtomicBool::new(false),
            server: AtomicUsize::new(0),
        }
    }

    /// Whether results can be handed to that event loop in batches, for which it has to watch a descriptor.
    #[staticmethod]
    fn can_tell(event_loop: &Bound<'_, PyAny>) -> PyResult<bool> {
        Notifier::of(event_loop).map(|notifier| notifier.is_watched())
    }

    /// Says whether calls may be put in by whoever makes them ([`NativeQueue::submit`]), in the order in which they come.
    fn take_directly(&self, py: Python<'_>, is_direct: bool) {
        self.lock(py).is_direct = is_direct;
    }

    /// Adds a call that the running event loop waits for, and gives what is awaited; `None` if this is not the place to add it
    /// now. `worker.cancel(call)` cancels it.
    fn submit(
        slf: &Bound<'_, Self>,
        function: &Bound<'_, PyAny>,
        worker: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Py<AwaitedCall>>> {
        let (py, this) = (slf.py(), slf.get());
        // What the thread puts in itself would wait for itself.
        if this.server.load(Ordering::Relaxed) == mark_of_thread() {
            return Ok(None);
        }
        let event_loop = running_loop(py)?;
        if event_loop.is_none() {
            return Ok(None);
        }
        let (awaited, item) = match function.cast_exact::<NativeCall>() {
            Ok(call) => {
                let notifier = this.notifier_of(&event_loop)?;
                notifier.others.note_call();
                if this.is_idle(py) && call.get().attempt(py) {
                    return AwaitedCall::done(slf, notifier, worker).map(Some);
                }
                let worker = worker.clone().unbind();
                let awaited = AwaitedCall::queued(slf.clone().unbind(), Arc::clone(&notifier), worker);
                let awaited = Py::new(py, awaited)?;
                let item = native(Waiter::Call(awaited.clone_ref(py)), call, notifier);
                (awaited, item)
            }
            Err(_) => {
                let future = event_loop.call_method0(intern!(py, "create_future"))?;
                let pair = PyTuple::new(py, [&future, function])?;
                let item = Item::Python(pair.into_any().unbind(), future.as_ptr().addr());
                let awaited = AwaitedCall::with_future(future.unbind(), worker.clone().unbind());
                (Py::new(py, awaited)?, item)
            }
        };
        Ok(this.put_directly(py, item).is_ok().then_some(awaited))
    }

    /// Adds a native call that refers to nothing in Python, whose result nobody waits for and that has time until the next
    /// call.
    fn discard_later(&self, py: Python<'_>, call: &Bound<'_, NativeCall>) {
        if let Some(work) = call.get().take() {
            self.append(py, Item::Unseen(Box::new(|| drop(work.run()))));
        }
    }

    /// Adds a call, or the end.
    fn put_nowait(&self, py: Python<'_>, item: &Bound<'_, PyAny>) -> PyResult<()> {
        let item = match item.cast_exact::<PyTuple>() {
            Ok(pair) => {
                let (future, function) = (pair.get_item(0)?, pair.get_item(1)?);
                match function.cast_exact::<NativeCall>() {
                    Ok(call) if future.is_none() => match call.get().take() {
                        Some(work) => Item::Unseen(Box::new(|| drop(work.run()))),
                        None => return Ok(()),
                    },
                    Ok(call) => {
                        let event_loop = future.call_method0(intern!(py, "get_loop"))?;
                        let notifier = self.notifier_of(&event_loop)?;
                        native(Waiter::Future(future.unbind()), call, notifier)
                    }
                    Err(_) => Item::Python(pair.clone().into_any().unbind(), future.as_ptr().addr()),
                }
            }
            Err(_) => Item::End,
        };
        self.put(py, item);
        Ok(())
    }

    /// Runs calls until the end, in the calling thread: native ones without the GIL, others by `run([item])`. `lose()` is
    /// called when the event loop of a call is closed.
    fn serve(&self, py: Python<'_>, run: Py<PyAny>, lose: Py<PyAny>) {
        let worker = Attached { run, lose };
        self.server.store(mark_of_thread(), Ordering::Relaxed);
        py.detach(|| {
            let mut gaps = Gaps::new();
            loop {
                match self.next(&mut gaps) {
                    Item::End => break,
                    Item::Python(item, _) => self.run_python(item, &worker),
                    Item::Native(queued) => self.run(queued, &worker),
                    // It drops objects of the API, whose end may panic.
                    Item::Unseen(work) => drop(catch_unwind(AssertUnwindSafe(work))),
                }
            }
        });
        self.server.store(0, Ordering::Relaxed);
    }

    /// Cancels a native call: if it is queued, it never runs. If it runs, `interrupt()` is called while it is the one that
    /// runs, which is the answer.
    fn cancel(&self, call: &Bound<'_, AwaitedCall>, interrupt: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = call.py();
        let (own, of_future) = (call.as_ptr().addr(), call.get().address_of_future(py));
        let is_wanted = |waiter: usize| waiter == own || (waiter == of_future && waiter != 0);
        let is_queued = {
            let mut state = self.lock(py);
            let queued = state.items.iter_mut().find_map(|item| match item {
                Item::Native(queued) if is_wanted(queued.waiter.address()) => Some(queued),
                _ => None,
            });
            queued.map(|queued| queued.cancelled = true).is_some()
        };
        if is_queued {
            return Ok(false);
        }
        let running = self.lock_running(py);
        let Some(running) = running.as_ref().filter(|running| is_wanted(running.waiter)) else {
            return Ok(false);
        };
        running.flags.give_up();
        if !running.is_native {
            return Ok(false);
        }
        // Under the lock that the thread needs to go on: until it is given back, this call is the one that runs.
        interrupt.call0()?;
        Ok(true)
    }

    /// Hands the outcome of a call that was run with the GIL to its future, `[future, function, result, error]`, in the thread of
    /// its event loop and together with the results of native calls. The answer is whether it will be: the list is empty then, and
    /// otherwise the loop has no notifier, or is closed.
    ///
    /// With `wait` it is the last that the calling thread does: the loop is told when that ends, and calls `wait()` before.
    #[pyo3(signature = (event_loop, outcome, wait = None))]
    fn tell(
        &self,
        event_loop: &Bound<'_, PyAny>,
        outcome: &Bound<'_, PyList>,
        wait: Option<Py<PyAny>>,
    ) -> PyResult<bool> {
        let py = event_loop.py();
        let Some(notifier) = Notifier::known(event_loop)? else {
            return Ok(false);
        };
        let (future, function, result, error): (Py<PyAny>, Py<PyAny>, Py<PyAny>, Option<Bound<'_, PyAny>>) =
            outcome.to_tuple().extract()?;
        let is_end = wait.is_some();
        let outcome_told = error.map_or(Ok(result), |error| Err(PyErr::from_value(error)));
        // The thread of the loop is the one to drop it.
        outcome.del_slice(0, outcome.len())?;
        let completion = Completion {
            waiter: Some(Waiter::Future(future)),
            call: None,
            finish: Box::new(Told {
                wait,
                outcome: Some(outcome_told),
                _function: function,
            }),
            gate: None,
        };
        if is_end {
            deliver_at_thread_end(notifier, completion);
            return Ok(true);
        }
        let undelivered = py.detach(|| {
            let undelivered = notifier.deliver(completion).err();
            // A task may be about to look for results. Should it never go on, nobody else would tell of this one: it may be
            // the last that the thread does.
            notifier.tell_untold();
            undelivered
        });
        let Some(undelivered) = undelivered else {
            return Ok(true);
        };
        // The loop was closed meanwhile.
        if let Some(waiter) = &undelivered.waiter {
            let closed = PyRuntimeError::new_err("Event loop is closed").into_value(py);
            for item in [
                waiter.future(py)?,
                py.None().into_bound(py),
                py.None().into_bound(py),
                closed.into_bound(py).into_any(),
            ] {
                outcome.append(item)?;
            }
        }
        drop_guarded(undelivered);
        Ok(false)
    }

    /// Tells the call that runs that it is interrupted, by the object's own member.
    fn tell_interrupt(&self, py: Python<'_>) {
        if let Some(running) = &*self.lock_running(py) {
            running.flags.interrupted.store(true, Ordering::SeqCst);
        }
    }

    /// Has native calls that have not begun be left to `run`; interrupts the one that runs, if there is one.
    fn skip(&self, py: Python<'_>, interrupt: &Bound<'_, PyAny>) -> PyResult<()> {
        self.lock(py).skips = true;
        if let Some(running) = &*self.lock_running(py) {
            running.flags.give_up();
            if running.is_native {
                interrupt.call0()?;
            }
        }
        Ok(())
    }

    /// Forgets what is shared with the process that this one was forked from.
    #[staticmethod]
    fn forget_notifiers(py: Python<'_>) -> PyResult<()> {
        Notifier::forget_all(py)
    }
}
