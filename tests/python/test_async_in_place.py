"""Queries that the asyncio driver runs in the thread of the event loop, since they need no wait."""

import asyncio
import gc
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aioturso import Connection, connect
from aioturso.worker import Worker

QUERY = "SELECT id, name FROM item WHERE id = ?"
# Longer than anything takes here: what is not there by then never comes.
HANGING = 30


@asynccontextmanager
async def items(path: Path, **options: Any) -> AsyncGenerator[Connection[Any]]:
    """A connection with a hundred items, on which the query was run before."""
    with sqlite3.connect(path / "items.db") as plain:
        plain.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)")
        plain.executemany("INSERT INTO item VALUES (?, ?)", [(number, f"item {number}") for number in range(1, 101)])
    plain.close()
    async with connect(path / "items.db", **options) as connection:
        await select(connection, 1)
        yield connection


async def select(connection: Connection[Any], number: int) -> Any:
    async with await connection.execute(QUERY, (number,)) as cursor:
        return await cursor.fetchone()


def trips(connection: Connection[Any]) -> int:
    """How many times the connection's thread has gone to sleep."""
    worker: Worker[Any] = connection._worker
    if not worker.queue.is_native:
        pytest.skip("the worker in Python runs every query")
    assert worker._thread is not None
    status = Path(f"/proc/self/task/{worker._thread.native_id}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("voluntary_ctxt_switches")).split()[1])


async def trips_of_sleeper(connection: Connection[Any]) -> int:
    """The same, of a thread that sleeps until it is called."""
    before = -1
    while (now := trips(connection)) != before:
        before = now
        await asyncio.sleep(0.02)
    return now


needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system tells nothing of its threads")


@needs_proc
async def test_the_thread_is_not_asked(tmp_path: Path) -> None:
    """Bug: each query makes a trip to the connection's thread; or the first ones alone do not, until their ends pile up."""
    async with items(tmp_path) as connection:
        one = await connection.cursor()

        async def ask_in_three_ways() -> None:
            for number in range(1, 101):
                expected = (number, f"item {number}")
                assert await select(connection, number) == expected
                # This one is not closed.
                cursor = await connection.execute(QUERY, (number,))
                assert await cursor.fetchall() == [expected]
                del cursor
                await one.execute(QUERY, (number,))
                assert await one.fetchone() == expected

        # On a busy machine a query may be given up, since this thread had to wait for its processor.
        end = time.monotonic() + HANGING
        while time.monotonic() < end:
            before = await trips_of_sleeper(connection)
            await ask_in_three_ways()
            if await trips_of_sleeper(connection) == before:
                return
    pytest.fail("the thread had something to do each time")


@needs_proc
async def test_what_asks_python_is_for_the_thread(tmp_path: Path) -> None:
    """Bug: a row factory runs in the thread of the event loop for one query, and elsewhere for the next."""
    threads: set[str] = set()

    def note(cursor: object, row: tuple[Any, ...]) -> tuple[Any, ...]:
        threads.add(threading.current_thread().name)
        return row

    async with items(tmp_path) as connection:
        connection.row_factory = note
        for number in range(1, 10):
            assert await select(connection, number) == (number, f"item {number}")
    assert len(threads) == 1
    assert threading.current_thread().name not in threads


async def test_calls_run_in_the_order_in_which_they_are_made(tmp_path: Path) -> None:
    """Bug: a query overtakes what was queued before it."""
    holds, may_go = threading.Event(), threading.Event()

    def hold(cursor: object, row: tuple[Any, ...]) -> tuple[Any, ...]:
        holds.set()
        may_go.wait(HANGING)
        return row

    async with items(tmp_path) as connection:
        holder = await connection.cursor()
        holder.row_factory = hold
        held = asyncio.ensure_future(holder.execute(QUERY, (1,)))
        assert await asyncio.to_thread(holds.wait, HANGING)
        change = connection.execute("UPDATE item SET name = 'new' WHERE id = 7")
        asked = asyncio.ensure_future(select(connection, 7))
        await asyncio.sleep(0)
        may_go.set()
        assert await asked == (7, "new")
        await asyncio.gather(held, change)


async def test_a_task_that_only_asks_lets_others_have_their_turns(tmp_path: Path) -> None:
    """Bug: a task whose queries all run in place never gives the event loop a turn."""
    turns = 10
    async with items(tmp_path) as connection:
        asked, ended = 0, False

        async def end() -> None:
            nonlocal ended
            for _ in range(turns):
                await asyncio.sleep(0)
            ended = True

        async def ask() -> None:
            nonlocal asked
            while not ended:
                await select(connection, 1)
                asked += 1

        await asyncio.wait_for(asyncio.gather(ask(), end()), HANGING)
    # Sixteen calls before a turn, no more.
    assert asked <= 16 * (turns + 2)


async def test_a_cursor_has_the_rows_of_its_last_query(tmp_path: Path) -> None:
    """Bug: rows of the query before are handed out, or its columns."""
    async with items(tmp_path) as connection:
        cursor = await connection.execute("SELECT name FROM item ORDER BY id")
        assert await cursor.fetchone() == ("item 1",)
        await cursor.fetchall()
        await cursor.execute("SELECT name FROM item WHERE id > 97 ORDER BY id")
        assert await cursor.fetchone() == ("item 98",)
        for number in (3, 4):
            await cursor.execute(QUERY, (number,))
            assert cursor.description is not None
            assert [column[0] for column in cursor.description] == ["id", "name"]
            assert cursor.rowcount == -1
            assert await cursor.fetchone() == (number, f"item {number}")
            assert await cursor.fetchone() is None


async def test_no_more_rows_are_read_ahead_than_were_asked_for(tmp_path: Path) -> None:
    """Bug: rows are what they were when the query began, though one at a time is to be read."""
    query = "SELECT name FROM item WHERE id BETWEEN 1 AND 5 ORDER BY id"
    async with items(tmp_path, iter_chunk_size=1, isolation_level=None) as connection:
        for word in ("old", "new", "newest"):
            cursor = await connection.execute(query)
            assert await cursor.fetchone() is not None
            await connection.execute("UPDATE item SET name = ? WHERE id = 5", (word,))
            assert [name async for (name,) in cursor][-1] == word


async def test_in_the_transaction_of_another_task_a_query_waits(tmp_path: Path) -> None:
    """Bug: a query runs inside of a transaction that belongs to another task."""
    async with items(tmp_path) as connection:
        begun, asked = asyncio.Event(), asyncio.Event()

        async def change() -> None:
            async with connection.transaction():
                await connection.execute("UPDATE item SET name = 'half done' WHERE id = 1")
                begun.set()
                await asked.wait()
                await connection.execute("UPDATE item SET name = 'done' WHERE id = 1")

        async def ask() -> Any:
            await begun.wait()
            call = connection.execute(QUERY, (1,))
            asked.set()
            return await (await call).fetchone()

        changed = asyncio.ensure_future(change())
        assert await asyncio.wait_for(ask(), HANGING) == (1, "done")
        await changed


async def test_a_query_that_fails_raises_where_it_is_awaited(tmp_path: Path) -> None:
    """Bug: an error comes out of the call itself, or not at all."""
    async with items(tmp_path) as connection:
        call = connection.execute(QUERY, (1, 2))
        with pytest.raises(connection.ProgrammingError, match="Incorrect number of bindings"):
            await call
        assert await select(connection, 1) == (1, "item 1")
    refused = connection.execute(QUERY, (1,))
    with pytest.raises(connection.ProgrammingError):
        await refused


async def test_a_task_that_is_cancelled_before_it_begins(tmp_path: Path) -> None:
    """Bug: a query that ran where it was made has nobody to be cancelled, and what waits for it hangs or is told of an error."""
    async with items(tmp_path) as connection:
        for _ in range(20):
            task = asyncio.ensure_future(connection.execute(QUERY, (1,)))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert await select(connection, 1) == (1, "item 1")


async def test_objects_go_with_their_queries(tmp_path: Path) -> None:
    """Bug: a query that ran in place is referred to from somewhere, and nothing frees it."""

    def objects() -> list[object]:
        gc.collect()
        kinds = ("Cursor", "_CursorCalls", "Call", "NativeCall", "Steps")
        return [thing for thing in gc.get_objects() if type(thing).__name__ in kinds]

    async with items(tmp_path) as connection:
        # Other tests may have left some.
        before = objects()
        for number in range(1, 51):
            await select(connection, number)
        assert [thing for thing in objects() if not any(thing is other for other in before)] == []


async def test_from_two_event_loops(tmp_path: Path) -> None:
    """Bug: a query that runs in place in one thread meets one that runs in another."""
    async with items(tmp_path) as connection:

        async def ask(first: int) -> None:
            for number in range(first, first + 300):
                number = number % 100 + 1
                assert await select(connection, number) == (number, f"item {number}")

        def elsewhere() -> None:
            asyncio.run(ask(50))

        await asyncio.wait_for(asyncio.gather(asyncio.to_thread(elsewhere), ask(0), ask(25)), HANGING)
