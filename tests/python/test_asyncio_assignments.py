"""Properties that are assigned to: what is read back is what was assigned, or what the object has, and never a wish."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import aioturso
import pytest


async def reads_soon(read: Callable[[], object], wanted: object) -> None:
    """An assignment has no result to wait for: whether it was done shows in what is read."""
    for _ in range(1000):
        if read() == wanted:
            return
        await asyncio.sleep(0.001)
    assert read() == wanted


def test_an_assignment_outside_of_a_loop_takes_effect(path: str) -> None:
    """Bug: it needed a loop for a result that nobody awaits, raised, and the property read the new value all the same."""
    connection = aioturso.connect(path)

    async def opening() -> None:
        await connection

    async def reading() -> None:
        row = await (await connection.execute("SELECT 1 AS one")).fetchone()
        assert isinstance(row, aioturso.Row)
        assert row["one"] == 1
        await connection.close()

    asyncio.run(opening())
    connection.row_factory = aioturso.Row
    connection.isolation_level = None
    assert connection.row_factory is aioturso.Row
    asyncio.run(reading())


async def test_an_assignment_that_can_not_be_queued_is_not_read_back(path: str) -> None:
    """Bug: the value was noted before the queue refused it."""
    connection = aioturso.connect(path)
    with pytest.raises(aioturso.ProgrammingError, match="before it is used"):
        connection.row_factory = aioturso.Row
    async with connection:
        assert connection.row_factory is None
        cursor = await connection.cursor()
    with pytest.raises(aioturso.ProgrammingError, match="closed"):
        cursor.arraysize = 7
    assert cursor.arraysize == 1


async def test_a_cursor_that_could_not_be_made_forgets_what_is_assigned(path: str) -> None:
    """Bug: it read 7 for ever, and asyncio complained that nobody had looked at the error of the assignment."""
    async with aioturso.connect(path) as connection:
        cursor = connection.execute("SELECT bad")
        cursor.arraysize = 7
        cursor.row_factory = aioturso.Row
        with pytest.raises(aioturso.OperationalError, match="bad"):
            await cursor
        # Behind it, the assignments have had their turn.
        await connection.commit()
        assert cursor.arraysize == 1
        assert cursor.row_factory is None


async def test_an_assignment_to_a_closed_cursor_makes_no_noise(path: str) -> None:
    """Bug: asyncio complained of an error that nobody could have caught."""
    async with aioturso.connect(path) as connection:
        cursor = await connection.execute("SELECT 1")
        await cursor.close()
        cursor.row_factory = aioturso.Row
        cursor.arraysize = 7
        await connection.commit()
        assert cursor.arraysize == 1


async def test_an_assignment_keeps_its_place_behind_a_call_that_waits_for_a_transaction(path: str) -> None:
    """Bug: it overtook the call that makes the cursor, found none, and was lost."""
    async with aioturso.connect(path) as connection:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def in_transaction() -> None:
            async with connection.transaction():
                begun.set()
                await go_on.wait()

        async def beside() -> int:
            cursor = connection.execute("SELECT 1")
            cursor.arraysize = 7
            go_on.set()
            await cursor
            await connection.commit()
            return cursor.arraysize

        task = asyncio.create_task(in_transaction())
        await begun.wait()
        assert await asyncio.create_task(beside()) == 7
        await task


async def test_an_assignment_that_never_gets_its_turn_is_forgotten(path: str) -> None:
    """Bug: the connection closes while the assignment waits for a transaction, and the cursor reads 7 for ever."""
    connection = await aioturso.connect(path)
    cursor = await connection.cursor()
    begun = asyncio.Event()

    async def in_transaction() -> None:
        async with connection.transaction():
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(in_transaction())
    await begun.wait()
    cursor.arraysize = 7
    await connection.close()
    task.cancel()
    await asyncio.wait([task])
    await reads_soon(lambda: cursor.arraysize, 1)


@pytest.mark.parametrize("value", ["x", None, 1.5])
async def test_a_chunk_size_that_is_no_whole_number_is_refused_at_once(path: str, value: Any) -> None:
    """Bug: it was taken, and the first read of rows failed, in words about something else."""
    with pytest.raises(TypeError):
        aioturso.connect(path, iter_chunk_size=value)
    async with aioturso.connect(path) as connection:
        with pytest.raises(TypeError):
            connection.iter_chunk_size = value
        cursor = await connection.cursor()
        with pytest.raises(TypeError):
            cursor.iter_chunk_size = value
        assert connection.iter_chunk_size == cursor.iter_chunk_size == 64


@pytest.mark.parametrize("value", [0, -5])
async def test_a_chunk_size_below_one_is_refused_at_once(path: str, value: int) -> None:
    """Bug: 0 and -5 were taken."""
    with pytest.raises(ValueError, match="give 1 or more"):
        aioturso.connect(path, iter_chunk_size=value)
    async with aioturso.connect(path, iter_chunk_size=3) as connection:
        with pytest.raises(ValueError, match="give 1 or more"):
            connection.iter_chunk_size = value
        connection.iter_chunk_size = 2
        cursor = await connection.cursor()
        with pytest.raises(ValueError, match="give 1 or more"):
            cursor.iter_chunk_size = value
        assert connection.iter_chunk_size == cursor.iter_chunk_size == 2


@pytest.mark.parametrize("name", ["row_factory", "text_factory"])
async def test_a_factory_that_can_not_be_called_is_an_error_where_a_row_is_made(path: str, name: str) -> None:
    """sqlite3 takes anything at assignment, and so does this; the documentation says so."""
    same = sqlite3.connect(":memory:")
    setattr(same, name, 5)
    with pytest.raises(TypeError, match="not callable"):
        same.execute("SELECT 'a'").fetchone()
    same.close()
    async with aioturso.connect(path) as connection:
        setattr(connection, name, 5)
        assert getattr(connection, name) == 5
        with pytest.raises(TypeError, match="not callable"):
            await (await connection.execute("SELECT 'a'")).fetchone()


async def test_a_failed_open_has_no_thread_when_its_error_arrives(tmp_path: Any) -> None:
    """Bug: for more than half of two hundred, the thread was still there for a moment."""
    before = set(threading.enumerate())
    for _ in range(200):
        with pytest.raises(aioturso.OperationalError):
            await aioturso.connect(tmp_path / "nowhere" / "test.db")
        assert set(threading.enumerate()) <= before
