{{ header }}
"""The queue of calls in front of a worker, that can be closed."""

import asyncio
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from ._native import Call, NativeCall, NativeQueue
from .calls import Assignment
{%- if turns %}
from .lib import ProgrammingError
from .turns import ENDED_AROUND, Turn, Turns
{%- endif %}

Item = tuple["asyncio.Future[Any] | None", Callable[[], object]]

NOT_OPEN = "await it, or enter it with `async with`, before it is used"
REENTERED = (
    "a call was made on an object from within a call on the same one, and would wait for itself: make it in the event "
    "loop"
)


# Which worker runs the calls: `native`, in whose thread they run without the GIL, or `python`, a thread like any other. The
# event loop has the last word: it has to watch a descriptor for the native one (`add_reader`).
WORKER_VARIABLE = "{{ package|upper }}_WORKER"
DEFAULT_WORKER = "native"


class CallQueue:
    """An unbounded queue of calls that can be closed.

    Calls are put in and the queue is closed under one lock, so that no call comes to lie behind the end, where nobody
    would ever run it.
    """

    def __init__(self, closed_error: Callable[[str], Exception]) -> None:
        # Until it is opened, nothing is put in.
        self._items: SimpleQueue[Item | None] | NativeQueue = SimpleQueue()
        # The garbage collector may run while a thread holds it, and close what it finds, in the same thread.
        self._lock = threading.RLock()
        self._refusal: str | None = NOT_OPEN
        # Where calls are put past the lock: there while the queue is native, and runs them in the order in which they come.
        self.direct: NativeQueue | None = None
{%- if turns %}
        # There while a transaction is open: calls then take turns.
        self.turns: Turns | None = None
{%- endif %}
        self.closed_error = closed_error
        # The thread that runs the calls, by its number. What it puts in itself would wait for itself.
        self.server: int | None = None

    def put_nowait(self, item: Item) -> {% if turns %}bool{% else %}None{% endif %}:
{%- if turns %}
        """Adds a call. Once the queue is closed, the call fails at once, where it is awaited.

        The answer is whether it has to wait for a transaction to end.
        """
{%- else %}
        """Adds a call. Once the queue is closed, the call fails at once, where it is awaited."""
{%- endif %}
        future, _ = item
        if future is not None and self.server == threading.get_ident():
            future.set_exception(RuntimeError(REENTERED))
            return{% if turns %} False{% endif %}
        with self._lock:
            refusal = self._refusal
            if refusal is None:
{%- if turns %}
                if self.turns is not None:
                    waits = self.turns.put(item)
                    self._drop_idle_turns()
                    return waits
{%- endif %}
                self._items.put_nowait(item)
        if refusal is not None and future is not None:
            future.set_exception(self.closed_error(refusal))
{%- if turns %}
        return False
{%- endif %}

    def assign(self, assignment: Assignment) -> None:
        """Adds an assignment to a property, which needs no event loop."""
        with self._lock:
            self.check()
            assignment.note()
{%- if turns %}
            future = None if self.turns is None else _future_of(assignment)
            if self.put_nowait((future, assignment)) and future is not None:
                assignment.wait(future)
{%- else %}
            self.put_nowait((None, assignment))
{%- endif %}

    @property
    def is_native(self) -> bool:
        """Whether native calls are run without the GIL."""
        return isinstance(self._items, NativeQueue)

    def serve(self, run: Callable[[list[Item]], None], lose_loop: Callable[[], None]) -> None:
        """Runs the calls, in the calling thread, until the end: each in a list that `run` empties.

        Native calls run without the GIL if the queue is native. `lose_loop` is called where the event loop of one is closed.
        """
        items = self._items
        if isinstance(items, NativeQueue):
            items.serve(run, lose_loop)
            return
        while True:
            item = items.get()
            if item is None:
                return
            box = [item]
            # What is left of a call belongs to its event loop, which is the one to drop it.
            del item
            run(box)

    def interrupt(self, call: Call[Any], interrupt: Callable[[], None]) -> bool:
        """Cancels a native call. If it runs, it is interrupted before anything else can run, which is the answer."""
        items = self._items
        return isinstance(items, NativeQueue) and items.cancel(call, interrupt)

    def tell(
        self, event_loop: asyncio.AbstractEventLoop, outcome: list[Any], wait: Callable[[], object] | None
    ) -> bool:
        """Hands an outcome to its future as those of native calls; with `wait`, when the calling thread ends, and after that was
        called. The answer is whether that can be.
        """
        items = self._items
        return isinstance(items, NativeQueue) and items.tell(event_loop, outcome, wait)

    def tell_interrupt(self) -> None:
        """Tells the native call that runs that it is about to be interrupted: it may be between two steps."""
        if isinstance(self._items, NativeQueue):
            self._items.tell_interrupt()

    def skip(self, interrupt: Callable[[], None]) -> None:
        """Has no more native calls run by themselves; interrupts the one that runs."""
        if isinstance(self._items, NativeQueue):
            self._items.skip(interrupt)

    @property
    def closed(self) -> bool:
        """Whether it takes no calls."""
        return self._refusal is not None

    def check(self) -> None:
        """Raises the error of a closed object if the queue takes no calls."""
        if self._refusal is not None:
            raise self.closed_error(self._refusal)

    def open(self, item: Item) -> None:
        """Takes calls from now on, this one first."""
        future, _ = item
        with self._lock:
            if self._refusal is not NOT_OPEN:
                self.check()
            # Without a future there is no event loop to be told of results, and no call is a native one.
            if future is not None:
                self._items = _make_items(future.get_loop())
            self._items.put_nowait(item)
            self._refusal = None
            self._note_order()

    def close(self, reason: str) -> bool:
        """Takes no more calls. The answer is whether it took them until now."""
        with self._lock:
            if self._refusal is None:
                self._refusal = reason
                # From here on nothing comes past the lock, and so nothing comes to lie behind the end.
                self._note_order()
                self._items.put_nowait(None)
{%- if turns %}
                if self.turns is not None:
                    self.turns.close(lambda: self.closed_error(reason))
                    self.turns = None
{%- endif %}
                return True
            if self._refusal is NOT_OPEN:
                self._refusal = reason
            return False

    def forget(self, reason: str) -> None:
        """Closes it in a forked process, where the lock may be held by a thread that does not exist there."""
        self._lock = threading.RLock()
        # The locks of the other one may be held too. What is put in here is kept.
        self._items = SimpleQueue()
        self.direct = None
        self.server = None
        self._refusal = reason
{%- if turns %}
        self.turns = None
{%- endif %}

    def discard(self, drop: Callable[[], object]) -> None:
        """Has the worker drop something, in its own thread. Finalizers call this: it takes no lock and never fails."""
        self._items.put_nowait((None, drop))

    def discard_later(self, drop: Callable[[], object]) -> None:
        """The same for what has time until the next call."""
        items = self._items
        if isinstance(items, NativeQueue) and isinstance(drop, NativeCall):
            items.discard_later(drop)
        else:
            items.put_nowait((None, drop))
{%- if turns %}

    def begin_turn(self, turn: Turn, item: Item) -> None:
        """Begins a turn with this call, as soon as it can be."""
        with self._lock:
            refusal = self._refusal
            if refusal is None:
                if self.turns is None:
                    self.turns = Turns(self, self._items.put_nowait)
                    self._note_order()
                self.turns.begin(turn, item)
                self._drop_idle_turns()
                return
        future, _ = item
        if future is not None:
            future.set_exception(self.closed_error(refusal))

    def end_turn(self, turn: Turn, item: Item) -> None:
        """Ends a turn with this call, as soon as those inside of it have ended."""
        with self._lock:
            if self.turns is not None:
                self.turns.end(turn, item)
                self._drop_idle_turns()
                return
            refusal = self._refusal
        future, _ = item
        if future is not None:
            future.set_exception(ProgrammingError(ENDED_AROUND) if refusal is None else self.closed_error(refusal))

    def end_turn_at_once(self, turn: Turn, item: Item) -> bool:
        """Ends a turn with this call, and those inside of it. The answer is whether the call will run."""
        with self._lock:
            if self.turns is None:
                turn.ended = True
                return False
            runs = self.turns.end_at_once(turn, item)
            self._drop_idle_turns()
            return runs

    def leave(self, future: "asyncio.Future[Any]") -> None:
        """Takes a call that is cancelled out of the line of those who wait for a transaction to end."""
        with self._lock:
            if self.turns is not None:
                self.turns.leave(future)

    def refuse_inside(self, what: str) -> None:
        """Raises if the caller is inside of a transaction that belongs to a block."""
        if self.turns is not None:
            self.turns.refuse_inside(what)

    def _drop_idle_turns(self) -> None:
        if self.turns is not None and self.turns.idle:
            self.turns = None
            self._note_order()
{%- endif %}

    def _note_order(self) -> None:
        """Has calls put past the lock exactly while they run in the order in which they come."""
        items = self._items
        if isinstance(items, NativeQueue):
            is_direct = self._refusal is None{% if turns %} and self.turns is None{% endif %}
            items.take_directly(is_direct)
            self.direct = items if is_direct else None


def _make_items(event_loop: asyncio.AbstractEventLoop) -> "SimpleQueue[Item | None] | NativeQueue":
    if os.environ.get(WORKER_VARIABLE, DEFAULT_WORKER) == "native" and NativeQueue.can_tell(event_loop):
        return NativeQueue()
    return SimpleQueue()
{%- if turns %}


def _future_of(assignment: Assignment) -> "asyncio.Future[Any] | None":
    """That by which an assignment waits for its turn like a call; `None` where no event loop runs."""
    try:
        future = asyncio.get_running_loop().create_future()
    except RuntimeError:
        return None

    def forget(future: "asyncio.Future[Any]") -> None:
        # It is not run if it waited for a transaction that it never got out of.
        assignment.forget()
        if not future.cancelled():
            future.exception()

    future.add_done_callback(forget)
    return future
{%- endif %}
