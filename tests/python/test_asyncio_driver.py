"""What the asyncio driver promises and aiosqlite does not, or not in the same way."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import threading
import warnings
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import aioturso
import aioturso.lib
import pytest

InLoop = Callable[[Coroutine[Any, Any, None]], None]


async def filled(path: str, rows: int) -> aioturso.Connection:
    connection = await aioturso.connect(path)
    await connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    await connection.executemany("INSERT INTO t VALUES (?, ?)", [(number, f"row {number}") for number in range(rows)])
    await connection.commit()
    return connection


def test_connect_makes_nothing_until_it_is_awaited(path: str) -> None:
    """No thread, no file, and no warning for a connection that never was."""
    threads = threading.active_count()
    connection = aioturso.connect(path)
    assert threading.active_count() == threads
    assert not os.path.exists(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del connection
        gc.collect()


def test_a_connection_made_outside_of_a_loop_works_in_two_loops(path: str, run_in_loop: InLoop) -> None:
    """Each future belongs to the loop in which its call was made."""
    connection = aioturso.connect(path)

    async def first() -> None:
        await connection
        await connection.execute("CREATE TABLE t (a)")

    async def second() -> None:
        await connection.execute("INSERT INTO t VALUES (1)")
        assert await connection.execute_fetchall("SELECT a FROM t") == [(1,)]
        await connection.close()

    run_in_loop(first())
    run_in_loop(second())


async def test_awaiting_again_gives_the_same_connection(path: str) -> None:
    connection = aioturso.connect(path)
    assert await connection is connection
    assert await connection is connection
    async with connection as entered:
        assert entered is connection


async def test_a_failed_open_leaves_neither_thread_nor_file(tmp_path: Path) -> None:
    for _ in range(10):
        with pytest.raises(aioturso.OperationalError):
            await aioturso.connect(tmp_path / "nowhere" / "test.db")
    assert list(tmp_path.iterdir()) == []


async def test_calls_are_queued_when_they_are_made(path: str) -> None:
    """Not when they are awaited: the inserts run before the commit, whoever is awaited first."""
    async with await filled(path, 0) as connection:
        inserts = [connection.execute("INSERT INTO t VALUES (?, ?)", (number, "x")) for number in range(5)]
        await asyncio.create_task(connection.commit())
        assert not connection.in_transaction
        async with aioturso.connect(path) as other:
            assert await other.execute_fetchall("SELECT count(*) FROM t") == [(5,)]
        for insert in inserts:
            assert (await insert).rowcount == 1


async def test_calls_are_coroutines_for_tasks(path: str) -> None:
    """`asyncio.create_task` takes coroutines only: a future or an awaitable of another kind is a TypeError."""
    connection = await filled(path, 3)
    cursor = await connection.execute("SELECT a FROM t ORDER BY a")
    assert await asyncio.create_task(cursor.fetchone()) == (0,)
    assert await asyncio.create_task(cursor.fetchall()) == [(1,), (2,)]
    await asyncio.create_task(connection.commit())
    await asyncio.create_task(connection.close())


async def test_execute_is_awaited_and_entered_alike(path: str) -> None:
    async with await filled(path, 3) as connection:
        cursor = await connection.execute("SELECT a FROM t ORDER BY a")
        assert isinstance(cursor, aioturso.Cursor)
        assert [row async for row in cursor] == [(0,), (1,), (2,)]
        async with connection.execute("SELECT b FROM t WHERE a = ?", (1,)) as entered:
            assert isinstance(entered, aioturso.Cursor)
            assert await entered.fetchone() == ("row 1",)
        with pytest.raises(aioturso.ProgrammingError):
            await entered.fetchone()
        plain = connection.cursor()
        assert await plain.execute("SELECT 1") is plain
        assert await plain is plain


async def test_an_error_in_execute_reaches_the_one_who_awaits_it(path: str) -> None:
    async with await filled(path, 0) as connection:
        with pytest.raises(aioturso.OperationalError):
            await connection.execute("SELECT * FROM nowhere")
        with pytest.raises(aioturso.OperationalError):
            async with connection.execute("SELECT * FROM nowhere"):
                pytest.fail("entered in spite of the error")
        assert await connection.execute_fetchall("SELECT 1") == [(1,)]


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 1000])
async def test_reading_ahead_is_invisible(path: str, rows: int) -> None:
    """aiosqlite loses up to 63 rows when an iteration is broken off and resumed."""
    async with await filled(path, rows) as connection:
        for stop in (0, 1, 5, 64, 500):
            cursor = await connection.execute("SELECT a FROM t ORDER BY a")
            seen = []
            async for (number,) in cursor:
                seen.append(number)
                if len(seen) > stop:
                    break
            if row := await cursor.fetchone():
                seen.extend(row)
            seen.extend(number for (number,) in await cursor.fetchmany(7))
            async for (number,) in cursor:
                seen.append(number)
                break
            seen.extend(number for (number,) in await cursor.fetchall())
            assert seen == list(range(rows))
            assert await cursor.fetchone() is None
            await cursor.close()


async def test_a_cursor_that_runs_again_forgets_the_rows_read_ahead(path: str) -> None:
    async with await filled(path, 500) as connection:
        cursor = await connection.execute("SELECT a FROM t ORDER BY a")
        assert await cursor.fetchmany(3) == [(0,), (1,), (2,)]
        await cursor.execute("SELECT b FROM t WHERE a = 400")
        assert await cursor.fetchall() == [("row 400",)]


async def test_an_error_at_a_row_is_raised_where_sqlite3_raises_it(path: str) -> None:
    """Not earlier, because it came with the chunk: the rows before it are delivered first."""
    query = "SELECT a, json_extract(CASE a WHEN 50 THEN 'not json' ELSE '{}' END, '$.x') FROM t ORDER BY a"
    async with await filled(path, 100) as connection:
        seen = []
        with pytest.raises(aioturso.OperationalError):
            async for row in await connection.execute(query):
                seen.append(row[0])
    expected = []
    with closing(sqlite3.connect(path)) as reference, pytest.raises(sqlite3.OperationalError):
        for row in reference.execute(query):
            expected.append(row[0])
    assert seen == expected != []


async def test_children_are_wrapped(path: str) -> None:
    """The published driver hands out its blocking objects from the asyncio side."""
    async with aioturso.connect(path) as connection:
        for cursor in (connection.cursor(), await connection.execute("SELECT 1"), await connection.cursor()):
            assert type(cursor) is aioturso.Cursor
            assert cursor.connection is connection
            await cursor.close()


async def test_setters_refuse_a_bad_value_at_once_and_read_back(path: str) -> None:
    """The published driver swallows the error of a setter."""
    async with await filled(path, 0) as connection:
        level = connection.isolation_level
        with pytest.raises(ValueError):
            connection.isolation_level = "BOGUS"  # type: ignore[assignment]
        assert connection.isolation_level == level
        connection.isolation_level = None
        assert connection.isolation_level is None
        await connection.execute("INSERT INTO t VALUES (1, 'x')")
        assert not connection.in_transaction


async def test_setters_are_applied_in_the_order_of_the_queue(path: str) -> None:
    """A call that was made before an assignment does not see it, one that was made behind it does."""
    async with await filled(path, 1) as connection:
        before = connection.execute_fetchall("SELECT b FROM t")
        connection.text_factory = bytes
        behind = connection.execute_fetchall("SELECT b FROM t")
        assert await before == [("row 0",)]
        assert await behind == [(b"row 0",)]


async def test_close_waits_for_the_thread_and_runs_what_was_queued(path: str) -> None:
    threads = threading.active_count()
    connection = await filled(path, 0)
    inserted = connection.execute("INSERT INTO t VALUES (1, 'x')")
    committed = asyncio.ensure_future(connection.commit())
    await connection.close()
    assert threading.active_count() == threads
    await inserted
    await committed
    async with aioturso.connect(path) as other:
        assert await other.execute_fetchall("SELECT a FROM t") == [(1,)]


async def test_two_tasks_close_at_once(path: str) -> None:
    """With aiosqlite the second hangs for ever."""
    async with await filled(path, 0) as connection:
        await asyncio.gather(connection.close(), connection.close())


async def test_a_call_on_a_closed_connection_says_so(path: str) -> None:
    """SQLAlchemy looks for the ValueError, PEP 249 wants the ProgrammingError."""
    connection = await filled(path, 1)
    cursor = await connection.execute("SELECT * FROM t")
    await connection.close()
    for call in (connection.commit, connection.rollback, cursor.fetchone, cursor.fetchall):
        with pytest.raises(aioturso.ProgrammingError) as closed:
            await call()
        assert isinstance(closed.value, ValueError)
        assert "no active connection" in str(closed.value)
    with pytest.raises(aioturso.ProgrammingError):
        await connection.execute("SELECT 1")


async def test_a_connection_that_is_dropped_warns_and_ends_its_thread(path: str) -> None:
    connection = await filled(path, 0)
    with pytest.warns(ResourceWarning):
        del connection
        gc.collect()


SLOW = "SELECT count(*) FROM t AS x, t AS y, t AS z"
"""Over a thousand rows: far longer than any test may take, unless it is interrupted."""


async def test_a_cancelled_call_that_has_not_begun_does_not_run(path: str) -> None:
    """With aiosqlite it runs all the same."""
    async with await filled(path, 1000) as connection:
        slow = asyncio.ensure_future(connection.execute_fetchall(SLOW))
        insert = asyncio.ensure_future(connection.execute_insert("INSERT INTO t VALUES (1000, 'x')"))
        await asyncio.sleep(0.05)
        insert.cancel()
        slow.cancel()
        for call in (insert, slow):
            with pytest.raises(asyncio.CancelledError):
                await call
        assert await connection.execute_fetchall("SELECT count(*) FROM t") == [(1000,)]


async def test_a_running_call_that_is_cancelled_is_interrupted(path: str) -> None:
    """The next call does not wait for it to end by itself: with the published drivers it does."""
    async with await filled(path, 1000) as connection:
        for _ in range(3):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(connection.execute_fetchall(SLOW), 0.05)
            assert await asyncio.wait_for(connection.execute_fetchall("SELECT 1"), 5) == [(1,)]


async def test_interrupt_ends_what_runs(path: str) -> None:
    async with await filled(path, 1000) as connection:
        slow = asyncio.ensure_future(connection.execute_fetchall(SLOW))
        await asyncio.sleep(0.05)
        await connection.interrupt()
        with pytest.raises(aioturso.OperationalError):
            await slow


async def fails_to_run(cursor: aioturso.Cursor) -> None:
    await cursor.execute("gibberish")


async def fails_in_the_middle(cursor: aioturso.Cursor) -> None:
    await cursor.executemany("INSERT INTO t (b) VALUES (?)", [("one",), b"no parameters"])


async def fails_in_a_task(cursor: aioturso.Cursor) -> None:
    await asyncio.create_task(cursor.execute("gibberish"))


async def fails_to_read(cursor: aioturso.Cursor) -> None:
    await cursor.execute("SELECT json(CASE a WHEN 5 THEN '{' ELSE '1' END) FROM t ORDER BY a")
    await cursor.fetchall()


@pytest.mark.parametrize("fails", [fails_to_run, fails_in_the_middle, fails_in_a_task, fails_to_read])
async def test_an_error_that_is_gone_holds_no_cursor(path: str, fails: Callable[[Any], Any]) -> None:
    """Guards the frames that an error came through: where they have the error in turn, a cursor that the program dropped while it was
    half read stands in the way of others until the garbage collector comes."""
    connection = await filled(path, 10)
    gc.disable()
    try:
        cursor = await connection.cursor()
        cursor.iter_chunk_size = 1
        with pytest.raises(aioturso.Error):
            await fails(cursor)
        await connection.rollback()
        await cursor.execute("SELECT a FROM t ORDER BY a")
        del cursor
        await connection.execute("SELECT 1")
        await connection.execute("DROP TABLE t")
    finally:
        gc.enable()
        await connection.close()
