{{ header }}
"""Lanes: calls that wait for something else than the rest, each lane with a thread of its own beside the main one.

Calls of one lane keep their order among themselves. A lane starts when it is first used. Closing cuts the lanes off: the call
that runs in one is interrupted, those behind it fail, while the main one still runs what was called before. An opening that
is under way is cut off too: it may wait for the same.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from ._native import Call
from .worker import CLOSED, INTERRUPT_AGAIN_SECONDS, LOOP_CLOSED, OPEN_FAILED, Worker

ObjectT = TypeVar("ObjectT", covariant=True)
ResultT = TypeVar("ResultT")

CUT_OFF = "it was closed while the call was under way"


class LanedWorker(Worker[ObjectT], Generic[ObjectT]):
    """A worker that has lanes beside it."""

    def __init__(
        self,
        name: str,
        open: Callable[[], ObjectT],
        *,
        close: Callable[[ObjectT], object] | None = None,
        interrupt: Callable[[ObjectT], object] | None = None,
        lane_interrupts: Mapping[str, Callable[[ObjectT], object]],
        closed_error: Callable[[str], Exception],
        about: object = "",
{%- if keeps %}
        keeps_object: bool = False,
{%- endif %}
    ) -> None:
        super().__init__(
            name,
            open,
            close=close,
            interrupt=interrupt,
            closed_error=closed_error,
            about=about,
{%- if keeps %}
            keeps_object=keeps_object,
{%- endif %}
        )
        self._lane_interrupts = dict(lane_interrupts)
        self._lanes: dict[str, Lane[ObjectT]] = {}
        self._opening_ended = threading.Event()
        self._opening_is_cut = False

    def call_in_lane(self, name: str, function: Callable[[ObjectT], ResultT]) -> Call[ResultT]:
        """Queues a call in the lane of that name, which starts if it has not yet."""
        future: asyncio.Future[ResultT] = asyncio.get_event_loop().create_future()
        lane = self._lane(name)
        if lane is None:
            # The queue refuses it, with the reason.
            self.queue.put_nowait((future, lambda: function(self.opened)))
            return Call(future, self)
        lane.queue.put_nowait((future, lambda: lane.run(function)))
        return Call(future, lane)

    def _lane(self, name: str) -> "Lane[ObjectT] | None":
        with self._lock:
            if self.queue.closed:
                return None
            lane = self._lanes.get(name)
            if lane is None:
                lane = self._lanes[name] = Lane(self, name, self._lane_interrupts.get(name))
                lane.start_beside()
            return lane

    def wait_until_open(self) -> ObjectT:
        """What was opened, as soon as it is, for calls in the thread of a lane."""
        self._opening_ended.wait()
        return self.opened

    def stop(self, reason: str = CLOSED) -> bool:
        stopped = super().stop(reason)
        if reason is OPEN_FAILED:
            self._opening_ended.set()
        elif self._object is None:
            self._opening_is_cut = True
            self._opening.cancel()
        with self._lock:
            for lane in self._lanes.values():
                lane.cut_off(reason)
        return stopped

    def forget(self) -> None:
        super().forget()
        for lane in self._lanes.values():
            lane.forget()

    def _run_open(self) -> None:
        try:
            super()._run_open()
        except Exception as error:
            if not self._opening_is_cut:
                raise
            # Of the calls behind it too.
            self._open_error = self.queue.closed_error(CUT_OFF)
            raise self._open_error from error
        finally:
            self._opening_ended.set()

    def _before_close(self) -> None:
        # Nobody adds one: the queue is closed.
        for lane in self._lanes.values():
            lane.join()


class Lane(Worker[ObjectT], Generic[ObjectT]):
    """The worker of a lane."""

    def __init__(self, main: LanedWorker[ObjectT], name: str, interrupt: Callable[[ObjectT], object] | None) -> None:
        super().__init__(name, main.wait_until_open, interrupt=interrupt, closed_error=main.queue.closed_error)
        self._main = main
        self._lane_name = name

    @property
    def thread_name(self) -> str:
        """What the thread is called: as the main one, and by the lane."""
        return f"{self._main.thread_name} {self._lane_name}"

    def start_beside(self) -> None:
        """Starts the thread, which ends with the main one."""
        self.queue.open((None, self._run_open))
        self._thread = threading.Thread(target=self._run, name=self.thread_name, daemon=True)
        self._thread.start()

    def run(self, function: Callable[[ObjectT], ResultT]) -> ResultT:
        """Runs a call, in the thread."""
        try:
            return function(self.opened)
        except Exception as error:
            if self._skips:
                raise self.queue.closed_error(CUT_OFF) from error
            raise

    def cut_off(self, reason: str) -> None:
        """Interrupts the call that runs and lets those behind it fail."""
        with self._lock:
            self._skips = True
            if self._current is not None:
                self._interrupt_object()
        super().stop(reason)

    def stop(self, reason: str = CLOSED) -> bool:
        stopped = super().stop(reason)
        if reason is LOOP_CLOSED:
            self._main.stop(reason)
        return stopped

    def join(self) -> None:
        """Waits for the end of the thread, for the worker that has cut it off."""
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(INTERRUPT_AGAIN_SECONDS)
            with self._lock:
                # The interrupt may have come between two steps of one call.
                if self._current is not None:
                    self._interrupt_object()
