"""Blocks of tasks that are cancelled, at whatever point, and of connections that are closed meanwhile.

Each test names the bug that it guards against. What was committed is looked at through a second connection.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

import aioturso
import aioturso.lib
import pytest
from shared_connections import (
    ENDLESS,
    add,
    committed,
    is_at_rest,
    line_of,
    opened,
    rows_of,
    run_to_the_end,
    soon,
)

# Cancelling


async def test_a_cancelled_waiter_leaves_the_line(path: str) -> None:
    """Bugs: it runs all the same when its turn comes; it stays in the line and is never forgotten."""
    async with opened(path, isolation_level=None) as connection:
        entered = []

        async def block() -> None:
            async with connection.transaction():
                entered.append(True)

        async def own() -> None:
            async with connection.transaction():
                inside.set()
                await go_on.wait()
                await add(connection, 1)

        inside, go_on = asyncio.Event(), asyncio.Event()
        owner = asyncio.create_task(own())
        await inside.wait()
        cursor = connection.cursor()
        waiting = [
            asyncio.create_task(add(connection, 2)),
            asyncio.create_task(block()),
            asyncio.create_task(connection.execute_insert("INSERT INTO t VALUES (3)")),
            asyncio.create_task(add(connection, 4)),
        ]
        await soon(lambda: line_of(connection) == 5)
        for task in waiting[:3]:
            task.cancel()
        outcomes = await run_to_the_end(*waiting[:3])
        assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 3
        assert line_of(connection) == 2
        go_on.set()
        assert await run_to_the_end(owner, waiting[3]) == [None, None]
        await cursor
        assert entered == []
        assert committed(path) == [1, 4]


async def test_a_cancelled_begin_leaves_no_transaction(path: str) -> None:
    """Bugs: BEGIN has run, nobody is inside, and everybody waits; the undoing rolls back another's transaction."""
    async with opened(path) as connection:
        chance = random.Random(4)
        entered = 0
        for number in range(150):

            async def block() -> None:
                nonlocal entered
                async with connection.transaction("IMMEDIATE"):
                    entered += 1
                    await asyncio.sleep(0)

            task = asyncio.create_task(block())
            for _ in range(number % 4):
                await asyncio.sleep(0)
            if number % 4 == 3:
                # uvloop sleeps whole milliseconds.
                await asyncio.sleep(chance.random() / 400)
            task.cancel()
            follower = asyncio.create_task(rows_of(connection))
            await run_to_the_end(task)
            assert await asyncio.wait_for(follower, 5) == []
            assert not connection.in_transaction
        assert 0 < entered < 150
        assert await is_at_rest(connection)


async def test_a_cancelled_end_commits_all_or_nothing(path: str) -> None:
    """Bugs: the cancellation takes the COMMIT out of the queue and the transaction stays open; the end is interrupted and the
    connection stays the block's.
    """
    async with opened(path) as connection:
        await connection.execute("CREATE TABLE done (number)")
        await connection.commit()
        kept = set()
        for number in range(120):
            ending = asyncio.Event()

            async def block(number: int = number, ending: asyncio.Event = ending) -> None:
                async with connection.transaction():
                    await connection.execute("INSERT INTO t VALUES (?)", (number,))
                    await connection.execute("INSERT INTO done VALUES (?)", (number,))
                    ending.set()

            task = asyncio.create_task(block())
            await ending.wait()
            for _ in range(number % 3):
                await asyncio.sleep(0)
            task.cancel()
            (outcome,) = await run_to_the_end(task)
            if outcome is None:
                kept.add(number)
            await asyncio.wait_for(rows_of(connection), 5)
            assert not connection.in_transaction
        left = committed(path)
        assert kept <= set(left)
        assert await connection.execute_fetchall("SELECT number FROM done ORDER BY rowid") == [(n,) for n in left]


async def test_an_end_that_is_cancelled_before_its_turn_rolls_back(path: str) -> None:
    """Bug: the block was told that it is cancelled, and later it is committed."""
    async with opened(path) as connection:

        async def block() -> None:
            async with connection.transaction():
                await add(connection, 1)
                slow.append(asyncio.create_task(connection.execute_fetchall(ENDLESS)))
                await asyncio.sleep(0.02)
                leaving.set()

        slow: list[asyncio.Task[Any]] = []
        leaving = asyncio.Event()
        task = asyncio.create_task(block())
        await leaving.wait()
        await asyncio.sleep(0.02)
        task.cancel()
        (outcome,) = await run_to_the_end(task)
        assert isinstance(outcome, asyncio.CancelledError)
        slow[0].cancel()
        await run_to_the_end(slow[0])
        assert await rows_of(connection) == []
        assert not connection.in_transaction


async def test_a_coroutine_that_is_dropped_inside_rolls_back(path: str) -> None:
    """Bug: nobody leaves the block, and the connection is its own for ever."""
    async with opened(path) as connection:

        async def block() -> None:
            async with connection.transaction():
                await add(connection, 1)
                await asyncio.get_running_loop().create_future()

        coroutine = block()
        waits_for: Any = coroutine.send(None)
        for _ in range(2):
            await soon(waits_for.done)
            waits_for = coroutine.send(None)
        coroutine.close()
        assert await asyncio.wait_for(asyncio.create_task(rows_of(connection)), 5) == []
        assert not connection.in_transaction


# Closing


async def test_closing_ends_the_line(path: str) -> None:
    """Bugs: those who wait hang for ever; the block's end hangs, or says nothing of what was lost."""
    async with opened(path) as connection:
        inside, go_on = asyncio.Event(), asyncio.Event()

        async def own() -> None:
            async with connection.transaction():
                await add(connection, 1)
                inside.set()
                await go_on.wait()

        async def block() -> None:
            async with connection.transaction():
                raise AssertionError("inside of what is closed")

        owner = asyncio.create_task(own())
        await inside.wait()
        waiting = [asyncio.create_task(add(connection, 2)), asyncio.create_task(block())]
        await soon(lambda: line_of(connection) == 2)
        await asyncio.wait_for(connection.close(), 5)
        go_on.set()
        outcomes = await run_to_the_end(owner, *waiting)
        assert [type(outcome) for outcome in outcomes] == [aioturso.ClosedError] * 3
        assert committed(path) == []


async def test_closing_inside_lets_the_exception_out(path: str) -> None:
    """Bug: the block's own exception is replaced by one of the rollback, or the rollback hangs."""
    async with opened(path) as connection:
        with pytest.raises(ZeroDivisionError):
            async with connection.transaction():
                await add(connection, 1)
                await connection.close()
                raise ZeroDivisionError
        with pytest.raises(aioturso.ClosedError):
            async with connection.transaction():
                raise AssertionError("inside of what is closed")
    assert committed(path) == []
