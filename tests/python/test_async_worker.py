"""What the worker behind a connection owes when calls are cancelled and connections closed or dropped: each test names the
bug that it guards against. (The fault matrix in `faults/` tries the same harder, and longer.)"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import re
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import aioturso
import aioturso.lib
import pytest
from filled_databases import SLOW, filled, rows_of, threads_settle_at


async def test_a_task_that_is_cancelled_before_its_first_step_runs_nothing(path: str) -> None:
    """Bug: the call is queued when it is made, and nobody tells it that its task never began."""
    connection = await filled(path, 0)
    with contextlib.closing(aioturso.lib.connect(path, isolation_level=None)) as writing:
        # Until the tasks are cancelled, the one before them waits for this lock.
        writing.execute("BEGIN IMMEDIATE")
        blocker = connection.execute("INSERT INTO t VALUES (0)")
        tasks = [
            asyncio.create_task(connection.execute("INSERT INTO t VALUES (1)")),
            asyncio.create_task(connection.execute_insert("INSERT INTO t VALUES (2)")),
        ]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    await blocker
    assert [type(result) for result in await asyncio.gather(*tasks, return_exceptions=True)] == [
        asyncio.CancelledError,
        asyncio.CancelledError,
    ]
    assert await rows_of(connection) == [0]
    await connection.close()


async def test_a_call_runs_while_the_loop_stands_still(path: str) -> None:
    """Bug: the thread is woken for the calls of several tasks at once, behind the last of them, and one of these tasks keeps the
    loop until its call has run."""
    connection = await filled(path, 0)
    with contextlib.closing(aioturso.lib.connect(path, isolation_level=None)) as looking:

        def keep_loop_until_there_is(value: int) -> None:
            deadline = time.monotonic() + 30
            while looking.execute("SELECT 1 FROM t WHERE a = ?", (value,)).fetchone() is None:
                assert time.monotonic() < deadline, "the call did not run"
                time.sleep(0.0005)

        async def insert(number: int) -> None:
            for turn in range(10):
                call = connection.execute("INSERT INTO t VALUES (?)", (number * 100 + turn,))
                keep_loop_until_there_is(number * 100 + turn)
                # Both tasks go on together: their results come at once.
                await asyncio.gather(call, connection.execute("SELECT 1"))

        connection.isolation_level = None
        await asyncio.gather(insert(1), insert(2), insert(3))
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


async def test_an_interrupt_that_came_too_early_is_repeated() -> None:
    """Bug: a call that is cancelled in the moment before it reaches the engine runs to its end."""
    from aioturso._native import Call
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
    worker.cancel(Call(future, worker))
    await asyncio.wait_for(worker.close(), 10)
    count = len(interrupted)
    await asyncio.sleep(0.05)
    assert count == len(interrupted) == 3


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
    slow = asyncio.create_task(connection.execute_fetchall("SELECT count(*) FROM generate_series(1, 30000000)"))
    await asyncio.sleep(0)
    closing = asyncio.create_task(connection.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await asyncio.wait_for(connection.close(), 30)
    assert await slow == [(30000000,)]
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


# Dropping


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


async def test_a_cursor_goes_with_its_last_reference(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bug: the worker that has given it still holds it when the program goes on, on a busy machine, and with it the lock that
    its statement has: what comes next finds the database locked."""
    from aioturso import call_queue

    loop = asyncio.get_running_loop()
    tell = loop.call_soon_threadsafe

    def tell_and_dawdle(*arguments: Any, **settings: Any) -> asyncio.Handle:
        handle = tell(*arguments, **settings)
        time.sleep(0.05)
        return handle

    tell_native = call_queue.CallQueue.tell

    def tell_native_and_dawdle(*arguments: Any) -> bool:
        told: bool = tell_native(*arguments)
        time.sleep(0.05)
        return told

    monkeypatch.setattr(call_queue.CallQueue, "tell", tell_native_and_dawdle)
    connection = await filled(path, 3)
    # uvloop's can't be replaced.
    with contextlib.suppress(AttributeError):
        monkeypatch.setattr(loop, "call_soon_threadsafe", tell_and_dawdle)
    for _ in range(3):
        cursor = await connection.cursor()
        await cursor.execute("SELECT a FROM t")
        # The event loop itself holds what it has just given.
        await asyncio.sleep(0)
        dropped = weakref.ref(cursor)
        del cursor
        assert dropped() is None
    await connection.close()


def test_a_cursor_is_dropped_on_its_worker(path: str) -> None:
    """Bug: a half-read statement is ended by whichever thread drops the last reference to it."""
    from aioturso import call_queue

    discarded: list[str] = []
    original = call_queue.CallQueue.discard

    def discard(self: call_queue.CallQueue, drop: Callable[[], object]) -> None:
        original(self, lambda: (discarded.append(threading.current_thread().name), drop()))

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


async def test_whoever_closes_late_waits_for_the_end_of_the_thread_too(path: str) -> None:
    """Bug: a close that came when the database was closed and its thread had not ended came back at once: 1 of 20."""
    alive = 0
    for _ in range(100):
        connection = await aioturso.connect(path)
        (thread,) = (thread for thread in threading.enumerate() if thread.name.startswith("aioturso"))

        def close_in_a_loop_of_its_own(connection: Any = connection, thread: threading.Thread = thread) -> bool:
            asyncio.run(connection.close())
            return thread.is_alive()

        others = [asyncio.to_thread(close_in_a_loop_of_its_own) for _ in range(3)]
        alive += sum((await asyncio.gather(*others, connection.close()))[:3])
    assert alive == 0
