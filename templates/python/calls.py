{{ header }}
"""What an asynchronous method returns: calls that are queued, or done, and can be awaited or made a task of."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar, cast

from ._native import Call, NativeCall

ObjectT = TypeVar("ObjectT")
ResultT = TypeVar("ResultT")
# A call of what gives a subclass stands for one of what gives its base.
OutcomeT = TypeVar("OutcomeT", covariant=True)

NOT_MADE = "the call that makes it is not done, or was cancelled"


class Awaited(Coroutine[Any, Any, OutcomeT], Generic[OutcomeT]):
    """Makes a coroutine of what has `__await__`, so that `asyncio.create_task` and `asyncio.run` take it."""

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps: Generator[Any, Any, OutcomeT] | None = None

    def send(self, value: None, /) -> object:
        steps = self._steps
        if steps is None:
            steps = self._steps = self.__await__()
        # An error has the frames that it came through, so they must not have the error: what they hold, and what waits for
        # its end, would live on until the garbage collector comes.
        del self
        return steps.send(value)

    def throw(
        self,
        kind: type[BaseException] | BaseException,
        value: BaseException | object = None,
        traceback: TracebackType | None = None,
        /,
    ) -> object:
        error = kind if isinstance(kind, BaseException) else kind(*(() if value is None else (value,)))
        if self._steps is None:
            # The task was cancelled before its first step: a generator would not even notice.
            self._abandon()
            raise error.with_traceback(traceback)
        steps = self._steps
        del self
        try:
            return steps.throw(error)
        finally:
            del kind, value, error

    def close(self) -> None:
        if self._steps is None:
            self._abandon()
        else:
            self._steps.close()

    def _abandon(self) -> None:
        """Nobody waits for the result any more."""


class Ready(Awaited[OutcomeT]):
    """A call that is done when it is made. It may be awaited; nothing is lost if it is not."""

    __slots__ = ("_result",)

    def __init__(self, result: OutcomeT) -> None:
        self._steps = None
        self._result = result

    def __await__(self) -> Generator[Any, None, OutcomeT]:
        yield from ()
        return self._result


class Done(Awaited[None]):
    """A call that is done when it is made, and gives nothing. One of them is enough."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, None]:
        return _ENDED

    def send(self, value: None, /) -> object:
        raise StopIteration


# An iterator that has come to its end stays there.
_ENDED: Generator[Any, None, None] = cast("Generator[Any, None, None]", iter(()))
DONE = Done()


class Begun(Awaited[OutcomeT]):
    """A call that gives the object it is made on. What is queued does not: it outlives the await for a moment, and would keep what
    the program has let go of.
    """

    __slots__ = ("_call", "_object")

    def __init__(self, call: Call[Any], object: OutcomeT) -> None:
        self._steps = None
        self._call = call
        self._object = object

    def __await__(self) -> Generator[Any, None, OutcomeT]:
        steps = None if self._call.finish_soon() else self._call.__await__()
        given = self._object
        # As in `Awaited.send`.
        del self
        if steps is not None:
            yield from steps
        return given

    async def __aenter__(self) -> OutcomeT:
        return await self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """`async with` is another way to await: there is nothing to leave."""

    def cancel(self) -> None:
        """Cancels the call. If it is queued, it never runs; if it runs now, it is interrupted."""
        self._call.cancel()

    def _abandon(self) -> None:
        self._call.cancel()


class Closing(Awaited[None]):
    """A close that has begun. It may be awaited, also more than once, and nothing takes it back."""

    __slots__ = ("_tell_end",)

    def __init__(self, tell_end: Callable[["asyncio.Future[None]"], None]) -> None:
        super().__init__()
        self._tell_end = tell_end

    def __await__(self) -> Generator[Any, None, None]:
        future: asyncio.Future[None] = asyncio.get_event_loop().create_future()
        self._tell_end(future)
        yield from future


class Assigned:
    """The values that were assigned to properties and are still on their way to the object."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, list[Any]] = {}

    def get(self, name: str, read: Callable[[], ResultT]) -> ResultT:
        """The value that was assigned last, or the one that the object has."""
        value = self._values.get(name)
        return read() if value is None else value[0]

    def set(self, name: str, value: object, assign: Callable[[], None], reads: "Reads | None" = None) -> "Assignment":
        """What is to be queued: until `assign` has set the value, it is read from here.

        `reads` are those that find something else behind it: they come to it in their order.
        """
        return Assignment(self._values, name, value, assign, reads)


# For those to whose properties nothing was assigned yet.
UNASSIGNED = Assigned()


class Reads(Protocol):
    """What keeps reads of rows behind the calls that were made before them."""

    def ask(self) -> int:
        """Notes that a call is about to be queued. Its number is for `answer`."""
        ...

    def answer(self, number: int, /) -> None:
        """Notes that the call of that number has run."""
        ...
{%- if turns %}

    def wait(self, number: int, future: "asyncio.Future[Any]", /) -> None:
        """Notes that the call of that number waits for a transaction to end, and so does not run in its order."""
        ...
{%- endif %}


class Assignment:
    """An assignment to a property. Nobody waits for it.

    If it fails, since the object could not be made, say, the property reads what the object has, as it does afterwards.
    """

    __slots__ = ("_assign", "_name", "_noted", "_number", "_reads", "_values")

    def __init__(
        self,
        values: dict[str, list[Any]],
        name: str,
        value: object,
        assign: Callable[[], None],
        reads: Reads | None,
    ) -> None:
        self._reads = reads
        self._number = 0
        self._values = values
        self._name = name
        self._noted = [value]
        self._assign = assign

    def note(self) -> None:
        """It is about to be queued."""
        self._values[self._name] = self._noted
        if self._reads is not None:
            self._number = self._reads.ask()
{%- if turns %}

    def wait(self, future: "asyncio.Future[Any]") -> None:
        """It waits for a transaction to end."""
        if self._reads is not None:
            self._reads.wait(self._number, future)
{%- endif %}

    def forget(self) -> None:
        """It is done, or never will be."""
        if self._values.get(self._name) is self._noted:
            del self._values[self._name]
        if self._reads is not None:
            self._reads.answer(self._number)

    def __call__(self) -> None:
        try:
            with contextlib.suppress(Exception):
                self._assign()
        finally:
            self.forget()


def recorded(function: Callable[[Any], object], calls: Any) -> NativeCall | None:
    """The call that a function makes, as an object: it is given what makes such objects in place of the blocking object.

    There is none if the function makes no such call, or none with these arguments: run with the blocking object, it then
    does, or raises, what it is to.
    """
    if calls is None:
        return None
    try:
        call = function(calls)
    except Exception:
        return None
    return call if isinstance(call, NativeCall) else None


def raisable(error: BaseException) -> BaseException:
    """The error itself, unless raising it in a coroutine would not raise it.

    A future refuses StopIteration, StopAsyncIteration would just end an `async for`, and GeneratorExit would close the
    coroutine that awaits: whoever catches it could not await any more, not even to close what it has open.
    """
    if not isinstance(error, (StopIteration, StopAsyncIteration, GeneratorExit)):
        return error
    refusal = RuntimeError(f"the call raised {type(error).__name__}")
    refusal.__cause__ = error
    return refusal
