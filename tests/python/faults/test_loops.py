"""Event loops: those that end too early, begin too late, or are more than one."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import aioturso
import aioturso.lib
import pytest
from children import ENDLESS
from conftest import Connect, CountCallbacks, Measure, Note, Run
from remains import HANGING, check_nothing_is_left_outside, holdings


async def made(connection: aioturso.Connection[Any]) -> aioturso.Connection[Any]:
    await connection
    await connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    return connection


@pytest.mark.parametrize("work", ["pending", "running"])
def test_closed_with_work_under_way(path: str, connect: Connect, run: Run, work: str) -> None:
    """Bugs: the worker dies of the result that it cannot deliver; it waits for ever, with the database open; what was
    called before is not done."""
    before = holdings()
    run(_closed(run(made(connect(path)))))
    # Until the loop is closed, no write gets further than its wait for this one's lock.
    with contextlib.closing(aioturso.lib.connect(path, isolation_level=None)) as writing:
        writing.execute("BEGIN IMMEDIATE")

        async def leave() -> aioturso.Connection[Any]:
            connection = await connect(path)
            calls = [connection.execute("INSERT INTO t VALUES (?)", (number,)) for number in range(50)]
            committing = connection.commit()
            if work == "running":
                await asyncio.sleep(0.02)
            del calls, committing
            return connection

        connection = run(leave())
    check_nothing_is_left_outside(before)

    async def look() -> None:
        with pytest.raises(aioturso.ProgrammingError, match="loop was closed"):
            await asyncio.wait_for(connection.commit(), HANGING)
        await asyncio.wait_for(connection.close(), HANGING)
        async with connect(path) as other:
            assert await other.execute_fetchall("SELECT count(*) FROM t") == [(50,)]

    run(look())


@pytest.mark.parametrize("work", ["queued", "running"])
def test_cancelled_before_its_loop_is_closed(path: str, connect: Connect, run: Run, work: str) -> None:
    """Bug: nobody waits for that call any more, and yet it closes the connection that other loops go on with."""
    connection = run(made(connect(path, isolation_level=None)))
    released = threading.Event()
    if work == "queued":
        # Until then, the thread does nothing else.
        connection._worker.queue.put_nowait((None, released.wait))

    async def cancel() -> None:
        call = asyncio.ensure_future(connection.execute(ENDLESS))
        await asyncio.sleep(0 if work == "queued" else 0.02)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)

    run(cancel())
    released.set()

    async def go_on() -> None:
        # The first call comes behind that one in the queue, but may be put in before that one is over.
        for number in range(3):
            await asyncio.wait_for(connection.execute("INSERT INTO t VALUES (?)", (number,)), HANGING)
        assert await count(connection) == 3
        await connection.close()

    run(go_on())


def test_closed_with_an_endless_query_running(path: str, connect: Connect, run: Run) -> None:
    """Bug: nobody can end it any more, and its thread uses up a processor until the process ends."""
    before = holdings()

    async def leave() -> aioturso.Connection[Any]:
        connection = await made(connect(path))
        connection.execute(ENDLESS)
        await asyncio.sleep(0.02)
        return connection

    connection = run(leave())
    run(connection.interrupt())
    run(asyncio.wait_for(_closed(connection), HANGING))
    check_nothing_is_left_outside(before)


async def _closed(connection: aioturso.Connection[Any]) -> None:
    await connection.close()


def test_made_outside_of_a_loop(path: str, connect: Connect, run: Run) -> None:
    """Bug: a connection takes the loop, or the lack of one, of the place where it was made."""
    connection = connect(path)

    async def use() -> None:
        async with connection:
            assert await connection.execute_fetchall("SELECT 1") == [(1,)]

    run(use())


def test_used_from_one_loop_after_the_other(path: str, connect: Connect, run: Run) -> None:
    """Bug: a connection belongs to the loop that opened it, and a second `asyncio.run` cannot even close it."""
    connection = run(made(connect(path)))

    async def use(number: int) -> int:
        cursor = await connection.execute("INSERT INTO t VALUES (?)", (number,))
        await connection.commit()
        return len(list(await connection.execute_fetchall("SELECT a FROM t"))) - int(cursor.rowcount)

    assert [run(use(number)) for number in range(20)] == list(range(20))
    run(_closed(connection))


class WatchesNothing(asyncio.SelectorEventLoop):
    """A loop that watches no descriptors, as the one of Windows with completion ports."""

    def add_reader(self, *_arguments: object) -> None:  # type: ignore[override]
        raise NotImplementedError


@pytest.mark.parametrize("first", ["this one", "another"])
def test_a_loop_that_watches_no_descriptors(path: str, connect: Connect, run: Run, first: str) -> None:
    """Bugs: the worker cannot tell such a loop of a result, and the first call on it never ends; it tells it in the wrong
    thread."""

    async def use(connection: aioturso.Connection[Any]) -> None:
        cursor = await connection.execute("SELECT value FROM generate_series(1, 1000)")
        assert [row async for row in cursor] == [(value,) for value in range(1, 1001)]
        slow = asyncio.ensure_future(connection.execute(ENDLESS))
        await asyncio.sleep(0.01)
        slow.cancel()
        assert await asyncio.wait_for(connection.execute_fetchall("SELECT 1"), HANGING) == [(1,)]
        with pytest.raises(aioturso.OperationalError, match="no such table"):
            await connection.execute("SELECT * FROM missing")

    async def open_and_use() -> aioturso.Connection[Any]:
        connection = await made(connect(path))
        await use(connection)
        return connection

    loop = WatchesNothing()
    try:
        if first == "this one":
            connection = loop.run_until_complete(open_and_use())
            # The thread of the native queue has no other way to tell a loop without taking the GIL.
            assert not connection._worker.queue.is_native
        else:
            connection = run(open_and_use())
            loop.run_until_complete(use(connection))
        loop.run_until_complete(asyncio.wait_for(_closed(connection), HANGING))
    finally:
        loop.close()


async def count(connection: aioturso.Connection[Any]) -> int:
    [(rows,)] = await connection.execute_fetchall("SELECT count(*) FROM t")
    return int(rows)


def test_used_from_two_loops_at_once(path: str, connect: Connect, run: Run, note: Note) -> None:
    """Bug: a result that is delivered in the thread of another loop, or to another caller."""
    connection = run(made(connect(path, isolation_level=None)))
    errors: list[BaseException] = []
    answers = [0, 0]

    def use(first: int) -> None:
        async def ask() -> None:
            thread = threading.get_ident()
            for number in range(first, 1000, 2):
                cursor = await connection.execute("SELECT value + ? FROM generate_series(0, 99)", (number,))
                assert threading.get_ident() == thread
                assert await cursor.fetchone() == (number,)
                assert await cursor.fetchmany(80) == [(number + value,) for value in range(1, 81)]
                assert await cursor.fetchall() == [(number + value,) for value in range(81, 100)]
                await connection.execute("INSERT INTO t VALUES (?)", (number,))
                assert await connection.execute_fetchall("SELECT ?", (number,)) == [(number,)]
                assert threading.get_ident() == thread
                answers[first] += 1
                if number % 25 == first:
                    slow = asyncio.ensure_future(connection.execute(ENDLESS))
                    await asyncio.sleep(0)
                    slow.cancel()
                    await asyncio.gather(slow, return_exceptions=True)

        try:
            run(ask())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=use, args=(first,), daemon=True) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANGING)
    note(f"{sum(answers)} answers")
    assert (errors, answers) == ([], [500, 500])
    assert run(count(connection)) == 1000
    run(_closed(connection))


ROWS = 300_000

READS: dict[str, Callable[[aioturso.Connection[Any], str], Awaitable[list[Any]]]] = {}


def reads(way: Callable[[aioturso.Connection[Any], str], Awaitable[list[Any]]]) -> Any:
    READS[way.__name__] = way
    return way


@reads
async def fetchall(connection: aioturso.Connection[Any], sql: str) -> list[Any]:
    return await (await connection.execute(sql)).fetchall()


@reads
async def fetchmany(connection: aioturso.Connection[Any], sql: str) -> list[Any]:
    return await (await connection.execute(sql)).fetchmany(ROWS)


@reads
async def iteration(connection: aioturso.Connection[Any], sql: str) -> list[Any]:
    return [row async for row in await connection.execute(sql)]


@reads
async def execute_fetchall(connection: aioturso.Connection[Any], sql: str) -> list[Any]:
    return list(await connection.execute_fetchall(sql))


@pytest.mark.parametrize("way", READS)
def test_the_loop_goes_on_while_rows_are_read(
    path: str, connect: Connect, count_callbacks: CountCallbacks, worker_name: str, note: Note, way: str
) -> None:
    """Bug: all rows are made in the thread of the loop, in one go, and nothing else runs there for so long."""
    made: list[int] = []
    used: list[float] = []

    def measure(callback: Callable[[], object]) -> None:
        began, before = time.thread_time(), sys.getallocatedblocks()
        callback()
        made.append(sys.getallocatedblocks() - before)
        used.append(time.thread_time() - began)

    async def read() -> tuple[float, float]:
        async with connect(path) as connection:
            whole = time.process_time()
            reading = asyncio.ensure_future(
                READS[way](connection, f"SELECT value, 'text' FROM generate_series(1, {ROWS})")
            )
            measuring.append(measure)
            longest, before = 0.0, time.thread_time()
            while not reading.done():
                await asyncio.sleep(0)
                now = time.thread_time()
                longest, before = max(longest, now - before), now
            measuring.clear()
            assert len(await reading) == ROWS
            return longest, time.process_time() - whole

    measuring: list[Measure] = []
    turn, whole = count_callbacks(read(), measuring)
    # A row is a tuple and a number at least. A callback that lasts for a third of a millisecond makes a few thousand.
    most, longest = max(made, default=0) // 2, max(used, default=0.0) * 1000
    if made:
        note(f"{len(made)} callbacks, at most {most} rows and {longest:.1f} ms of the processor in one")
    note(f"a turn of the loop takes at most {turn * 1000:.1f} ms of the processor, of {whole * 1000:.0f} ms")
    assert most < ROWS / 10
    if worker_name == "native queue" and way in ("fetchall", "fetchmany"):
        assert sum(made) // 2 > ROWS * 0.9, "the rows were made elsewhere"
    assert turn < whole / 3


def test_dropped_behind_a_closed_loop(path: str, connect: Connect, run: Run) -> None:
    """Bug: the finalizer needs the loop, and the thread stays."""
    before = holdings()
    connection = run(made(connect(path)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del connection
        gc.collect()
    assert [warning.category for warning in caught] == [ResourceWarning]
    check_nothing_is_left_outside(before)
