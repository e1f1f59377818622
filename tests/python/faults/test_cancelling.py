"""Cancelling: the call that is cancelled ends, whatever it was doing, and no other call notices."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
import sqlite3
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import aioturso
import aioturso.lib
import pytest
from children import ENDLESS
from conftest import Connect, Note
from remains import HANGING, THOROUGHNESS

ROUNDS = int(600 * THOROUGHNESS)
WRITTEN_AT_ONCE = 100
WRITE = f"INSERT INTO written SELECT ?, value FROM generate_series(1, {WRITTEN_AT_ONCE})"
ENDLESS_WRITE = "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n) INSERT INTO t SELECT i FROM n"

LONG_READ = "SELECT value FROM generate_series(1, 1000000000000)"
Connection = aioturso.Connection[Any]

INTERRUPTED_WITHIN = 0.05
"""Seconds in which an interrupted call makes room for the next: the median of several trials. They are those of the processor,
which such a call keeps busy until it ends; on a machine that is busy with something else, more time passes than that."""


class Victim:
    """A call of one of these kinds, which is cancelled, and what it was doing at that moment."""

    def __init__(self, number: int, kind: str) -> None:
        self.number = number
        self.kind = kind

    async def make(self, connection: Connection) -> aioturso.Cursor[Any] | None:
        """What has to be there before the call, in which nothing else may come to lie behind another one."""
        return await connection.execute(LONG_READ) if self.kind in ("fetchall", "fetchmany") else None

    def start(self, connection: Connection, cursor: aioturso.Cursor[Any] | None) -> asyncio.Task[Any]:
        """Queues the call."""
        if cursor is not None:
            reads: dict[str, Callable[[], Awaitable[Any]]] = {
                "fetchall": cursor.fetchall,
                "fetchmany": lambda: cursor.fetchmany(10**9),
            }
            call: Awaitable[Any] = reads[self.kind]()
        elif self.kind == "query":
            call = connection.execute(ENDLESS)
        elif self.kind == "write":
            call = connection.execute(ENDLESS_WRITE)
        elif self.kind == "script":
            call = connection.executescript(ENDLESS_WRITE)
        elif self.kind == "insert":
            call = connection.execute(WRITE, (self.number,))
        else:
            rows = [(self.number, row) for row in range(WRITTEN_AT_ONCE)]
            call = connection.executemany("INSERT INTO written VALUES (?, ?)", rows)
        return asyncio.ensure_future(call)


ENDLESS_KINDS = ["query", "write", "script", "fetchall", "fetchmany"]
ENDING_KINDS = ["insert", "executemany"]


async def read_beside(connection: Connection, number: int, way: str) -> None:
    """Reads rows and looks whether they are right."""
    cursor = await connection.execute("SELECT value + ? FROM generate_series(1, 200)", (number,))
    expected = [(number + value,) for value in range(1, 201)]
    if way == "fetchone":
        assert await cursor.fetchone() == expected[0]
        assert await cursor.fetchone() == expected[1]
    elif way == "fetchmany":
        assert [*await cursor.fetchmany(150), *await cursor.fetchmany(150)] == expected
    elif way == "fetchall":
        assert await cursor.fetchall() == expected
    elif way == "iteration":
        assert [row async for row in cursor] == expected
    else:
        await connection.execute("INSERT INTO beside VALUES (?)", (number,))
    await cursor.close()


async def until_others_work(seconds: float) -> None:
    """Waits until other threads of this process have worked for so long: none does but one in which an endless call runs."""

    def worked() -> float:
        return time.process_time() - time.thread_time()

    end = worked() + seconds
    while worked() < end:
        await asyncio.sleep(0)


async def test_cancelled_at_random_points(path: str, connect: Connect, note: Note) -> None:
    """Bugs: a cancelled call that runs all the same; an interrupt that hits a neighbour; a result set on a finished
    future, which the loop's handler is told; half of a cancelled write."""
    connection = await connect(path, isolation_level=None)
    await connection.execute("PRAGMA synchronous = OFF")
    await connection.executescript("CREATE TABLE written (number, a); CREATE TABLE beside (a); CREATE TABLE t (a)")
    # An interrupt is made only while its call is the one that runs.
    interrupts: list[object] = []
    worker: Any = connection._worker
    interrupt = worker._interrupt
    worker._interrupt = lambda opened: (interrupts.append(opened), interrupt(opened))
    chance = random.Random(4)
    moments: Counter[str] = Counter()
    expected: dict[int, set[int]] = {}
    beside: list[int] = []
    for number in range(ROUNDS):
        moment = chance.choice(["queued", "running", "running", "completing"])
        kinds = {"queued": ENDLESS_KINDS + ENDING_KINDS, "running": ENDLESS_KINDS, "completing": ENDING_KINDS}
        victim = Victim(number, chance.choice(kinds[moment]))
        cursor = await victim.make(connection)
        blocker = asyncio.ensure_future(connection.execute(ENDLESS)) if moment == "queued" else None
        changes = connection.total_changes
        began = asyncio.Event()
        loop = asyncio.get_running_loop()
        beginning = connection._put(lambda began=began, loop=loop: loop.call_soon_threadsafe(began.set))
        task = victim.start(connection, cursor)
        ways = chance.sample(["fetchone", "fetchmany", "fetchall", "iteration", "write"], 2)
        after = [asyncio.ensure_future(read_beside(connection, number + place, way)) for place, way in enumerate(ways)]
        beside += [number + place for place, way in enumerate(ways) if way == "write"]
        if moment == "queued":
            await asyncio.sleep(chance.choice([0, 0, 0.0002]))
        else:
            await asyncio.wait_for(began.wait(), HANGING)
        if moment == "running":
            await asyncio.wait_for(until_others_work(chance.choice([0.0001, 0.0003, 0.001])), HANGING)
        elif moment == "completing":
            deadline = time.monotonic() + HANGING
            # The loop does not hear of it.
            while connection.total_changes < changes + WRITTEN_AT_ONCE and time.monotonic() < deadline:
                time.sleep(0)
        interrupts.clear()
        task.cancel()
        result = (await asyncio.gather(task, return_exceptions=True))[0]
        interrupted = bool(interrupts)
        if blocker is not None:
            assert not interrupted, "it was behind a call that never ends"
            blocker.cancel()
            await asyncio.gather(blocker, return_exceptions=True)
        await asyncio.wait_for(asyncio.gather(beginning, *after), HANGING)
        if moment == "completing" and not isinstance(result, asyncio.CancelledError):
            # The loop had heard of it in the round in which its task was to be cancelled.
            moment = "done"
        else:
            assert isinstance(result, asyncio.CancelledError), (moment, result)
        # A thread may not be as quick as this one.
        state = "queued" if moment == "running" and not interrupted else moment
        moments[state] += 1
        if victim.kind in ENDING_KINDS:
            # One that was about to end when the interrupt came is done, or undone, as a whole.
            written = 0 if moment == "queued" else WRITTEN_AT_ONCE
            expected[number] = {0, written} if interrupted else {written}
    counts = dict(await connection.execute_fetchall("SELECT number, count(*) FROM written GROUP BY number"))
    wrong = {number: counts.get(number, 0) for number in expected if counts.get(number, 0) not in expected[number]}
    assert wrong == {}
    assert await connection.execute_fetchall("SELECT count(*) FROM t") == [(0,)]
    rows = await connection.execute_fetchall("SELECT a FROM beside ORDER BY rowid")
    assert sorted(row for (row,) in rows) == sorted(beside)
    await connection.close()
    note(", ".join(f"{moments[state]} {state}" for state in ("queued", "running", "completing", "done")))
    assert moments["running"] >= ROUNDS / 5
    assert min(moments[state] for state in ("queued", "running", "completing")) > ROUNDS / 20, moments


def sqlite3_leaves(statement: str) -> tuple[bool, list[Any]]:
    """Whether sqlite3 is in a transaction, and what it has in the table, when a statement was interrupted."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    connection.execute("INSERT INTO t VALUES (1)")
    connection.commit()
    connection.execute("INSERT INTO t VALUES (2)")
    ended = threading.Event()

    def interrupt() -> None:
        # More than once: on a busy machine the first may come before the statement runs.
        while not ended.wait(0.05):
            connection.interrupt()

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    try:
        with pytest.raises(sqlite3.OperationalError):
            connection.execute(statement).fetchall()
    finally:
        ended.set()
        interrupting.join()
    left = connection.in_transaction, connection.execute("SELECT a FROM t ORDER BY a").fetchall()
    connection.close()
    return left


async def fetch(connection: aioturso.Connection[Any]) -> object:
    return await (await connection.execute(LONG_READ)).fetchall()


WORK: dict[str, Callable[[aioturso.Connection[Any]], Awaitable[object]]] = {
    "query": lambda connection: connection.execute_fetchall(ENDLESS),
    "query and fetch": lambda connection: connection.execute_fetchall(LONG_READ),
    "fetch": fetch,
    "write": lambda connection: connection.execute(ENDLESS_WRITE),
}


@pytest.mark.parametrize("way", ["wait_for", "timeout", "cancel"])
@pytest.mark.parametrize("work", WORK)
async def test_timed_out_in_a_transaction(
    path: str, connect: Connect, note: Note, caplog: pytest.LogCaptureFixture, way: str, work: str
) -> None:
    """Bugs: the next call waits until the one that timed out ends by itself; an interrupt finds a read of many chunks
    between two of them, and it reads on; part of a write stays and is committed; an exception that nobody asked for is
    logged."""
    if way == "timeout" and sys.version_info < (3, 11):
        pytest.skip("asyncio.timeout came with 3.11")
    caplog.set_level(logging.INFO)
    waits: list[float] = []
    used: list[float] = []
    expected = sqlite3_leaves(ENDLESS_WRITE if work == "write" else ENDLESS)
    for trial in range(7):
        connection = await connect(f"{path}-{trial}")
        await connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
        await connection.execute("INSERT INTO t VALUES (1)")
        await connection.commit()
        await connection.execute("INSERT INTO t VALUES (2)")
        if way == "wait_for":
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(WORK[work](connection), 0.05)
        elif way == "timeout":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):  # type: ignore[attr-defined, unused-ignore]
                    await WORK[work](connection)
        else:
            task = asyncio.ensure_future(WORK[work](connection))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        began, used_before = time.perf_counter(), time.process_time()
        await asyncio.wait_for(connection.execute("SELECT 1"), HANGING)
        waits.append(time.perf_counter() - began)
        used.append(time.process_time() - used_before)
        left = connection.in_transaction, await connection.execute_fetchall("SELECT a FROM t ORDER BY a")
        assert left == expected
        await connection.close()
    wait, processor = statistics.median(waits) * 1000, statistics.median(used) * 1000
    note(f"the next call after {wait:.1f} ms, {processor:.1f} ms of the processor")
    assert statistics.median(used) < INTERRUPTED_WITHIN, used
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


async def test_an_interrupt_of_a_long_read(path: str, connect: Connect) -> None:
    """Bug: an interrupt that comes between two chunks is lost, and the read goes on as if nobody had called."""
    async with connect(path) as connection:
        for size in (None, 10**9):
            for _ in range(5):
                cursor = await connection.execute(LONG_READ)
                reading = asyncio.ensure_future(cursor.fetchall() if size is None else cursor.fetchmany(size))
                await asyncio.sleep(0.02)
                await connection.interrupt()
                with pytest.raises(aioturso.OperationalError, match="interrupted"):
                    await asyncio.wait_for(reading, HANGING)
                assert await connection.execute_fetchall("SELECT 1") == [(1,)]


async def test_a_cancelled_read_loses_no_row(path: str, connect: Connect, note: Note) -> None:
    """Bug: rows that a cancelled read had taken are gone, and the iteration that goes on skips them."""
    connection = await connect(path)
    chance = random.Random(5)
    counts: Counter[str] = Counter()
    for _ in range(12):
        cursor = await connection.execute("SELECT value FROM generate_series(1, 1000)")
        seen: list[int] = []
        while True:
            task = asyncio.create_task(cursor.fetchmany(chance.choice([1, 10, 100])))
            for _ in range(chance.choice([0, 1, 2])):
                await asyncio.sleep(0)
            if chance.random() < 0.6:
                task.cancel()
            (rows,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(rows, asyncio.CancelledError):
                counts["cancelled"] += 1
                continue
            if isinstance(rows, aioturso.OperationalError) or not rows:
                # A read that was interrupted half way says so where its rows end.
                counts["interrupted" if rows else "read to the end"] += 1
                break
            assert isinstance(rows, list)
            seen.extend(value for (value,) in rows)
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) == 1000 or counts["interrupted"]
    await connection.close()
    note(", ".join(f"{count} {what}" for what, count in counts.items()))
    assert counts["cancelled"] > 50


READ_ON: dict[str, Callable[[aioturso.Cursor[Any]], Awaitable[list[Any]]]] = {
    "fetchall": lambda cursor: cursor.fetchall(),
    "fetchmany": lambda cursor: cursor.fetchmany(1_000_000),
    "iteration": lambda cursor: collect(cursor),
}


async def collect(cursor: aioturso.Cursor[Any]) -> list[Any]:
    return [row async for row in cursor]


@pytest.mark.parametrize("way", READ_ON)
async def test_a_read_that_is_given_up_when_it_has_run(path: str, connect: Connect, way: str) -> None:
    """Bug: rows are on their way to a read that nobody waits for any more, and the next read is made before they come back."""
    rows = [(value,) for value in range(1, 20_001)]
    async with connect(path) as connection:
        for size, turns in itertools.product((500, None), range(4)):
            cursor = await connection.execute("SELECT value FROM generate_series(1, 20000)")
            reading = cursor.fetchall() if size is None else cursor.fetchmany(size)
            # The thread has run it then, and the loop has not heard of it.
            time.sleep(0.1)
            for _ in range(turns):
                await asyncio.sleep(0)
            reading.close()
            assert await READ_ON[way](cursor) == rows


def run_to_the_end(looking: aioturso.lib.Connection, number: int) -> None:
    """Keeps the loop until that row is written, and its result on the way to the loop."""
    deadline = time.perf_counter() + HANGING
    while looking.execute("SELECT max(a) FROM t").fetchone() != (number,) and time.perf_counter() < deadline:
        time.sleep(0.0005)
    time.sleep(0.002)


async def test_results_that_are_there_already(path: str, connect: Connect, note: Note) -> None:
    """Bug: a result that is there when it is awaited is handed out without a turn of the loop, and so is the next, so that
    nothing else runs: no other task, no timeout, and nobody can cancel."""
    rounds = 60
    async with connect(path, isolation_level=None) as connection:
        await connection.execute("CREATE TABLE t (a INTEGER)")
        turns = 0

        async def count_turns() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        with contextlib.closing(aioturso.lib.connect(path)) as looking:
            counting = asyncio.ensure_future(count_turns())
            rounds_with_turns = 0
            for number in range(rounds):
                before = turns
                # The worker is awake when the second one comes.
                connection.execute("SELECT count(*) FROM generate_series(1, 100000)")
                call = connection.execute("INSERT INTO t VALUES (?)", (number,))
                run_to_the_end(looking, number)
                await call
                rounds_with_turns += turns > before
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
        note(f"turns of the loop in {rounds_with_turns} of {rounds} rounds")
        assert rounds_with_turns >= rounds / 3


async def test_endless_parameters_that_are_cancelled(path: str, connect: Connect, note: Note) -> None:
    """Bugs: an iterator is asked for more when nobody waits; what it had given before stays in the transaction, and is
    committed with the rest."""
    connection = await connect(path)
    await connection.execute("CREATE TABLE t (a INTEGER)")
    taken = itertools.count()
    for _ in range(20):
        await connection.execute("INSERT INTO t VALUES (-1)")
        feeding = connection.executemany("INSERT INTO t VALUES (?)", ((number,) for number in taken))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(feeding, 0.01)
        assert await connection.execute_fetchall("SELECT count(*) FROM t") == [(0,)]
        assert not connection.in_transaction
        await connection.commit()
    before = next(taken)
    await connection.execute("SELECT 1")
    assert next(taken) == before + 1
    await connection.close()
    note(f"{before} taken")


async def test_a_returning_that_is_broken_off_is_whole(path: str, connect: Connect) -> None:
    """Bug: of an INSERT only those rows are there whose RETURNING was read."""
    sql = "INSERT INTO t SELECT value FROM generate_series(1, 1000) RETURNING a"
    async with connect(path) as connection:
        await connection.execute("CREATE TABLE t (a INTEGER)")
        async for (value,) in await connection.execute(sql):
            assert value == 1
            break
        cursor = await connection.execute(sql)
        reading = asyncio.ensure_future(cursor.fetchall())
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert await connection.execute_fetchall("SELECT count(*) FROM t") == [(2000,)]


async def test_an_iteration_that_is_broken_off_goes_on(path: str, connect: Connect) -> None:
    """Bug: the rows of the chunk that was read ahead are lost with the iterator that held them."""
    async with connect(path) as connection:
        cursor = await connection.execute("SELECT value FROM generate_series(1, 1000)")
        seen: list[int] = []
        for turn in range(100):
            async for (value,) in cursor:
                seen.append(value)
                if len(seen) % 7 == 0:
                    break
            if turn % 3 == 0 and (row := await cursor.fetchone()) is not None:
                seen.append(row[0])
            seen.extend(value for (value,) in await cursor.fetchmany(2))
        seen.extend(value for (value,) in await cursor.fetchall())
        assert seen == list(range(1, 1001))


async def test_rows_read_ahead_end_with_their_result_set(path: str, connect: Connect) -> None:
    """Bug: what was read ahead of one statement is handed out as rows of the next."""
    async with connect(path) as connection:
        cursor = await connection.execute("SELECT value FROM generate_series(1, 1000)")
        assert await cursor.fetchone() == (1,)
        await cursor.execute("SELECT 'next'")
        assert await cursor.fetchall() == [("next",)]
        cursor = await connection.execute("SELECT value FROM generate_series(1, 1000)")
        await cursor.execute("CREATE TABLE t (a)")
        assert await cursor.fetchall() == []


SLOW_ROWS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
    SELECT i, (SELECT count(*) FROM generate_series(1, 5000 + i % 2)) FROM n
"""
"""A query that never ends, and each row of which takes a millisecond or more."""


@pytest.mark.parametrize("read", ["fetchall", "fetchmany"])
async def test_a_time_limit_counts_for_the_whole_of_a(connect: Connect, path: str, read: str) -> None:
    """Bugs: the limit begins anew with each chunk of rows, or with each row, so that a read of many never reaches it; the
    next call finds it used up."""
    connection = await connect(path)
    await connection.set_query_timeout(0.3)
    cursor = await connection.execute(SLOW_ROWS)
    call = cursor.fetchall() if read == "fetchall" else cursor.fetchmany(1_000_000)
    with pytest.raises(aioturso.OperationalError, match=r"query timeout of 0\.3 s"):
        await asyncio.wait_for(call, HANGING)
    assert await connection.execute_fetchall("SELECT 1") == [(1,)]
    await connection.close()


async def test_a_time_limit_does_not_count_for_an_iteration(connect: Connect, path: str) -> None:
    """Bug: the time counts from the first call on, and not from that for the rows which are wanted now."""
    connection = await connect(path, iter_chunk_size=1_000_000)
    await connection.set_query_timeout(1.0)
    begin, rows = time.monotonic(), 0
    async for _ in await connection.execute(SLOW_ROWS):
        rows += 1
        if time.monotonic() > begin + 2.0:
            break
    assert rows > 2
    await connection.close()
