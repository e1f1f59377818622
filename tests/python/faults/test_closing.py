"""Closing: it ends what there is, once, however often and from wherever it is called, and nobody hangs behind it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import random
import threading
import warnings
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import aioturso
import aioturso.lib
import pytest
from children import ENDLESS
from conftest import Connect, Note
from remains import HANGING, check_nothing_is_left, holdings


async def filled(connection: aioturso.Connection[Any]) -> aioturso.Connection[Any]:
    await connection
    await connection.execute("CREATE TABLE IF NOT EXISTS t (a INTEGER)")
    return connection


async def test_closed_twice_and_by_two_tasks(path: str, connect: Connect) -> None:
    """Bug: the second close waits for ever for an end that was told once."""
    for _ in range(50):
        connection = await connect(path)
        closes: list[Awaitable[None]] = [connection.close() for _ in range(3)]
        closes += [asyncio.create_task(connection.close()) for _ in range(3)]
        assert await asyncio.wait_for(asyncio.gather(*closes), HANGING) == [None] * 6
        await asyncio.wait_for(connection.close(), HANGING)


async def test_the_thread_is_gone_when_close_returns(path: str, connect: Connect) -> None:
    """Bug: close returns when its item was taken from the queue, or told of, and the thread is still there."""
    await (await connect(path)).close()
    before = threading.active_count()
    for _ in range(200):
        connection = await connect(path)
        connection.execute("SELECT 1")
        await connection.close()
        assert threading.active_count() == before, threading.enumerate()


async def test_a_close_that_waits_for_a_call_leaves_the_loop_to_others(path: str, connect: Connect) -> None:
    """Bugs: close returns before its turn has come; or the loop stands still until the calls before it have run."""
    connection = await filled(connect(path, isolation_level=None))
    with contextlib.closing(aioturso.lib.connect(path, isolation_level=None)) as writing:
        writing.execute("BEGIN IMMEDIATE")
        call = connection.execute("INSERT INTO t VALUES (1)")
        closing = asyncio.ensure_future(connection.close())
        await asyncio.sleep(0.05)
        assert not closing.done(), "the call before it waits for the lock"
        writing.execute("ROLLBACK")
    await asyncio.wait_for(closing, HANGING)
    await asyncio.wait_for(call, HANGING)


async def test_closed_with_a_full_queue(path: str, connect: Connect) -> None:
    """Bugs: what was called before the close is dropped, or answered with an error, or never answered."""
    connection = await filled(connect(path, isolation_level=None))
    await connection.execute("PRAGMA synchronous = OFF")
    calls = [asyncio.create_task(connection.execute("INSERT INTO t VALUES (?)", (n,))) for n in range(500)]
    await asyncio.sleep(0)
    await asyncio.wait_for(connection.close(), HANGING)
    await asyncio.wait_for(asyncio.gather(*calls), HANGING)
    async with connect(path) as again:
        assert await again.execute_fetchall("SELECT count(*) FROM t") == [(500,)]


async def test_calls_that_race_with_close(path: str, connect: Connect, note: Note) -> None:
    """Bug: an item behind the one that ends the thread, whose caller waits for ever."""
    outcomes: Counter[str] = Counter()
    chance = random.Random(6)

    async def keep_calling(connection: aioturso.Connection[Any]) -> None:
        for _ in range(1000):
            try:
                await chance.choice([connection.commit, lambda: connection.execute("SELECT 1"), connection.rollback])()
                outcomes["answered"] += 1
            except aioturso.ProgrammingError:
                outcomes["refused"] += 1
                if outcomes["refused"] % 20 == 0:
                    return

    for _ in range(30):
        connection = await connect(path)
        callers = [asyncio.create_task(keep_calling(connection)) for _ in range(8)]
        await asyncio.sleep(chance.random() * 0.01)
        closing = asyncio.create_task(connection.close())
        await asyncio.wait_for(asyncio.gather(closing, *callers), HANGING)
    note(", ".join(f"{outcomes[outcome]} {outcome}" for outcome in ("answered", "refused")))
    assert outcomes["refused"] > 100


async def test_calls_from_other_threads_race_with_close(path: str, connect: Connect, note: Note) -> None:
    """Bug: a call that looks whether it is closed, and is queued a moment later, behind the end."""
    outcomes: Counter[str] = Counter()

    def call_from_another_loop(connection: aioturso.Connection[Any]) -> None:
        async def keep_calling() -> None:
            while True:
                try:
                    await asyncio.wait_for(connection.commit(), HANGING)
                    outcomes["answered"] += 1
                except aioturso.ProgrammingError:
                    outcomes["refused"] += 1
                    return

        asyncio.run(keep_calling())

    for _ in range(20):
        connection = await connect(path)
        callers = [asyncio.create_task(asyncio.to_thread(call_from_another_loop, connection)) for _ in range(3)]
        await asyncio.sleep(0.01)
        await asyncio.wait_for(connection.close(), HANGING)
        await asyncio.wait_for(asyncio.gather(*callers), HANGING + 5)
    await asyncio.get_running_loop().shutdown_default_executor()
    note(", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()))
    assert outcomes["refused"] == 60


async def test_closed_while_a_query_runs(path: str, connect: Connect) -> None:
    """Bug: the query is left without an answer. Close waits for it, as it does for all that was called before."""
    connection = await connect(path)
    query = asyncio.create_task(connection.execute_fetchall("SELECT count(*) FROM generate_series(1, 5000000)"))
    await asyncio.sleep(0.005)
    closing = asyncio.create_task(connection.close())
    assert await asyncio.wait_for(query, HANGING) == [(5000000,)]
    await asyncio.wait_for(closing, HANGING)
    endless = await connect(path)
    query = asyncio.create_task(endless.execute_fetchall(ENDLESS))
    await asyncio.sleep(0.01)
    closing = asyncio.create_task(endless.close())
    await asyncio.sleep(0.01)
    query.cancel()
    await asyncio.wait_for(closing, HANGING)


async def test_a_close_that_is_cancelled(path: str, connect: Connect) -> None:
    """Bugs: the end is told to the one who left, and the next who closes hangs; the thread is never ended."""
    before = threading.active_count()
    for pause in [0, 0, 0.0005] * 10:
        connection = await connect(path)
        connection.execute("SELECT count(*) FROM generate_series(1, 5000)")
        closing = asyncio.create_task(connection.close())
        await asyncio.sleep(pause)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        await asyncio.wait_for(connection.close(), HANGING)
        assert threading.active_count() == before


async def test_every_call_after_close_is_refused(path: str, connect: Connect, note: Note) -> None:
    """Bug: a call that hangs, or that fails with whatever was at hand. Each raises at once, and says why."""
    connection = await filled(connect(path))
    cursor = await connection.execute("SELECT value FROM generate_series(1, 500)")
    await connection.close()
    arguments: dict[str, tuple[Any, ...]] = {
        "execute": ("SELECT 1",),
        "executemany": ("SELECT 1", []),
        "executescript": ("SELECT 1",),
        "execute_insert": ("SELECT 1",),
        "execute_fetchall": ("SELECT 1",),
        "set_query_timeout": (1.0,),
        "setinputsizes": (1,),
        "setoutputsize": (1,),
        "fetchmany": (2,),
    }
    refused = 0
    for thing, names in (
        (connection, [*arguments, "cursor", "commit", "rollback", "interrupt", "get_query_timeout"]),
        (cursor, [*arguments, "fetchone", "fetchall", "__anext__"]),
    ):
        for name in names:
            if hasattr(thing, name):
                with pytest.raises(ValueError, match="no active connection") as caught:
                    result = getattr(thing, name)(*arguments.get(name, ()))
                    assert inspect.isawaitable(result), name
                    await asyncio.wait_for(result, HANGING)
                assert isinstance(caught.value, aioturso.ProgrammingError), name
                refused += 1
    for name in ("in_transaction", "total_changes", "isolation_level", "autocommit"):
        with pytest.raises(aioturso.ProgrammingError):
            getattr(connection, name)
    with pytest.raises(ValueError, match="no active connection"):
        async with connection:
            pytest.fail("it was entered")
    note(f"{refused} calls")
    assert refused > 15


async def test_dropped_without_close(path: str, connect: Connect, note: Note) -> None:
    """Bugs: the thread keeps the connection alive, and so itself; nobody is told."""
    await (await connect(path)).close()
    before = holdings()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in range(100):
            connection = await connect(path)
            cursor = connection.execute("SELECT value FROM generate_series(1, 1000)")
            if number % 2:
                await cursor
            if number % 3 == 0:
                connection.execute("SELECT count(*) FROM generate_series(1, 20000)")
            del connection, cursor
        gc.collect()
        note(str(await check_nothing_is_left(before)))
    assert [warning.category for warning in caught] == [ResourceWarning] * 100


async def test_dropped_by_a_task_that_is_cancelled(path: str, connect: Connect, note: Note) -> None:
    """Bugs: the error that ends the task keeps its frame, and that the connection; the finalizer, which runs in the middle
    of the cancelling, waits for what the cancelling holds."""
    await (await connect(path)).close()
    chance = random.Random(11)
    before = holdings()

    async def use() -> None:
        connection = await connect(path)
        try:
            await connection.execute_fetchall(chance.choice([ENDLESS, "SELECT value FROM generate_series(1, 2000)"]))
        finally:
            del connection
            gc.collect(0)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(100):
            task = asyncio.create_task(use())
            await asyncio.sleep(chance.choice([0, 0.0005, 0.002]))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            del task
        gc.collect()
        note(str(await check_nothing_is_left(before)))
    note(f"{len(caught)} warnings")
    assert {warning.category for warning in caught} == {ResourceWarning}


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt, SystemExit, asyncio.CancelledError])
async def test_closed_while_a_callback_raises(path: str, connect: Connect, raised: type[BaseException]) -> None:
    """Bug: whoever waits for the close waits for ever, since the thread died of what a callback before it raised."""
    connection = await connect(path)
    closing_is_queued = threading.Event()

    def factory(_cursor: Any, _row: Any) -> None:
        closing_is_queued.wait(HANGING)
        raise raised("from the callback")

    async def read() -> BaseException | None:
        # What is told to a loop as KeyboardInterrupt would end the loop.
        try:
            await connection.execute_fetchall("SELECT 1")
        except BaseException as error:
            return error
        return None

    connection.row_factory = factory
    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    closings = [asyncio.create_task(connection.close()) for _ in range(2)]
    await asyncio.sleep(0)
    closing_is_queued.set()
    assert await asyncio.wait_for(asyncio.gather(*closings), HANGING) == [None, None]
    assert isinstance(await asyncio.wait_for(reading, HANGING), raised)


async def test_closed_from_two_loops_at_once(path: str, connect: Connect) -> None:
    """Bug: the end is told in the loop of whoever closed first, and the other one waits for ever."""
    for _ in range(20):
        connection = await connect(path)
        calls = [asyncio.ensure_future(connection.execute("SELECT 1")) for _ in range(20)]

        async def close() -> None:
            await asyncio.wait_for(connection.close(), HANGING)  # noqa: B023

        others = [asyncio.create_task(asyncio.to_thread(asyncio.run, close())) for _ in range(2)]
        await close()
        await asyncio.wait_for(asyncio.gather(*others), HANGING)
        await asyncio.gather(*calls, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_close_behind_an_open_transaction(path: str, connect: Connect) -> None:
    """Bug: what was not committed is there after all, or the file stays locked."""
    connection = await filled(connect(path))
    await connection.execute("INSERT INTO t VALUES (1)")
    await connection.commit()
    await connection.execute("INSERT INTO t VALUES (2)")
    await connection.close()
    # It does not wait for a lock: there is none.
    async with connect(path, timeout=0) as again:
        await again.execute("INSERT INTO t VALUES (3)")
        assert await again.execute_fetchall("SELECT a FROM t ORDER BY a") == [(1,), (3,)]
