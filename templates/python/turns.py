{{ header }}
"""Whose turn it is on a connection that several tasks share.

A transaction is a turn: from its begin to its end, the connection runs the calls of those who are inside of it, and those of
others wait in a line. Turns nest: the one that began last is the innermost, and it alone runs calls. Who is inside goes with
the context (`contextvars`), which a task inherits from where it is started.
"""

import asyncio
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from .lib import OperationalError, ProgrammingError

Item = tuple["asyncio.Future[Any] | None", Callable[[], object]]

ENDED = (
    "the transaction in which this task was started has ended: let the block wait for what is started inside of it, as "
    "`asyncio.TaskGroup` does, or start it before the block"
)
ENDED_AROUND = "the transaction around this one was rolled back before this one's end, and this one with it"
OUT_OF_ORDER = "a transaction was left before the one inside of it, and both are rolled back: leave the inner one first"
DEADLOCK = (
    "this call would wait for ever: it waits for the end of a transaction in which a call waits for the end of one that this "
    "call is inside of; let all tasks take several connections in the same order"
)

_innermost: ContextVar["Turn | None"] = ContextVar("{{ package }}.turn", default=None)


class Turn:
    """A span in which a connection belongs to those who are inside. `queue` is the one in front of the connection."""

    __slots__ = ("__weakref__", "_outer", "_task", "ended", "entered", "parent", "queue", "waits")

    def __init__(self, queue: object) -> None:
        self.queue = queue
        # Whether a context was ever inside.
        self.entered = False
        self.ended = False
        # The turn around it on the same connection.
        self.parent: Turn | None = None
        # The calls from inside, on whatever connection, that wait for another turn.
        self.waits: set[Waiting] = set()
        self._outer: Turn | None = None
        self._task: weakref.ref[asyncio.Task[Any]] | None = None

    def guard(self, function: Callable[[], object]) -> Callable[[], object]:
        """What is run in place of a call from inside."""
        return function

    def step_in(self) -> None:
        """From now on the context is inside."""
        self.entered = True
        task = asyncio.current_task()
        self._task = None if task is None else weakref.ref(task)
        self._outer = _innermost.get()
        _innermost.set(self)

    def step_out(self) -> None:
        """The context leaves what has ended, in whatever order that was."""
        turn = _innermost.get()
        while turn is not None and turn.ended:
            turn = turn._outer
        _innermost.set(turn)

    @classmethod
    def all_around(cls) -> "Iterator[Turn]":
        """The turns that the context is inside of, the innermost first, on all connections."""
        turn = _innermost.get()
        while turn is not None:
            # It may have ended elsewhere; the task that began it is free again. One that was started inside is not: half
            # of what it does would come into the transaction, and half behind it.
            if not (turn.ended and turn._is_of_this_task()):
                yield turn
            turn = turn._outer

    def _is_of_this_task(self) -> bool:
        try:
            task = asyncio.current_task()
        except RuntimeError:
            return False
        return task is not None and self._task is not None and self._task() is task


class Waiting:
    """A call in the line."""

    __slots__ = ("around", "begins", "ends", "item", "owner", "turns")

    def __init__(
        self,
        turns: "Turns",
        item: Item,
        owner: Turn | None,
        *,
        begins: Turn | None = None,
        ends: Turn | None = None,
    ) -> None:
        self.turns = turns
        self.item = item
        # The turn that it needs; `None` for one from outside, which needs that there is none.
        self.owner = owner
        # The turn that begins, or ends, with this call.
        self.begins = begins
        self.ends = ends
        self.around = [turn for turn in Turn.all_around() if not turn.ended]

    def refusal(self) -> Exception:
        """The error of a call whose turn has ended."""
        return ProgrammingError(ENDED if self.ends is None else ENDED_AROUND)


class Turns:
    """The turns that have begun on one connection, and the line of those who wait for their end.

    All of it is used under the lock of the queue. `put` passes a call on to the connection's thread.
    """

    __slots__ = ("_known", "_line", "_put", "_queue", "_turns")

    def __init__(self, queue: object, put: Callable[[Item], None]) -> None:
        self._queue = queue
        self._put = put
        # Those that have begun and not ended.
        self._turns: list[Turn] = []
        # Those that somebody may still be inside of: the contexts of tasks keep them.
        self._known: weakref.WeakSet[Turn] = weakref.WeakSet()
        # In the order of arrival.
        self._line: dict[asyncio.Future[Any], Waiting] = {}

    @property
    def idle(self) -> bool:
        """Whether nobody waits, and nobody is inside of a turn or was started inside of one."""
        return not self._turns and not any(turn.entered for turn in self._known)

    def put(self, item: Item) -> bool:
        """Passes a call on if it is its turn, and puts it into the line otherwise, which is the answer."""
        if item[0] is None:
            self._put(item)
            return False
        return self._pass_or_line_up(Waiting(self, item, self._owner()))

    def begin(self, turn: Turn, item: Item) -> None:
        """Begins a turn with this call, inside of the one that the caller is in, as soon as that is the innermost."""
        turn.parent = self._owner()
        self._pass_or_line_up(Waiting(self, item, turn.parent, begins=turn))

    def end(self, turn: Turn, item: Item) -> None:
        """Ends a turn with this call, as soon as those inside of it have ended."""
        if self._owner() is not turn and self._is_inside_of(turn):
            _fail(item[0], ProgrammingError(OUT_OF_ORDER))
            return
        self._pass_or_line_up(Waiting(self, item, turn, ends=turn))
        self._advance()

    def end_at_once(self, turn: Turn, item: Item) -> bool:
        """Ends a turn, and those inside of it, with this call. One that has not begun leaves the line, and the call does not
        run, which is the answer.
        """
        for future, waiting in list(self._line.items()):
            if waiting.begins is turn or waiting.ends is turn:
                self.leave(future)
        turn.ended = True
        if turn not in self._turns:
            return False
        self._drop_from(turn)
        self._put(item)
        self._advance()
        return True

    def leave(self, future: "asyncio.Future[Any]") -> None:
        """Takes a call out of the line, if it is there."""
        waiting = self._line.pop(future, None)
        if waiting is not None:
            for turn in waiting.around:
                turn.waits.discard(waiting)

    def close(self, error: Callable[[], Exception]) -> None:
        """Ends all turns; the calls in the line fail."""
        for future in list(self._line):
            self.leave(future)
            _fail(future, error())
        for turn in self._turns:
            turn.ended = True
        self._turns.clear()

    def refuse_inside(self, what: str) -> None:
        """Raises if the caller is inside of a turn."""
        owner = self._owner()
        if owner is not None and not owner.ended:
            raise ProgrammingError(
                f"{what} cannot be called inside of `async with transaction()`, whose end commits: to roll back, raise an "
                "exception and catch it around the block"
            )

    def blocking(self, owner: Turn | None) -> list[Turn]:
        """The turns that have to end before it is the turn of `owner`."""
        return self._turns[self._turns.index(owner) + 1 :] if owner in self._turns else list(self._turns)

    def _owner(self) -> Turn | None:
        return next((turn for turn in Turn.all_around() if turn.queue is self._queue), None)

    def _is_inside_of(self, turn: Turn) -> bool:
        owner = self._owner()
        while owner is not None and owner is not turn:
            owner = owner.parent
        return owner is turn

    def _innermost(self) -> Turn | None:
        return self._turns[-1] if self._turns else None

    def _pass_or_line_up(self, waiting: Waiting) -> bool:
        future, _ = waiting.item
        if future is None:
            raise ValueError("only a call with a future can wait")
        if waiting.owner is not None and waiting.owner.ended:
            future.set_exception(waiting.refusal())
            return False
        if waiting.owner is self._innermost():
            self._pass(waiting)
            return False
        self._line[future] = waiting
        for turn in waiting.around:
            turn.waits.add(waiting)
        if self._waits_for_itself(waiting):
            self.leave(future)
            future.set_exception(OperationalError(DEADLOCK))
            return False
        return True

    def _pass(self, waiting: Waiting) -> None:
        future, function = waiting.item
        if waiting.ends is not None:
            self._drop_from(waiting.ends)
        elif waiting.owner is not None:
            function = waiting.owner.guard(function)
        if waiting.begins is not None:
            self._turns.append(waiting.begins)
            self._known.add(waiting.begins)
        self._put((future, function))

    def _drop_from(self, turn: Turn) -> None:
        place = self._turns.index(turn)
        for ended in self._turns[place:]:
            ended.ended = True
        del self._turns[place:]

    def _advance(self) -> None:
        """Passes on those whose turn it is now, in the order of the line."""
        while True:
            for future, waiting in self._line.items():
                if future.done() or waiting.owner is self._innermost():
                    break
                if waiting.owner is not None and waiting.owner.ended:
                    break
            else:
                return
            self.leave(future)
            if future.done():
                continue
            if waiting.owner is not None and waiting.owner.ended:
                _fail(future, waiting.refusal())
            else:
                self._pass(waiting)

    def _waits_for_itself(self, waiting: Waiting) -> bool:
        """Whether a turn that the call is inside of can't end before the call does, for what it waits for waits for that."""
        own = set(waiting.around)
        ahead, seen = self.blocking(waiting.owner), set[Turn]()
        while ahead:
            turn = ahead.pop()
            if turn in seen:
                continue
            seen.add(turn)
            for other in list(turn.waits):
                blocking = other.turns.blocking(other.owner)
                if any(blocked in own for blocked in blocking):
                    return True
                ahead.extend(blocking)
        return False


def _fail(future: "asyncio.Future[Any] | None", error: Exception) -> None:
    if future is None:
        return
    try:
        future.get_loop().call_soon_threadsafe(_set_error, future, error)
    except RuntimeError:
        """The loop is closed: nobody waits any more."""


def _set_error(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
