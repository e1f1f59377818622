"""Code of the caller that runs in the middle of a call: what it raises reaches the caller, and the worker lives."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Iterator
from typing import Any

import aioturso
import pytest
from conftest import Connect
from remains import HANGING


class Panic(BaseException):
    """As exceptions are that stand for a panic: none of `Exception`."""


RAISED = [
    ValueError,
    StopIteration,
    StopAsyncIteration,
    KeyboardInterrupt,
    SystemExit,
    asyncio.CancelledError,
    GeneratorExit,
    Panic,
]

Callback = Callable[[], object]
Use = Callable[[aioturso.Connection[Any], Callback], Any]


async def in_row_factory(connection: aioturso.Connection[Any], callback: Callback) -> None:
    connection.row_factory = lambda _cursor, _row: callback()
    try:
        await (await connection.execute("SELECT 1")).fetchall()
    finally:
        connection.row_factory = None


async def in_row_factory_of_an_iteration(connection: aioturso.Connection[Any], callback: Callback) -> None:
    connection.row_factory = lambda _cursor, row: callback() if row[0] == 100 else row
    try:
        rows = [row async for row in await connection.execute("SELECT value FROM generate_series(1, 200)")]
        assert len(rows) == 200, "the iteration just ended"
    finally:
        connection.row_factory = None


async def in_text_factory(connection: aioturso.Connection[Any], callback: Callback) -> None:
    connection.text_factory = lambda _text: callback()
    try:
        await connection.execute_fetchall("SELECT 'a'")
    finally:
        connection.text_factory = str


class Adapted:
    def __init__(self, callback: Callback) -> None:
        self.callback = callback

    def __conform__(self, _protocol: object) -> object:
        self.callback()
        return 1


async def in_adapter(connection: aioturso.Connection[Any], callback: Callback) -> None:
    await connection.execute("SELECT ?", (Adapted(callback),))  # type: ignore[arg-type]


class Parameters:
    """Parameters of `executemany`. A generator would make another exception of StopIteration."""

    def __init__(self, callback: Callback) -> None:
        self.callback = callback
        self.number = 0

    def __iter__(self) -> Iterator[tuple[int]]:
        return self

    def __next__(self) -> tuple[int]:
        self.number += 1
        if self.number == 3:
            self.callback()
        if self.number == 5:
            raise StopIteration
        return (self.number,)


async def in_parameters(connection: aioturso.Connection[Any], callback: Callback) -> None:
    try:
        await connection.executemany("INSERT INTO t VALUES (?)", Parameters(callback))
    finally:
        await connection.rollback()


PLACES = [in_row_factory, in_row_factory_of_an_iteration, in_text_factory, in_adapter, in_parameters]


async def check_alive(connection: aioturso.Connection[Any]) -> None:
    cursor = await connection.execute("INSERT INTO t VALUES (?)", (7,))
    await connection.commit()
    assert cursor.rowcount == 1
    assert await connection.execute_fetchall("SELECT 2") == [(2,)]


@pytest.mark.parametrize("raised", RAISED)
@pytest.mark.parametrize("place", PLACES)
async def test_a_callback_raises(path: str, connect: Connect, place: Use, raised: type[BaseException]) -> None:
    """Bugs: the worker dies of it; a future refuses it and its caller hangs; an iteration just ends; who catches it may
    not await any more."""

    def callback() -> None:
        raise raised("from the callback")

    connection = await connect(path)
    await connection.execute("CREATE TABLE t (a)")
    # The caller gets it within its own task: what is told to a loop as KeyboardInterrupt would end the loop.
    outcome: BaseException | None = None
    try:
        await place(connection, callback)
    except BaseException as error:
        # As a handler does: whatever came, it can still wait for something.
        await asyncio.wait_for(connection.rollback(), HANGING)
        outcome = error
    if place is in_parameters and raised is StopIteration:
        assert outcome is None, "this is how an iterator says that it has ended"
    else:
        assert isinstance(outcome, raised) or isinstance(outcome and outcome.__cause__, raised), repr(outcome)
    del outcome
    await asyncio.wait_for(check_alive(connection), HANGING)
    await asyncio.wait_for(connection.close(), HANGING)


async def _awaiting(connection: aioturso.Connection[Any]) -> None:
    await connection.execute("SELECT 1")


async def _closing(connection: aioturso.Connection[Any]) -> None:
    await connection.close()


CALLS_BACK: dict[str, Callable[[aioturso.Connection[Any]], object]] = {
    "commit": lambda connection: connection.commit(),
    "execute": lambda connection: connection.execute("SELECT 1"),
    "a loop of its own": lambda connection: asyncio.run(_awaiting(connection)),
    "close in a loop of its own": lambda connection: asyncio.run(_closing(connection)),
}


@pytest.mark.parametrize("way", CALLS_BACK)
@pytest.mark.parametrize("place", PLACES)
async def test_a_callback_calls_back(path: str, connect: Connect, place: Use, way: str) -> None:
    """Bug: the call waits for the one that it is part of, and so for ever."""
    connection = await connect(path)
    await connection.execute("CREATE TABLE t (a)")
    with pytest.raises((RuntimeError, aioturso.ProgrammingError)):
        await asyncio.wait_for(place(connection, lambda: CALLS_BACK[way](connection)), HANGING)
    if "close" not in way:
        await asyncio.wait_for(check_alive(connection), HANGING)
    await asyncio.wait_for(connection.close(), HANGING)
    gc.collect()


async def test_an_iteration_ends_at_an_error_and_not_before(path: str, connect: Connect) -> None:
    """Bug: an error at one row swallows the rows before it that were read with it."""

    def factory(_cursor: Any, row: Any) -> int:
        return int(row[0]) if row[0] != 90 else int("ninety")

    async with connect(path) as connection:
        connection.row_factory = factory
        seen: list[int] = []
        with pytest.raises(ValueError, match="ninety"):
            async for value in await connection.execute("SELECT value FROM generate_series(1, 200)"):
                seen.append(value)
        assert seen == list(range(1, 90))


async def test_nothing_is_logged_for_errors_of_callbacks(
    path: str, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """Bug: an exception that its caller has caught is reported as well, as if nobody had."""
    caplog.set_level(logging.WARNING)

    def callback() -> None:
        raise ValueError("from the callback")

    async with connect(path) as connection:
        for place in (in_row_factory, in_adapter):
            with pytest.raises(ValueError, match="from the callback"):
                await place(connection, callback)
    gc.collect()
    assert caplog.records == []
