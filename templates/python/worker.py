{{ header }}
"""The thread behind an asynchronous object.

A call is a pair `(future, function)`. The thread takes one pair after the other, runs the function, and hands what it
returns or raises to the future, in the thread of the event loop that the future belongs to. Nothing polls, and an event
loop never waits for a lock that is held while a call runs.
"""

import asyncio
import atexit
import functools
import itertools
import logging
import os
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from ._native import Call, NativeCall, NativeQueue, NativeToken, calls_of
from .call_queue import NOT_OPEN, REENTERED, CallQueue, Item
from .calls import Assignment, Closing, raisable, recorded

ObjectT = TypeVar("ObjectT", covariant=True)
ResultT = TypeVar("ResultT")

# An interrupt is lost if it comes just before the call has really begun, so it is repeated for as long as the call runs.
INTERRUPT_AGAIN_SECONDS = 0.01
# How long `close` waits for a thread that has done its last work. It ends at once, so this is never reached.
JOIN_SECONDS = 1.0
# How long the end of the process waits until everything that is open is closed.
EXIT_SECONDS = 2.0

# How much of a path the name of a thread has.
LABEL_LENGTH = 40

CLOSED = "it is closed"
OPEN_FAILED = "it could not be opened"
LOOP_CLOSED = "its event loop was closed while a call was under way"
FORKED = "it was opened in the process that this one was forked from: open another one here"

logger = logging.getLogger("{{ package }}")

_numbers = itertools.count(1)
_running: "set[Worker[Any]]" = set()
_inherited: "list[Worker[Any]]" = []


class Worker(Generic[ObjectT]):
    """Opens an object in a thread of its own, runs calls on it one after the other, and closes it.

    It does not hold on to its owner, the asynchronous object in front of it. When that is collected without having been
    closed, the worker warns, closes and ends. The thread is a daemon: a call that never returns does not keep the
    process alive. What is open when the process ends is closed then.
    """

    def __init__(
        self,
        name: str,
        open: Callable[[], ObjectT],
        *,
        close: Callable[[ObjectT], object] | None = None,
        interrupt: Callable[[ObjectT], object] | None = None,
        closed_error: Callable[[str], Exception],
        about: object = "",
{%- if keeps %}
        keeps_object: bool = False,
{%- endif %}
    ) -> None:
        self.queue = CallQueue(closed_error)
        self._name = name
        self._number = next(_numbers)
        self._about = _label(about) or name.partition(".")[2]
        self._open = open
        self._close = close
        self._interrupt = interrupt
        self._object: ObjectT | None = None
        # Ends the opening: there is no object yet to be interrupted.
        self._opening = NativeToken()
        # What makes native calls on the object; there is none while it is not open, nor where they cannot be made.
        self.calls: Any = None
{%- if keeps %}
        self._keeps_object = keeps_object
{%- endif %}
        self._open_error: BaseException | None = None
        self._thread: threading.Thread | None = None
        # Tells when the owner goes, for as long as there is something to be stopped.
        self._owner: weakref.ref[object] | None = None
        # Guards what follows. A call ends under it and is interrupted under it: an interrupt cannot hit the next call.
        self._lock = threading.RLock()
        self._current: asyncio.Future[Any] | None = None
        self._interrupted = False
        self._closers: list[asyncio.Future[None]] = []
        self._close_error: BaseException | None = None
        self._ended = False
        self._skips = False

    @property
    def thread_name(self) -> str:
        """What the thread is called, in the log too: by a number, and by what it opens."""
        return f"{{ package }}-{self._number} {self._about}"

    @property
    def started(self) -> bool:
        """Whether there is, or was, a thread."""
        return self._thread is not None

    @property
    def opened(self) -> ObjectT:
        """What was opened, for calls in the thread. Where opening failed, this raises the same error again."""
        if self._object is not None:
            return self._object
        raise self._open_error or self.queue.closed_error(NOT_OPEN)

    @property
    def in_place(self) -> ObjectT:
        """What was opened, for what never blocks and runs outside of the thread. Closed, it raises like a call."""
        self.queue.check()
        return self.opened

    @property
    def interrupted_in_place(self) -> ObjectT:
        """What was opened, for its interrupt. The call that runs is told as well, for the moment may be between two steps."""
        opened = self.in_place
        self.queue.tell_interrupt()
        with self._lock:
            self._interrupted = self._current is not None
        return opened

    def bind(self, function: Callable[[ObjectT], ResultT]) -> "Callable[[], ResultT] | NativeCall":
        """What calls the function with the object when its turn comes."""
        return recorded(function, self.calls) or (lambda: function(self.opened))

    def start(self, owner: object) -> Call[None]:
        """Starts the thread, which first opens the object, and which ends when `owner` is collected."""
        future: asyncio.Future[None] = asyncio.get_event_loop().create_future()
        self.queue.open((future, self._run_open))
        self._thread = threading.Thread(target=self._run, name=self.thread_name, daemon=True)
        # Before it starts: an open that fails may have ended it before this thread gets its turn again.
        _running.add(self)
        try:
            self._thread.start()
        except BaseException:
            _running.discard(self)
            self._ended = True
            self.stop(OPEN_FAILED)
            raise
        # What is to be done when the owner goes must not keep the worker, which keeps the error of a failed open, whose
        # traceback keeps the owner. While there is something to be stopped, the thread keeps the worker.
        self._owner = weakref.ref(owner, functools.partial(_stop_dropped, weakref.ref(self)))
        return Call(future, self)

    def stop(self, reason: str = CLOSED) -> bool:
        """Takes no more calls. The thread still runs those that it has; then it closes the object and ends.

        The answer is whether it took calls until now.
        """
        return self.queue.close(reason)

    def close(self, close: Callable[[ObjectT], object] | None = None) -> Closing:
        """Stops at once; what is returned waits until the thread is gone, for those who want to.

        `close` is another way to close the object than the one that the worker was made with.
        """
        if self.stop() and close is not None:
            self._close = close
        return Closing(self.tell_end)

    def tell_end(self, future: "asyncio.Future[None]") -> None:
        """Sets the future when the object is closed and the thread is gone. The first one gets the error of closing."""
        if self.queue.server == threading.get_ident():
            _settle([future, None, None, RuntimeError(REENTERED)])
            return
        with self._lock:
            if self._thread is not None and not self._ended:
                self._closers.append(future)
                return
            error, self._close_error = self._close_error, None
            thread = self._thread
        # It has done its last work, and may be there for another moment.
        if thread is not None and thread.is_alive():
            thread.join(JOIN_SECONDS)
        _settle([future, None, None, error])

    def cancel(self, call: Call[Any]) -> None:
        """Cancels a call. If it is queued, it never runs; if it runs now, it is interrupted."""
        future = call.as_future()
        future.cancel()
{%- if turns %}
        if self.queue.turns is not None:
            self.queue.leave(future)
{%- endif %}
        self._interrupt_call(call, future)

    def _interrupt_call(self, call: Call[Any], future: "asyncio.Future[Any]") -> None:
        if not self.queue.interrupt(call, self._interrupt_object):
            with self._lock:
                if self._current is not future or (self._interrupt is None and self._object is not None):
                    return
                self._interrupt_object()
        future.get_loop().call_later(INTERRUPT_AGAIN_SECONDS, self._interrupt_call, call, future)

    def is_interrupted(self) -> bool:
        """Whether the call that runs was interrupted: one that consists of steps ends between two of them."""
        return self._interrupted

    def _interrupt_object(self) -> None:
        self._interrupted = True
        if self._object is None:
            self._opening.cancel()
            return
        if self._interrupt is None:
            return
        try:
            self._interrupt(self._object)
        except Exception:
            logger.exception("%s: a call could not be interrupted", self.thread_name)

    def warn_and_stop(self) -> None:
        if self.stop():
            # Where the owner was dropped: above this stands `_stop_dropped`.
            warnings.warn(f"{self._name} was deleted before being closed", ResourceWarning, stacklevel=3)

    # The rest runs in the thread.

    def _run(self) -> None:
        self.queue.server = threading.get_ident()
        self.queue.serve(self._run_call, self._lose_loop)
        self._end()

    def _run_call(self, box: list[Item]) -> None:
        future, function = box.pop()
        with self._lock:
            wanted = future is None or not future.done()
            skips = self._skips
            self._current = future if wanted and not skips else None
            self._interrupted = False
        outcome: list[Any]
        if skips:
            outcome = [future, function, None, self.queue.closed_error(CLOSED)]
        elif wanted:
            outcome = [future, function, *_outcome(function)]
        else:
            outcome = [future, function, None, None]
        event_loop = None if future is None else future.get_loop()
        is_awaited = not isinstance(function, Assignment)
        # What is left of the call belongs to its event loop, which is the one to drop it. With the future this thread would
        # hold what the call gave, and end what that has open later than the program did, or in no order.
        del future, function
        with self._lock:
            self._current = None
        delivered = event_loop is None or self._deliver(event_loop, outcome)
        # A call that was cancelled is lost to nobody, and nobody waits for an assignment: other loops go on with the object.
        if is_awaited and not delivered and not outcome[0].done():
            self._lose_loop()
        # An error has this frame behind those that it came through, and so whatever the frame would still hold.
        del outcome

    def _lose_loop(self) -> None:
        # Whoever waited for the call is gone, and nobody waits for those behind it.
        self.stop(LOOP_CLOSED)

    def _run_open(self) -> None:
        try:
            self._object = cast("ObjectT", self._opening.run(self._open))
        except BaseException as error:
            self._open_error = error
            self.stop(OPEN_FAILED)
            raise
        if self.queue.is_native:
            self.calls = calls_of(self._object)
        logger.debug("%s: opened", self.thread_name)

    def _deliver(
        self, event_loop: asyncio.AbstractEventLoop, outcome: list[Any], wait: Callable[[], object] | None = None
    ) -> bool:
        # The way of native results takes less, for both threads, than to wake the loop by its own.
        if self.queue.tell(event_loop, outcome, wait):
            return True
        try:
            event_loop.call_soon_threadsafe(_settle, outcome, wait)
        except RuntimeError:
            return False
        return True

{% if lanes %}    def _before_close(self) -> None:
        """What has to end before the object is closed."""

{% endif %}    def _end(self) -> None:
        error: BaseException | None = None
        self._owner = None
{%- if lanes %}
        self._before_close()
{%- endif %}
        if self._object is not None and self._close is not None:
            _, error = _outcome(functools.partial(self._close, self._object))
{% if keeps %}        if not self._keeps_object:
            self._object = None
{% else %}        self._object = None
{% endif %}        # The system may give the number to another thread.
        self.queue.server = None
        with self._lock:
            self._ended = True
            closers, self._closers = self._closers, []
            self._close_error = None if closers else error
        _running.discard(self)
        if error is not None and not closers:
            logger.error("%s: closing failed", self.thread_name, exc_info=error)
        # Whoever waits for the end waits for that of this thread.
        wait = functools.partial(threading.current_thread().join, JOIN_SECONDS)
        for closer in closers:
            self._deliver(closer.get_loop(), [closer, None, None, error], wait)
            error = None
        logger.debug("%s: ended", self.thread_name)

    # These are for the whole process.

    def stop_at_exit(self) -> None:
        """Ends the call that runs, leaves out those behind it, and closes."""
        with self._lock:
            self._skips = True
            # Where no call runs, the object may be closing, or be closed.
            if self._current is not None:
                self._interrupt_object()
        self.queue.skip(self._interrupt_object)
        self.stop()

    def join_at_exit(self, deadline: float) -> None:
        """Waits for the end of the thread, and no longer than until then."""
        while self._thread is not None and self._thread.is_alive() and (left := deadline - time.monotonic()) > 0:
            self._thread.join(min(left, INTERRUPT_AGAIN_SECONDS))
            with self._lock:
                # The interrupt may have come between two steps of one call. Closing, the last step, is let alone.
                if self._current is not None:
                    self._interrupt_object()
            self.queue.skip(self._interrupt_object)

    def forget(self) -> None:
        """Closes it in a forked process, which has no such thread."""
        self._lock = threading.RLock()
        # What runs there is not to be interrupted from here: a socket is one for both processes.
        self._current = None
        self._ended = True
        self.queue.forget(FORKED)


def _stop_dropped(reference: "weakref.ref[Worker[Any]]", _owner: object) -> None:
    worker = reference()
    if worker is not None:
        worker.warn_and_stop()


def _label(about: object) -> str:
    """What tells an object that is opened by a path from others, and gives nothing away: the last part, without options."""
    try:
        path = os.fsdecode(cast("str", about))
    except Exception:
        # What is no path is refused where it is opened.
        return ""
    if path.startswith("file:"):
        # Behind these may stand a key.
        path = path.partition("?")[0].partition("#")[0].removeprefix("file:")
    name = os.path.basename(path)
    if not name.isprintable():
        name = "".join(character if character.isprintable() else "?" for character in name)
    return name if len(name) <= LABEL_LENGTH else f"{name[: LABEL_LENGTH - 1]}…"


def _outcome(function: Callable[[], object]) -> tuple[object, BaseException | None]:
    try:
        return function(), None
    except BaseException as error:
        return None, raisable(error)


def _settle(outcome: list[Any], wait: Callable[[], object] | None = None) -> None:
    if wait is not None:
        wait()
    future, _, result, error = outcome
    outcome.clear()
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


@atexit.register
def _close_all_at_exit() -> None:
    workers = list(_running)
    for worker in workers:
        worker.stop_at_exit()
    deadline = time.monotonic() + EXIT_SECONDS
    for worker in workers:
        worker.join_at_exit(deadline)


def _forget_all_in_child() -> None:
    # What the parent has open stays untouched: it is kept, so that it is not closed here in the parent's place.
    _inherited.extend(_running)
    NativeQueue.forget_notifiers()
    for worker in _running:
        worker.forget()
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all_in_child)
