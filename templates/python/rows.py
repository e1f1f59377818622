{{ header }}
"""Rows that are read ahead: each trip to the worker brings a chunk of them, which are then handed out one by one.

However a result set is read (one row, several, all, `async for`, in any mixture), its rows come in order, none is lost
and none comes twice. An error comes where it happened, behind the rows that were read before it. A read that is
cancelled gives back what it has taken.
"""

import asyncio
import contextlib
import operator
import time
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from ._native import Call, NativeCall
from .calls import Awaited, raisable
{%- if dbapi %}
from .lib import OperationalError
{%- endif %}

ResultT = TypeVar("ResultT")
RowT = TypeVar("RowT")

# Reads at most so many rows, of which so many are for a call that began so many seconds ago: gives them, whether they are the
# last, and the error that came behind them.
ReadRows = Callable[[int, int, float], tuple[list[RowT], bool, BaseException | None]]

# Stands for no row: any object can be one.
MISSING = object()

# How many rows are read ahead, and how many are read at a time by those who want all.
CHUNK_SIZE = 64
ALL_CHUNK_SIZE = 1000
# How many chunks one trip to the worker brings at most: each one brings twice as many as the one before.
CHUNKS_OF_A_TRIP = 4


def check_size(size: int) -> int:
    """How many rows are asked for, as a number that is not negative."""
    count = operator.index(size)
    if count < 0:
        raise OverflowError(f"{count} rows cannot be read: ask for 0 or more")
    return count


{% if dbapi %}def check_chunk_size(size: int) -> int:
    """How many rows are read ahead, as a number of at least 1."""
    count = operator.index(size)
    if count < 1:
        raise ValueError(f"{count} rows cannot be read ahead: give 1 or more")
    return count


def _as_it_is(row: RowT) -> RowT:
    return row


{% endif %}class Taken(Generic[RowT]):
    """What a read has taken of a result set: rows, or the error that came before there were enough of them."""

    __slots__ = ("cut_off", "error", "result_set", "rows")

    def __init__(self, rows: list[RowT], error: BaseException | None, result_set: object, cut_off: bool) -> None:
        self.rows = rows
        self.error = error
        self.result_set = result_set
        # Whether there are more rows, and an interrupt kept them from being read.
        self.cut_off = cut_off


class Rows(Generic[RowT]):
    """The rows of one result set that were read ahead.

    While a call on the result set is queued or runs, the worker's thread alone touches them. While there is none, they
    belong to the event loop, and a read that finds enough of them does not have to go to the worker.
    """

    __slots__ = (
        "_ahead",
        "_answered",
        "_asked",
{%- if dbapi %}
        "_behind",
{%- endif %}
        "_chunks",
        "_error",
        "_exhausted",
{%- if dbapi %}
        "_make",
{%- endif %}
        "_result_set",
{%- if dbapi %}
        "_stays",
        "_unmade",
{%- endif %}
{%- if turns %}
        "_waiting",
{%- endif %}
        "chunk_size",
    )

    def __init__(self, chunk_size: int = CHUNK_SIZE) -> None:
        self.chunk_size = chunk_size
        self._ahead: deque[RowT] = deque()
        self._error: BaseException | None = None
        self._exhausted = False
{%- if dbapi %}
        # Rows behind those that are to be made anew where they are read, and what stands behind them: whether they are the last, and
        # an error.
        self._unmade: deque[RowT] = deque()
        self._behind: tuple[bool, BaseException | None] | None = None
        self._make: Callable[[RowT], RowT] = _as_it_is
        # Whether some of those that were read ahead cannot be made anew.
        self._stays = False
{%- endif %}
        # How many chunks the next trip brings.
        self._chunks = 1
        self._result_set = object()
        self._asked = 0
        self._answered = 0
{%- if turns %}
        # The calls that waited for a transaction to end: later ones may run before them.
        self._waiting: dict[int, asyncio.Future[Any]] = {}
{%- endif %}

    def ask(self) -> int:
        """Notes that a call is about to be queued. Its number is for `answer`."""
        self._asked += 1
        return self._asked

    def answer(self, number: int) -> None:
        """Notes that the call of that number has run. Those before it have, too, or never will."""
{%- if turns %}
        self._answered = max(self._answered, number)
        if self._waiting:
            for waiting, future in list(self._waiting.items()):
                if waiting == number or future.done():
                    self._waiting.pop(waiting, None)

    def wait(self, number: int, future: "asyncio.Future[Any]") -> None:
        """Notes that the call of that number waits for a transaction to end, and so does not run in its order."""
        self._waiting[number] = future
{%- else %}
        self._answered = number
{%- endif %}

    def drop(self) -> None:
        """Drops the result set."""
        self._ahead.clear()
        self._error = None
        self._exhausted = False
{%- if dbapi %}
        self._unmade.clear()
        self._behind = None
        self._make = _as_it_is
        self._stays = False
{%- endif %}
        self._chunks = 1
        self._result_set = object()

    def begin(self, read_rows: ReadRows[RowT]) -> None:
        """Reads the first rows of a new result set."""
        self._read(read_rows, 1)

    def take(self, read_rows: ReadRows[RowT], size: int | None, is_interrupted: Callable[[], bool]) -> Taken[RowT]:
        """Takes so many rows, or all, and reads what it needs for that, unless the call is interrupted."""
        self._read(read_rows, size, is_interrupted)
        return self._take(size)

    def take_ahead(self, size: int | None) -> Taken[RowT] | None:
        """Takes so many rows, or all, if nothing has to be read for that."""
        if self._asked != self._answered{% if turns %} or self._waiting{% endif %}:
            return None
        complete = self._exhausted or self._error is not None
        if not complete and (size is None or len(self._ahead) < size):
            return None
        return self._take(size)

    def next_ahead(self, missing: Any) -> Any:
        """Takes the next row, if it is there and no call that is queued before comes to take it; gives `missing` otherwise."""
        if self._asked != self._answered or not self._ahead{% if turns %} or self._waiting{% endif %}:
            return missing
        return self._ahead.popleft()

    def hand_out(self) -> "Handed[RowT] | None":
        """Takes the next row, if it is there and no call that is queued before comes to take it."""
        if self._asked != self._answered or not self._ahead{% if turns %} or self._waiting{% endif %}:
            return None
        return Handed(self, self._ahead.popleft(), self._result_set)

    def give_back(self, taken: Taken[RowT]) -> None:
        """Undoes a `take`."""
        if taken.result_set is self._result_set:
            self._ahead.extendleft(reversed(taken.rows))
{%- if dbapi %}
            self._stays = True
{%- endif %}
            self._error = self._error or taken.error
{%- if dbapi %}

    def unmake(self, make: Callable[[RowT], RowT] | None) -> None:
        """Has the rows that were read ahead made anew where they are read, one by one; `None` if they cannot be."""
        self._stays = bool(self._ahead) and (make is None or self._stays)
        if make is None or self._stays or not self._ahead:
            return
        if self._behind is None:
            self._behind = (self._exhausted, self._error)
            self._exhausted, self._error = False, None
        self._make = make
        self._unmade.extendleft(reversed(self._ahead))
        self._ahead.clear()

    def _make_rows(self) -> None:
        """Makes the rows that are to be made anew, as far as the first that cannot be."""
        while self._unmade:
            try:
                self._ahead.append(self._make(self._unmade.popleft()))
            except BaseException as error:
                self._error = raisable(error)
                return
        if self._behind is not None:
            (self._exhausted, self._error), self._behind = self._behind, None
            # It holds on to what the rows are read from.
            self._make = _as_it_is
{%- endif %}

    def _read(
        self, read_rows: ReadRows[RowT], size: int | None, is_interrupted: Callable[[], bool] = lambda: False
    ) -> None:
        began = time.monotonic()
        while not self._exhausted and self._error is None and (size is None or len(self._ahead) < size):
            # A chunk may be too short for an interrupt to find anything that it could end.
            if is_interrupted():
                break
{%- if dbapi %}
            if self._behind is not None:
                self._make_rows()
                continue
{%- endif %}
            asked = ALL_CHUNK_SIZE if size is None else size - len(self._ahead)
            wanted = asked if size is None else max(self.chunk_size * self._chunks, asked)
            self._chunks = min(self._chunks * 2, CHUNKS_OF_A_TRIP)
            rows, self._exhausted, error = read_rows(wanted, asked, time.monotonic() - began)
            self._ahead.extend(rows)
            self._error = None if error is None else raisable(error)

    def _take(self, size: int | None) -> Taken[RowT]:
        count = len(self._ahead) if size is None else min(size, len(self._ahead))
        rows = [self._ahead.popleft() for _ in range(count)]
        error, cut_off = None, False
        if size is None or count < size:
            error, self._error = self._error, None
            cut_off = error is None and not self._exhausted
        return Taken(rows, error, self._result_set, cut_off)


class Handed(Awaited[RowT]):
    """A read of one row that was read ahead. Whoever gives it up gives the row back."""

    __slots__ = ("_result_set", "_row", "_rows")

    def __init__(self, rows: Rows[RowT], row: RowT, result_set: object) -> None:
        self._steps = None
        self._rows = rows
        self._row = [row]
        self._result_set = result_set

    def __await__(self) -> Generator[Any, None, RowT]:
        yield from ()
        if not self._row:
            raise RuntimeError("this row was handed out already: await a read once")
        return self._row.pop()

    def _abandon(self) -> None:
        rows, self._row = self._row, []
        if rows:
            self._rows.give_back(Taken(rows, None, self._result_set, False))


class Reading(Awaited[ResultT], Generic[RowT, ResultT]):
    """A read of so many rows, or of all. It is queued, or has found what it wants among those that were read ahead."""

    __slots__ = ("_abandoned", "_call", "_convert", "_native_call", "_rows", "_taken", "size")

    def __init__(self, rows: Rows[RowT], size: int | None, convert: Callable[[list[RowT]], ResultT]) -> None:
        self._steps = None
        self._rows = rows
        self.size = None if size is None else check_size(size)
        self._convert = convert
        self._call: Call[None] | None = None
        self._native_call: NativeCall | None = None
        # At most one, and taken out by whoever comes first: the reader, or the one that gives it back.
        self._taken: list[Taken[RowT]] = []
        self._abandoned = False

    def take_ahead(self) -> bool:
        """Takes the rows in place, if that can be."""
        taken = self._rows.take_ahead(self.size)
        if taken is None:
            return False
        self._taken.append(taken)
        return True

    def take(self, read_rows: ReadRows[RowT], is_interrupted: Callable[[], bool]) -> None:
        """Takes the rows, in the worker's thread. If the call is interrupted, it gives them back."""
        self.receive(self._rows.take(read_rows, self.size, is_interrupted))

    def receive(self, taken: Taken[RowT]) -> None:
        """Takes rows that were taken for this read."""
        self._taken.append(taken)
        if self._abandoned:
            self._give_back()
        elif taken.cut_off:
            self._give_back()
            raise {% if dbapi %}OperationalError("interrupted"){% else %}RuntimeError("interrupted"){% endif %}

    def wait_for(self, call: Call[None], native_call: NativeCall | None = None) -> None:
        """Says which call it is that takes the rows."""
        self._call = call
        self._native_call = native_call

    def __await__(self) -> Generator[Any, None, ResultT]:
        try:
            call = self._call
            if call is not None and not call.finish_soon():
                try:
                    yield from call.__await__()
                except asyncio.CancelledError:
                    self._abandon()
                    raise
            if not self._taken:
                raise RuntimeError("these rows were handed out already: await a read once")
            taken = self._taken.pop()
            if taken.error is None:
                rows: Any = taken.rows
                # The list is nobody else's, and a copy would be one of all rows in one go.
                result: ResultT = rows if self._convert is list else self._convert(rows)
                return result
            try:
                raise taken.error
            finally:
                del taken
        finally:
            # As in `Awaited.send`.
            call = None
            del self

    def _abandon(self) -> None:
        self._abandoned = True
        if self._native_call is not None:
            # What it has taken may not have come here yet.
            self._native_call.give_up()
        if self._call is not None:
            self._call.cancel()
        self._give_back()

    def _give_back(self) -> None:
        if self._taken:
            with contextlib.suppress(IndexError):
                self._rows.give_back(self._taken.pop())
