"""What the worker behind a connection owes, tried as the worst user would: each test names the bug that it guards against."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import re
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Awaitable
from typing import Any

import aioturso
import pytest

SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
"""Never ends by itself."""


async def filled(path: str, rows: int) -> aioturso.Connection:
    connection = await aioturso.connect(path)
    await connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    await connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(rows)])
    await connection.commit()
    return connection


async def threads_settle_at(count: int) -> None:
    for _ in range(500):
        if threading.active_count() == count:
            break
        await asyncio.sleep(0.01)
    assert threading.active_count() == count, threading.enumerate()


async def rows_of(connection: aioturso.Connection) -> list[int]:
    return [number for (number,) in await connection.execute_fetchall("SELECT a FROM t ORDER BY a")]


# Cancelling


async def test_a_task_that_is_cancelled_before_its_first_step_runs_nothing(path: str) -> None:
    """Bug: the call is queued when it is made, and nobody tells it that its task never began."""
    connection = await filled(path, 0)
    blocker = connection.execute("SELECT count(*) FROM generate_series(1, 300000)")
    tasks = [
        asyncio.create_task(connection.execute("INSERT INTO t VALUES (1)")),
        asyncio.create_task(connection.execute_insert("INSERT INTO t VALUES (2)")),
    ]
    for task in tasks:
        task.cancel()
    await blocker
    assert [type(result) for result in await asyncio.gather(*tasks, return_exceptions=True)] == [
        asyncio.CancelledError,
        asyncio.CancelledError,
    ]
    assert await rows_of(connection) == []
    await connection.close()


async def test_cancelling_one_call_leaves_those_beside_it_alone(path: str) -> None:
    """Bugs: an interrupt that hits the next call; a result that is set on a cancelled future."""
    connection = await filled(path, 3)
    chance = random.Random(1)
    seen = {"cancelled": 0, "done": 0}
    for _ in range(150):
        victim = asyncio.create_task(connection.execute_fetchall(SLOW if chance.random() < 0.5 else "SELECT a FROM t"))
        others = [asyncio.create_task(rows_of(connection)) for _ in range(3)]
        await asyncio.sleep(chance.choice([0, 0, 0.0002, 0.001]))
        victim.cancel()
        assert await asyncio.wait_for(asyncio.gather(*others), 10) == [[0, 1, 2]] * 3
        try:
            await victim
            seen["done"] += 1
        except asyncio.CancelledError:
            seen["cancelled"] += 1
    assert seen["cancelled"] > 50, seen
    await connection.close()


async def test_a_cancelled_read_gives_back_what_it_took(path: str) -> None:
    """Bug: the rows of a read that nobody waited for are lost, and an iteration that goes on skips them."""
    connection = await filled(path, 400)
    cursor = await connection.execute("SELECT a FROM t ORDER BY a")
    seen: list[int] = []
    chance = random.Random(2)
    while True:
        task = asyncio.create_task(cursor.fetchmany(chance.choice([1, 5, 70])))
        for _ in range(chance.choice([0, 0, 1, 2])):
            await asyncio.sleep(0)
        if chance.random() < 0.7:
            await asyncio.sleep(chance.choice([0, 0.0001, 0.0005]))
            task.cancel()
        try:
            rows = await task
        except asyncio.CancelledError:
            continue
        except aioturso.OperationalError:
            # The cancelled read was interrupted in the middle, and says so where the rows end.
            break
        if not rows:
            break
        seen.extend(number for (number,) in rows)
    assert seen == list(range(len(seen)))
    await connection.close()


async def test_an_open_that_is_cancelled_leaves_nothing_open(path: str) -> None:
    """Bug: the thread, and the database in it, of a connection that nobody has."""
    threads = threading.active_count()
    for pause in (None, 0, 0, 0.0005, 0.002) * 5:

        async def opening() -> aioturso.Connection:
            return await aioturso.connect(path)

        task = asyncio.create_task(opening())
        if pause is not None:
            await asyncio.sleep(pause)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await (await task).close()
    await threads_settle_at(threads)


# Closing


async def test_no_call_that_races_with_close_hangs(path: str) -> None:
    """Bug: an item behind the end of the queue. In the published driver half of these calls hang for ever."""
    connection = await filled(path, 10)
    outcomes = {"answered": 0, "refused": 0}

    async def keep_calling() -> None:
        while outcomes["refused"] < 200:
            try:
                await connection.execute("SELECT a FROM t")
                outcomes["answered"] += 1
            except aioturso.ProgrammingError:
                outcomes["refused"] += 1
                await asyncio.sleep(0)

    callers = [asyncio.create_task(keep_calling()) for _ in range(8)]
    await asyncio.sleep(0.02)
    await connection.close()
    await asyncio.wait_for(asyncio.gather(*callers), 10)
    assert outcomes["answered"] > 0


async def test_a_close_that_is_cancelled_goes_on(path: str) -> None:
    """Bug: it hangs when it is called again, or never ends the thread."""
    threads = threading.active_count()
    connection = await filled(path, 10)
    slow = asyncio.create_task(connection.execute_fetchall("SELECT count(*) FROM generate_series(1, 300000)"))
    await asyncio.sleep(0)
    closing = asyncio.create_task(connection.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await asyncio.wait_for(connection.close(), 30)
    assert await slow == [(300000,)]
    await threads_settle_at(threads)


async def test_close_may_be_called_without_being_awaited(path: str) -> None:
    """Bug: a coroutine that does nothing until it is awaited."""
    threads = threading.active_count()
    connection = await filled(path, 1)
    connection.close()
    with pytest.raises(aioturso.ProgrammingError):
        await connection.commit()
    await threads_settle_at(threads)


async def test_a_connection_that_was_never_opened_says_how_to_open_it(path: str) -> None:
    connection = aioturso.connect(path)
    with pytest.raises(ValueError, match=r"no active connection.*await it"):
        await connection.execute("SELECT 1")
    await connection.close()
    with pytest.raises(ValueError, match="no active connection"):
        await connection


# What a call raises


class Odd(BaseException):
    pass


@pytest.mark.parametrize(
    "raised",
    [ValueError, StopIteration, StopAsyncIteration, SystemExit, KeyboardInterrupt, asyncio.CancelledError, Odd],
)
def test_what_a_row_factory_raises_reaches_the_caller(path: str, raised: type[BaseException]) -> None:
    """Bugs: the worker dies of it, a future refuses StopIteration and its await hangs, or an iteration just ends."""

    def factory(_cursor: Any, _row: Any) -> None:
        raise raised("from the factory")

    async def program() -> None:
        async with aioturso.connect(path, row_factory=factory) as connection:
            for read in ("fetchone", "fetchall"):
                cursor = await connection.execute("SELECT 1")
                try:
                    await getattr(cursor, read)()
                    pytest.fail("it did not reach the caller")
                except BaseException as error:
                    outcome = error
                assert isinstance(outcome, raised) or isinstance(outcome.__cause__, raised), repr(outcome)
            cursor = await connection.execute("SELECT 1")
            try:
                async for _ in cursor:
                    pytest.fail("there is a row")
                pytest.fail("the iteration ended in silence")
            except BaseException as error:
                outcome = error
            assert isinstance(outcome, raised) or isinstance(outcome.__cause__, raised), repr(outcome)
            try:
                await connection.execute_fetchall("SELECT 1")
                pytest.fail("it did not reach the caller")
            except BaseException as error:
                outcome = error
            assert isinstance(outcome, raised) or isinstance(outcome.__cause__, raised), repr(outcome)
            connection.row_factory = None
            assert await connection.execute_fetchall("SELECT 2") == [(2,)]

    loop = asyncio.new_event_loop()
    try:
        # A SystemExit goes through the loop as well as to the caller.
        task = loop.create_task(program())
        while not task.done():
            try:
                loop.run_until_complete(asyncio.wait_for(asyncio.shield(task), 20))
            except (SystemExit, KeyboardInterrupt):
                continue
        task.result()
    finally:
        loop.close()


async def test_a_row_of_none_does_not_end_an_iteration(path: str) -> None:
    connection = await aioturso.connect(path, row_factory=lambda _cursor, _row: None)
    cursor = await connection.execute("SELECT value FROM generate_series(1, 100)")
    assert len([row async for row in cursor]) == 100
    await connection.close()


async def test_an_execute_that_nobody_awaited_fails_at_the_next_use(path: str) -> None:
    """Bugs: the error is swallowed, or the next use hangs, or says something else."""
    connection = await filled(path, 0)
    cursor = connection.execute("SELECT * FROM nowhere")
    for _ in range(2):
        with pytest.raises(aioturso.OperationalError, match="nowhere"):
            await cursor.fetchall()
    assert await connection.execute_fetchall("SELECT 1") == [(1,)]
    await connection.close()


async def test_a_cursor_is_usable_before_it_is_awaited(path: str) -> None:
    connection = await filled(path, 3)
    cursor = connection.cursor()
    assert (cursor.description, cursor.rowcount, cursor.lastrowid, cursor.arraysize) == (None, -1, None, 1)
    cursor.arraysize = 2
    cursor.execute("SELECT a FROM t ORDER BY a")
    assert cursor.arraysize == 2
    assert await cursor.fetchmany() == [(0,), (1,)]
    assert await cursor.fetchone() == (2,)
    assert await connection.execute("SELECT 7").fetchone() == (7,)
    await connection.close()


async def test_reads_that_are_not_awaited_in_order_are_answered_in_order(path: str) -> None:
    """A read takes its rows when it is called, not when it is awaited."""
    connection = await filled(path, 200)
    cursor = await connection.execute("SELECT a FROM t ORDER BY a")
    reads: list[Awaitable[Any]] = [cursor.fetchone(), cursor.fetchmany(100), cursor.fetchone(), cursor.fetchall()]
    last, third, second, first = [await read for read in reversed(reads)]
    assert (first, len(second), third, len(last)) == ((0,), 100, (101,), 98)
    await connection.close()


async def test_an_iteration_waits_for_what_was_called_before_it(path: str) -> None:
    """Bug: it goes on with the rows that were read ahead of a call that drops them."""
    connection = await filled(path, 200)
    cursor = await connection.execute("SELECT a FROM t ORDER BY a")
    assert await cursor.fetchone() == (0,)
    cursor.execute("SELECT a FROM t WHERE a > 197 ORDER BY a")
    assert [row async for row in cursor] == [(198,), (199,)]
    await connection.close()


async def test_an_execute_that_fails_drops_the_rows_read_ahead(path: str) -> None:
    connection = await filled(path, 200)
    cursor = await connection.execute("SELECT a FROM t")
    with pytest.raises(aioturso.OperationalError):
        await cursor.execute("SELECT * FROM nowhere")
    assert await cursor.fetchall() == []
    await connection.close()


async def test_an_error_at_a_row_waits_for_those_before_it(path: str) -> None:
    """Bug: it is raised by the read that found it, and the rows in front of it are lost."""

    def factory(_cursor: Any, row: tuple[int]) -> int:
        return row[0] if row[0] != 3 else int("three")

    async with aioturso.connect(path, row_factory=factory) as connection:
        cursor = await connection.execute("SELECT value FROM generate_series(0, 9)")
        assert await cursor.fetchmany(2) == [0, 1]
        assert await cursor.fetchone() == 2
        with pytest.raises(ValueError, match="three"):
            await cursor.fetchone()


async def test_an_interrupt_that_came_too_early_is_repeated() -> None:
    """Bug: a call that is cancelled in the moment before it reaches the engine runs to its end."""
    from aioturso.worker import Worker

    interrupted: list[float] = []
    ended = threading.Event()

    def ignore_the_first_two(_: object) -> None:
        interrupted.append(time.monotonic())
        if len(interrupted) > 2:
            ended.set()

    worker = Worker("test", object, interrupt=ignore_the_first_two, closed_error=RuntimeError)
    await worker.start(worker)
    future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    worker.queue.put_nowait((future, lambda: ended.wait(20)))
    await asyncio.sleep(0.02)
    worker.cancel(future)
    await asyncio.wait_for(worker.close(), 10)
    count = len(interrupted)
    await asyncio.sleep(0.05)
    assert count == len(interrupted) == 3


# Event loops, threads, processes


def test_a_loop_that_is_closed_with_work_under_way_ends_the_worker(path: str) -> None:
    """Bug: the worker dies with the result that it cannot deliver, or waits for ever with the database open."""
    threads = threading.active_count()
    loop = asyncio.new_event_loop()

    async def leave_work() -> aioturso.Connection:
        connection = await filled(path, 0)
        connection.execute("SELECT count(*) FROM generate_series(1, 300000)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.commit()
        return connection

    connection = loop.run_until_complete(leave_work())
    loop.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asyncio.run(threads_settle_at(threads))

    async def look() -> None:
        with pytest.raises(aioturso.ProgrammingError, match="loop was closed"):
            await connection.commit()
        async with aioturso.connect(path) as other:
            assert await rows_of(other) == [1]

    asyncio.run(look())


def test_two_loops_in_two_threads_use_one_connection(path: str) -> None:
    """Bug: a result that is delivered to a loop of another thread."""
    connection = asyncio.run(filled(path, 0))
    errors: list[BaseException] = []

    def work(first: int) -> None:
        async def insert() -> None:
            for number in range(first, 200, 2):
                await connection.execute("INSERT INTO t VALUES (?)", (number,))
                assert (number,) in await connection.execute_fetchall("SELECT a FROM t")

        try:
            asyncio.run(insert())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []

    async def end() -> None:
        assert await rows_of(connection) == list(range(200))
        await connection.close()

    asyncio.run(end())


async def test_a_call_from_the_workers_own_thread_is_refused(path: str) -> None:
    """Bug: a callback that calls back waits for itself. It gets an error instead, and so does the caller."""
    connection = await filled(path, 1)

    def factory(_cursor: Any, _row: Any) -> object:
        return connection.commit()

    connection.row_factory = factory
    with pytest.raises(RuntimeError):
        await asyncio.wait_for((await connection.execute("SELECT 1")).fetchone(), 5)
    connection.row_factory = None
    assert await rows_of(connection) == [0]
    await connection.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
async def test_a_forked_process_is_told_that_the_connection_is_not_its_own(path: str) -> None:
    """Bug: the child waits for a thread that it does not have."""
    connection = await filled(path, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:

        async def use() -> None:
            await connection.commit()

        status = 1
        try:
            asyncio.run(use())
        except aioturso.ProgrammingError as error:
            status = 0 if "forked" in str(error) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, child, 0))[1]) == 0
    assert await rows_of(connection) == [0]
    await connection.close()


EXITS = {
    "in a global": "connection = asyncio.run(opened())",
    "with a transaction open": """
        async def program():
            connection = await opened()
            await connection.execute("INSERT INTO t VALUES (2)")
            return connection
        connection = asyncio.run(program())
    """,
    "with a query running": """
        async def program():
            connection = await opened()
            connection.execute(SLOW)
            connection.execute("INSERT INTO t VALUES (2)")
            connection.commit()
            await asyncio.sleep(0.05)
            return connection
        connection = asyncio.run(program())
    """,
    "from inside of the loop": """
        async def program():
            connection = await opened()
            asyncio.create_task(connection.execute_fetchall(SLOW))
            await asyncio.sleep(0.05)
            await leaving()
            sys.exit(0)
        asyncio.run(program())
    """,
    "in the middle of an iteration": """
        async def program():
            global connection, cursor
            connection = await opened()
            cursor = await connection.execute("SELECT value FROM generate_series(1, 100000)")
            async for row in cursor:
                break
        asyncio.run(program())
    """,
}


@pytest.mark.parametrize("way", EXITS)
def test_a_process_that_forgets_to_close_exits_at_once(path: str, way: str) -> None:
    """Bugs: a thread that is waited for without end; a traceback at exit; a committed row that is lost."""
    program = f"""
import asyncio, sys, time, aioturso
SLOW = {SLOW!r}
async def opened():
    connection = await aioturso.connect({path!r})
    await connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    await connection.execute("INSERT INTO t VALUES (1)")
    await connection.commit()
    return connection
async def leaving():
    sys.stdout.write(str(time.time()))
    sys.stdout.flush()
{textwrap.dedent(EXITS[way])}
asyncio.run(leaving())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    left = time.time()
    assert (done.returncode, done.stderr) == (0, "")
    assert left - float(done.stdout) < 1.5
    assert os.path.getsize(f"{path}-wal") == 0, "the database was not closed"

    async def look() -> None:
        async with aioturso.connect(path) as connection:
            assert await rows_of(connection) == [1]

    asyncio.run(look())


async def test_dropped_connections_end_their_threads_and_say_so(path: str) -> None:
    """Bug: the thread keeps the connection alive, and so itself."""
    threads = threading.active_count()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(20):
            connection = await aioturso.connect(path)
            await connection.execute("SELECT 1")
            del connection
        gc.collect()
        await threads_settle_at(threads)
    assert [warning.category for warning in caught] == [ResourceWarning] * 20


async def test_arguments_and_results_are_dropped_in_the_loops_thread(path: str) -> None:
    """Bug: the worker is the last to hold them, so that their finalizers run in its thread."""
    dropped: set[int] = set()

    class Text(str):
        def __del__(self) -> None:
            dropped.add(threading.get_ident())

    connection = await aioturso.connect(path)
    for number in range(300):
        await connection.execute("SELECT ?", (Text(f"{number}"),))
    await connection.close()
    gc.collect()
    assert dropped == {threading.get_ident()}


def test_a_cursor_is_dropped_on_its_worker(path: str) -> None:
    """Bug: a half-read statement is ended by whichever thread drops the last reference to it."""
    from aioturso import call_queue

    discarded: list[str] = []
    original = call_queue.CallQueue.discard

    def discard(self: call_queue.CallQueue, thing: object) -> None:
        original(self, _Noting(thing, discarded))

    async def program() -> None:
        async with aioturso.connect(path) as connection:
            cursor = await connection.execute("SELECT value FROM generate_series(1, 1000)")
            del cursor
            await connection.execute("SELECT 1")

    call_queue.CallQueue.discard = discard  # type: ignore[method-assign]
    try:
        asyncio.run(program())
    finally:
        call_queue.CallQueue.discard = original  # type: ignore[method-assign]
    assert discarded and all(re.match(r"aioturso-\d+ test\.db", name) for name in discarded)


class _Noting:
    def __init__(self, thing: object, names: list[str]) -> None:
        self.thing = thing
        self.names = names

    def __del__(self) -> None:
        self.names.append(threading.current_thread().name)
