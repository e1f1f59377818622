//! The way of results into the thread of an event loop: one notifier for each loop.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use pyo3::exceptions::{
    PyBaseException, PyException, PyGeneratorExit, PyRuntimeError, PyStopAsyncIteration, PyStopIteration,
};
use pyo3::prelude::*;
use pyo3::sync::{MutexExt, PyOnceLock};
use pyo3::types::PyWeakrefReference;
use pyo3::{PyTraverseError, PyVisit, intern};

use super::super::collector;
use super::super::finalizer::finalize;
#[cfg(unix)]
use super::super::wakeup::Wakeup;
#[cfg(unix)]
use super::super::watching::watch;
use crate::error::drop_guarded;
use crate::task;

use super::awaited::{AwaitedCall, Waiter};
use super::call::{Budget, Finish, NativeCall, Step, step};
use super::gate::Gate;
use super::haste::Haste;
use super::others::Others;

/// The notifiers of the process: a `WeakKeyDictionary` by event loop. Used with the GIL, and so whole after a fork.
static NOTIFIERS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The event loop that runs in the calling thread; `None` of Python if there is none.
pub(super) fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RUNNING.import(py, "asyncio", "_get_running_loop")?.call0()
}

/// A call whose second phase is done.
pub(super) struct Completion {
    /// `None` if nobody waits for it.
    pub(super) waiter: Option<Waiter>,
    /// `None` for a part of what a call gives that runs on.
    pub(super) call: Option<Py<NativeCall>>,
    pub(super) finish: Box<dyn Finish>,
    /// Where the next call of whoever waits for it is put in, in all likelihood.
    pub(super) gate: Option<Arc<Gate>>,
}

impl Completion {
    /// A part of what a call gives that runs on.
    pub(super) fn part(finish: Box<dyn Finish>) -> Self {
        Self {
            waiter: None,
            call: None,
            finish,
            gate: None,
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &self.waiter {
            Some(Waiter::Call(call)) => visit.call(call)?,
            Some(Waiter::Future(future)) => visit.call(future)?,
            None => {}
        }
        visit.call(&self.call)
    }
}

/// Hands completions over to the thread of one event loop, in batches.
///
/// The loop watches a [`Wakeup`], which is written to if the loop was not told yet. The loop's
/// selector holds the only reference to what it calls, a [`Drain`]: when the loop is closed, that is dropped, and the
/// notifier knows. A loop that watches no descriptors (the one with completion ports of Windows) is called by
/// `call_soon_threadsafe`.
pub(super) struct Notifier {
    event_loop: Py<PyWeakrefReference>,
    pending: Mutex<Pending>,
    closed: AtomicBool,
    /// How many completions have come.
    arrived: AtomicUsize,
    latest_turn: LatestTurn,
    pub(super) others: Others,
    /// Whether the loop watches the wakeup.
    is_watched: bool,
    /// `None` too when the loop is closed.
    #[cfg(unix)]
    wakeup: Mutex<Option<Arc<Wakeup>>>,
}

/// What is done is added with or without the GIL, and taken out with it: the collector is shown it.
#[derive(Default)]
struct Pending {
    done: VecDeque<Completion>,
    /// Whether the loop was told that there is something, and has not looked yet.
    told: bool,
    /// Whether it looks by itself at this moment.
    looks: bool,
    /// How many tasks look when they go on, in this turn of the loop.
    expected: usize,
}

impl Notifier {
    /// The notifier of an event loop, made when it is first asked for.
    pub(super) fn of(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        let py = event_loop.py();
        let notifiers = NOTIFIERS.get_or_try_init(py, || {
            let class = py.import("weakref")?.getattr("WeakKeyDictionary")?;
            PyResult::Ok(class.call0()?.unbind())
        })?;
        let notifiers = notifiers.bind(py);
        let known = notifiers.call_method1(intern!(py, "get"), (event_loop,))?;
        if let Ok(handle) = known.cast::<Handle>()
            && !handle.get().0.is_closed()
        {
            return Ok(Arc::clone(&handle.get().0));
        }
        // Only its own thread may have a loop watch something. A call of another loop is passed on by this one's thread
        // where that one's transaction was waited for.
        let running = py
            .import(intern!(py, "asyncio"))?
            .call_method0(intern!(py, "_get_running_loop"))?;
        if !running.is(event_loop) && event_loop.call_method0(intern!(py, "is_running"))?.is_truthy()? {
            return Self::called(event_loop);
        }
        let notifier = Self::watched(event_loop)?;
        notifiers.set_item(event_loop, Handle(Arc::clone(&notifier)))?;
        Ok(notifier)
    }

    /// The notifier that an event loop watches already, if there is one.
    pub(super) fn known(event_loop: &Bound<'_, PyAny>) -> PyResult<Option<Arc<Self>>> {
        let py = event_loop.py();
        let Some(notifiers) = NOTIFIERS.get(py) else {
            return Ok(None);
        };
        let known = notifiers.bind(py).call_method1(intern!(py, "get"), (event_loop,))?;
        let known = known.cast::<Handle>().ok().map(|handle| Arc::clone(&handle.get().0));
        Ok(known.filter(|notifier| notifier.is_watched && !notifier.is_closed()))
    }

    /// Forgets all of them, in a forked process: their descriptors belong to the process that made them.
    pub(super) fn forget_all(py: Python<'_>) -> PyResult<()> {
        let Some(notifiers) = NOTIFIERS.get(py) else {
            return Ok(());
        };
        let notifiers = notifiers.bind(py);
        for handle in notifiers.call_method0("values")?.try_iter()? {
            // Their ends stay open: the selectors of the parent's loops have them.
            std::mem::forget(handle?.unbind());
        }
        notifiers.call_method0("clear")?;
        Ok(())
    }

    #[cfg(unix)]
    fn watched(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        let py = event_loop.py();
        let Ok(wakeup) = Wakeup::new() else {
            // There are too many descriptors.
            return Self::called(event_loop);
        };
        let descriptor = wakeup.descriptor();
        let notifier = Arc::new(Self {
            event_loop: PyWeakrefReference::new(event_loop)?.unbind(),
            pending: Mutex::default(),
            closed: AtomicBool::new(false),
            arrived: AtomicUsize::new(0),
            latest_turn: LatestTurn::default(),
            others: Others::default(),
            is_watched: true,
            wakeup: Mutex::new(Some(Arc::new(wakeup))),
        });
        let drain = Bound::new(py, Drain(Arc::clone(&notifier)))?;
        match watch(event_loop, descriptor, drain.into_any()) {
            Ok(()) => Ok(notifier),
            // It watches no descriptors, or none of this number, or is closed, which shows when it is called.
            Err(exception) if exception.is_instance_of::<PyException>(py) => Self::called(event_loop),
            Err(exception) => Err(exception),
        }
    }

    #[cfg(not(unix))]
    fn watched(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        Self::called(event_loop)
    }

    /// One that calls its loop.
    fn called(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        Ok(Arc::new(Self {
            event_loop: PyWeakrefReference::new(event_loop)?.unbind(),
            pending: Mutex::default(),
            closed: AtomicBool::new(false),
            arrived: AtomicUsize::new(0),
            latest_turn: LatestTurn::default(),
            others: Others::default(),
            is_watched: false,
            #[cfg(unix)]
            wakeup: Mutex::default(),
        }))
    }

    /// Whether its loop watches it, so that it may be kept for the next call.
    pub(super) fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// Whether it is that of the event loop, which is not closed.
    pub(super) fn is_of(&self, event_loop: &Bound<'_, PyAny>) -> bool {
        use pyo3::types::PyWeakrefMethods;
        let own = self.event_loop.bind(event_loop.py()).upgrade();
        own.is_some_and(|own| own.is(event_loop)) && !self.is_closed()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Its loop, if that is still there.
    pub(super) fn event_loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        use pyo3::types::PyWeakrefMethods;
        self.event_loop.bind(py).upgrade()
    }

    /// Hands a completion over; gives it back if the loop is closed. Called without the GIL.
    pub(super) fn deliver(self: &Arc<Self>, completion: Completion) -> Result<(), Completion> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_closed() {
            return Err(completion);
        }
        let is_awaited = completion.waiter.is_some() || completion.call.is_none();
        pending.done.push_back(completion);
        let tells =
            is_awaited && !pending.looks && pending.expected == 0 && !std::mem::replace(&mut pending.told, true);
        drop(pending);
        // Whoever looks for it takes the lock next.
        self.arrived.fetch_add(1, Ordering::Release);
        if tells && !self.tell() {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            self.closed.store(true, Ordering::SeqCst);
            return pending.done.pop_back().map_or(Ok(()), Err);
        }
        Ok(())
    }

    /// Tells the loop that there is something. The answer is whether there is a loop to be told.
    fn tell(self: &Arc<Self>) -> bool {
        #[cfg(unix)]
        if self.is_watched {
            // Past the lock: the loop is woken by this, and would wait for it.
            let wakeup = task::lock(&self.wakeup).clone();
            return wakeup.map(|wakeup| wakeup.write()).is_some();
        }
        self.call_soon()
    }

    fn call_soon(self: &Arc<Self>) -> bool {
        use pyo3::types::PyWeakrefMethods;
        Python::attach(|py| {
            let Some(event_loop) = self.event_loop.bind(py).upgrade() else {
                return false;
            };
            Bound::new(py, Drain(Arc::clone(self)))
                .and_then(|drain| event_loop.call_method1(intern!(py, "call_soon_threadsafe"), (drain,)))
                .is_ok()
        })
    }

    /// Finishes what is done, in the thread of the loop, for as long as one callback may take.
    fn drain(self: &Arc<Self>, py: Python<'_>) {
        #[cfg(unix)]
        if let Some(wakeup) = &*self.lock_wakeup(py) {
            wakeup.clear();
        }
        self.lock(py).told = false;
        let mut crowds = Crowds::default();
        self.finish_done(py, &mut crowds);
        crowds.expect(py, self);
        self.tell_of_rest(py);
    }

    /// Finishes what is done, for as long as one callback may take. The answer is whether that was all.
    fn finish_done(&self, py: Python<'_>, crowds: &mut Crowds) -> bool {
        let mut done = std::mem::take(&mut self.lock(py).done);
        let budget = Budget::begin();
        let mut unfinished = VecDeque::new();
        while let Some(mut completion) = done.pop_front() {
            if finish(py, &mut completion, &budget) {
                crowds.note(&completion);
                // A value of the API may be left in it, whose end panics.
                drop_guarded(completion);
            } else {
                unfinished.push_back(completion);
            }
            if budget.is_spent() {
                break;
            }
        }
        if done.is_empty() && unfinished.is_empty() {
            return true;
        }
        // The rest comes before what has been done since, and that before what takes more than one turn.
        let mut pending = self.lock(py);
        done.append(&mut pending.done);
        done.append(&mut unfinished);
        pending.done = done;
        false
    }

    /// What is left is for the next round of the loop.
    fn tell_of_rest(self: &Arc<Self>, py: Python<'_>) {
        let mut pending = self.lock(py);
        let is_new = !pending.done.is_empty() && !std::mem::replace(&mut pending.told, true);
        drop(pending);
        if is_new {
            self.tell();
        }
    }

    /// Waits for the end of a call for a moment, in the thread of the loop and in place of being told of it. The answer is
    /// whether it has come.
    pub(super) fn finish_soon(self: &Arc<Self>, py: Python<'_>, call: &AwaitedCall) -> bool {
        if std::mem::replace(&mut self.lock(py).looks, true) {
            // What is finished here awaits something itself.
            return false;
        }
        let end = Haste::end();
        let is_found = loop {
            let arrived = self.arrived.load(Ordering::Acquire);
            let is_all = self.finish_done(py, &mut Crowds::default());
            if call.is_done(py) {
                break true;
            }
            if !is_all || !Haste::look(end, || self.arrived.load(Ordering::Acquire) != arrived) {
                break false;
            }
        };
        self.lock(py).looks = false;
        self.tell_of_rest(py);
        is_found
    }

    /// A task that goes on in this turn of the loop looks for results then: the loop need not be told of any before.
    pub(super) fn expect(&self, py: Python<'_>) {
        self.lock(py).expected += 1;
    }

    /// Ends that for one task.
    pub(super) fn expect_no_more(self: &Arc<Self>, py: Python<'_>) {
        let is_last = {
            let mut pending = self.lock(py);
            pending.expected -= 1;
            pending.expected == 0
        };
        if is_last {
            self.tell_of_rest(py);
        }
    }

    /// Tells the loop of what is there if it was not told, as a task was to look for it. Called without the GIL.
    pub(super) fn tell_untold(self: &Arc<Self>) {
        let is_new = {
            let mut pending = task::lock(&self.pending);
            let is_untold = pending.expected > 0 && !pending.looks && !pending.done.is_empty();
            is_untold && !std::mem::replace(&mut pending.told, true)
        };
        if is_new {
            self.tell();
        }
    }

    /// Finishes what is done, in the thread of the loop, without a wait.
    pub(super) fn finish_now(&self, py: Python<'_>) {
        if !std::mem::replace(&mut self.lock(py).looks, true) {
            self.finish_done(py, &mut Crowds::default());
            self.lock(py).looks = false;
        }
    }

    /// Whether the loop is the one that runs in the calling thread.
    pub(super) fn is_of_running_loop(&self, py: Python<'_>) -> bool {
        self.is_watched && running_loop(py).is_ok_and(|running| self.is_of(&running))
    }

    /// Whether the loop should have a turn: it had none while one task got the results of some calls at once.
    pub(super) fn wants_turn(&self) -> bool {
        self.latest_turn.is_long_ago()
    }

    fn close(&self, py: Python<'_>) {
        let done = {
            let mut pending = self.lock(py);
            self.closed.store(true, Ordering::SeqCst);
            std::mem::take(&mut pending.done)
        };
        done.into_iter().for_each(drop_guarded);
        // The loop does not watch it any more.
        #[cfg(unix)]
        self.lock_wakeup(py).take();
    }

    #[cfg(unix)]
    fn lock_wakeup(&self, py: Python<'_>) -> MutexGuard<'_, Option<Arc<Wakeup>>> {
        self.wakeup.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Pending> {
        self.pending
            .lock_py_attached(py)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where those whose results came together put in their next calls.
#[derive(Default)]
struct Crowds {
    gates: Vec<(Arc<Gate>, usize)>,
}

impl Crowds {
    fn note(&mut self, completion: &Completion) {
        let (Some(_), Some(gate)) = (&completion.waiter, &completion.gate) else {
            return;
        };
        match self.gates.iter_mut().find(|(known, _)| Arc::ptr_eq(known, gate)) {
            Some((_, count)) => *count += 1,
            None => self.gates.push((Arc::clone(gate), 1)),
        }
    }

    /// Has the threads of the queues not be woken for each call, until the tasks that wait for the results have gone on: what
    /// ends it is called behind them.
    fn expect(mut self, py: Python<'_>, notifier: &Arc<Notifier>) {
        use pyo3::types::PyWeakrefMethods;
        self.gates.retain(|(_, count)| *count > 1);
        if self.gates.is_empty() {
            return;
        }
        let Some(event_loop) = notifier.event_loop.bind(py).upgrade() else {
            return;
        };
        for (gate, _) in &self.gates {
            gate.expect_crowd(py, notifier);
        }
        let gates = self.gates.into_iter().map(|(gate, _)| gate).collect();
        let called = Bound::new(py, Dispersal(gates))
            .and_then(|dispersal| event_loop.call_method1(intern!(py, "call_soon"), (dispersal,)));
        // Without it, the threads look by themselves a little later.
        drop(called);
    }
}

/// Ends what [`Crowds::expect`] began.
#[pyclass(frozen, name = "Dispersal")]
struct Dispersal(Vec<Arc<Gate>>);

#[pymethods]
impl Dispersal {
    fn __call__(&self, py: Python<'_>) {
        for gate in &self.0 {
            gate.disperse(py);
        }
    }
}

/// How many results were there at once since the latest turn that the loop was given for it, and when that was.
#[derive(Default)]
struct LatestTurn {
    calls: AtomicU32,
    /// In nanoseconds since the first of all.
    began: AtomicU64,
}

impl LatestTurn {
    /// After so many calls, or so much time, the loop has a turn.
    const CALLS: u32 = 16;
    const NANOSECONDS: u64 = 200_000;

    fn is_long_ago(&self) -> bool {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let now = ORIGIN.get_or_init(Instant::now).elapsed();
        // As if the first of all came long after the latest turn, of which nothing is known.
        let now = u64::try_from(now.as_nanos())
            .unwrap_or(u64::MAX)
            .saturating_add(Self::NANOSECONDS);
        let calls = self.calls.load(Ordering::Relaxed);
        let is_long_ago =
            calls + 1 >= Self::CALLS || now.saturating_sub(self.began.load(Ordering::Relaxed)) >= Self::NANOSECONDS;
        self.calls
            .store(if is_long_ago { 0 } else { calls + 1 }, Ordering::Relaxed);
        if is_long_ago {
            self.began.store(now, Ordering::Relaxed);
        }
        is_long_ago
    }
}

/// Does a part of the third phase of a call, and hands its result to the future. The answer is whether that was all.
fn finish(py: Python<'_>, completion: &mut Completion, budget: &Budget) -> bool {
    let Some(waiter) = &completion.waiter else {
        // Nobody is told of an error, nor of a value.
        return matches!(step(&mut *completion.finish, py, true, budget), Step::Done(_));
    };
    match step(&mut *completion.finish, py, !waiter.is_done(py), budget) {
        Step::More => false,
        Step::Done(outcome) => {
            waiter.settle(py, outcome);
            true
        }
    }
}

/// The exception itself, unless a future refuses it, or raising it would just end an `async for` or close the coroutine that
/// awaits.
pub(crate) fn raisable(py: Python<'_>, exception: PyErr) -> Bound<'_, PyBaseException> {
    let would_not_be_raised = exception.is_instance_of::<PyStopIteration>(py)
        || exception.is_instance_of::<PyStopAsyncIteration>(py)
        || exception.is_instance_of::<PyGeneratorExit>(py);
    if !would_not_be_raised {
        return exception.into_value(py).into_bound(py);
    }
    let name = exception.get_type(py).name();
    let name = name.map_or_else(|_| "StopIteration".to_owned(), |name| name.to_string());
    let refusal = PyRuntimeError::new_err(format!("the call raised {name}"));
    refusal.set_cause(py, Some(exception));
    refusal.into_value(py).into_bound(py)
}

/// A notifier as the table of loops keeps it.
#[pyclass(frozen, name = "NotifierHandle")]
struct Handle(Arc<Notifier>);

/// What an event loop calls when there is something. Its end is the loop's.
#[pyclass(frozen, name = "Drain")]
struct Drain(Arc<Notifier>);

#[pymethods]
impl Drain {
    fn __call__(&self, py: Python<'_>) {
        self.0.drain(py);
    }

    /// What waits for results refers to the loop, which refers to this one. It breaks up with the loop.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Those that a loop calls by itself come and go: there may be several of one notifier.
        if !self.0.is_watched {
            return Ok(());
        }
        let Some(pending) = collector::lock(&self.0.pending) else {
            return Ok(());
        };
        pending
            .done
            .iter()
            .try_for_each(|completion| completion.traverse(&visit))
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        if self.0.is_watched {
            finalize(|py| self.0.close(py));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LatestTurn;

    /// Bug: a task whose calls are all done at once keeps the event loop from everything else.
    #[test]
    fn the_loop_has_a_turn_after_some_calls() {
        let latest = LatestTurn::default();
        let answers: Vec<bool> = (0..64).map(|_| latest.is_long_ago()).collect();
        for calls in answers.chunks(LatestTurn::CALLS as usize) {
            assert!(calls.contains(&true), "{answers:?}");
        }
    }

    /// Bug: where calls are slow to be made, some of them keep the loop for long.
    #[test]
    fn the_loop_has_a_turn_after_some_time() {
        let latest = LatestTurn::default();
        latest.is_long_ago();
        std::thread::sleep(std::time::Duration::from_nanos(LatestTurn::NANOSECONDS));
        assert!(latest.is_long_ago());
    }
}
