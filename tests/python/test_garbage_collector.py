"""What the garbage collector takes while the worker's thread hands results over, and what it must not."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import time
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import aioturso
import pytest


@pytest.fixture
def collecting_by_hand() -> Iterator[None]:
    """Leaves what is there to itself, so that a collection is quick, and runs none but those that are asked for."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.fixture
def switching_soon() -> Iterator[None]:
    """Gives the GIL to a thread that waits for it soon, and not after 5 ms."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def test_a_loop_that_is_dropped_with_a_result_on_its_way_is_collected(path: str) -> None:
    """Bug: the result waits for the loop, refers to it, and is shown to nobody who would break that circle: the loop stays for
    ever, with its descriptors."""

    async def begin(connection: aioturso.Connection) -> None:
        task = asyncio.ensure_future(connection)
        await asyncio.sleep(0)
        assert not task.done()

    def drop_loop() -> weakref.ref[asyncio.AbstractEventLoop]:
        event_loop = asyncio.SelectorEventLoop()
        connection = aioturso.connect(path)
        event_loop.run_until_complete(begin(connection))
        deadline = time.monotonic() + 30
        while connection._worker.calls is None:
            assert time.monotonic() < deadline, "it was not opened"
            time.sleep(0.001)
        # The thread hands the result over behind that.
        time.sleep(0.05)
        return weakref.ref(event_loop)

    with warnings.catch_warnings():
        # Neither the connection nor the loop was closed.
        warnings.simplefilter("ignore", ResourceWarning)
        dropped = drop_loop()
        gc.collect()
        gc.collect()
        assert dropped() is None


@pytest.mark.usefixtures("collecting_by_hand")
async def test_a_task_lives_until_its_result_comes(path: str) -> None:
    """Bug: the collector visits what waits for a result twice, and the worker's thread has it locked the second time: a task that
    nobody else refers to (asyncio itself does so weakly) is taken for garbage, and its coroutine closed."""
    ended = {"whole": 0, "closed": 0}

    async def select(connection: aioturso.Connection, number: int) -> None:
        try:
            cursor = await connection.execute("SELECT abs(?)", (number,))
            assert await cursor.fetchone() == (number,)
        except GeneratorExit:
            ended["closed"] += 1
            raise
        ended["whole"] += 1

    started = 0
    async with contextlib.AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(aioturso.connect(f"{path}{number}")) for number in range(4)]
        for _ in range(600):
            for connection in connections:
                for number in range(60):
                    asyncio.create_task(select(connection, number))  # noqa: RUF006
            started += 240
            await asyncio.sleep(0)
            for _ in range(6):
                gc.collect()
            while sum(ended.values()) < started:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
    assert ended == {"whole": started, "closed": 0}


class Record:
    """A row that knows whether its end was told."""

    def __init__(self, _cursor: Any, values: Any) -> None:
        self.values = values
        self.is_over = False

    def __del__(self) -> None:
        self.is_over = True


@pytest.mark.usefixtures("collecting_by_hand", "switching_soon")
async def test_a_row_lives_until_it_is_handed_out() -> None:
    """Bug: rows that are objects already are in the cursor on the collector's first visit, and with the read that has taken them
    on its second: their ends are told, and weak references to them cleared, before they are handed out."""

    async def read(connection: Any) -> list[Record]:
        cursor = await connection.execute("SELECT value FROM generate_series(1, 400)")
        rows: list[Record] = []
        while chunk := await cursor.fetchmany(96):
            rows += chunk
        return rows

    async with contextlib.AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(aioturso.connect(":memory:")) for _ in range(4)]
        for connection in connections:
            connection.row_factory = Record
        for _ in range(400):
            reading = [asyncio.create_task(read(connection)) for connection in connections]
            while not all(task.done() for task in reading):
                await asyncio.sleep(0)
                gc.collect()
            for task in reading:
                rows = await task
                assert [row.values[0] for row in rows if not row.is_over] == list(range(1, 401))
