"""Tasks that share a connection: who is inside of a block, and who waits for its end.

Each test names the bug that it guards against. What was committed is looked at through a second connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import random
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aioturso
import aioturso.lib
import pytest
from shared_connections import (
    add,
    committed,
    is_at_rest,
    line_of,
    opened,
    rows_of,
    run_to_the_end,
    soon,
)

# Who is inside, and who waits


async def test_calls_of_others_wait_in_their_order(path: str) -> None:
    """Bugs: a statement of another task is committed, or rolled back, with the block's; the line is not first come, first
    served; a cursor's methods go past it.
    """
    async with opened(path, isolation_level=None) as connection:
        inside, done = asyncio.Event(), list[str]()
        cursor = await connection.cursor()

        async def own() -> None:
            async with connection.transaction():
                inside.set()
                await soon(lambda: line_of(connection) == 5)
                await add(connection, 1)
                assert await rows_of(connection) == [1]
                done.append("own")

        async def other(name: str, call: Callable[[], Awaitable[object]]) -> None:
            await call()
            done.append(name)

        async def block() -> None:
            async with connection.transaction():
                assert await rows_of(connection) == [1, 2, 3]
                await add(connection, 4)

        owner = asyncio.create_task(own())
        await inside.wait()
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "insert": lambda: connection.execute("INSERT INTO t VALUES (2)"),
            "cursor": lambda: cursor.execute("INSERT INTO t VALUES (3)"),
            "commit": lambda: connection.commit(),
            "block": block,
            "last": lambda: connection.execute("INSERT INTO t VALUES (5)"),
        }
        others = []
        for name, call in calls.items():
            others.append(asyncio.create_task(other(name, call)))
            await asyncio.sleep(0)
        assert await run_to_the_end(owner, *others) == [None] * 6
        assert done[:4] == ["own", "insert", "cursor", "commit"]
        assert sorted(done[4:]) == ["block", "last"]
        assert committed(path) == [1, 2, 3, 4, 5]


async def test_tasks_that_are_started_inside_belong_to_the_block(path: str) -> None:
    """Bug: ownership goes with the task, so that a block which awaits its own tasks waits for ever."""
    async with opened(path) as connection:
        with contextlib.suppress(ValueError):
            async with connection.transaction():
                await asyncio.wait_for(asyncio.gather(*(add(connection, number) for number in range(5))), 5)
                await asyncio.wait_for(asyncio.create_task(add(connection, 5)), 5)
                assert sorted(await rows_of(connection)) == [0, 1, 2, 3, 4, 5]
                raise ValueError
        assert await rows_of(connection) == []


async def test_blocks_of_tasks_inside_take_turns_too(path: str) -> None:
    """Bug: savepoints of two tasks cross, and one rolls back what the other wrote."""
    async with opened(path) as connection:

        async def attempt(number: int) -> None:
            with contextlib.suppress(ValueError):
                async with connection.transaction():
                    await add(connection, number)
                    await asyncio.sleep(random.random() / 500)
                    await add(connection, number)
                    if number % 3 == 0:
                        raise ValueError

        async with connection.transaction():
            tasks = [asyncio.create_task(attempt(number)) for number in range(12)]
            await add(connection, 100)
            assert await run_to_the_end(*tasks) == [None] * 12
        expected = [number for number in range(12) if number % 3 for _ in range(2)]
        assert sorted(committed(path)) == [*expected, 100]


async def test_the_end_waits_for_the_blocks_inside(path: str) -> None:
    """Bug: COMMIT in the middle of an inner block, half of which is then committed."""
    async with opened(path) as connection:
        go_on, inside = asyncio.Event(), asyncio.Event()

        async def inner() -> None:
            async with connection.transaction():
                await add(connection, 1)
                inside.set()
                await go_on.wait()
                await add(connection, 2)

        async def outer() -> None:
            nonlocal task
            async with connection.transaction():
                task = asyncio.create_task(inner())
                await inside.wait()

        task: asyncio.Task[None] | None = None
        outer_task = asyncio.create_task(outer())
        await soon(lambda: line_of(connection) == 1)
        assert committed(path) == []
        go_on.set()
        assert await run_to_the_end(outer_task) == [None]
        assert task is not None and await run_to_the_end(task) == [None]
        assert committed(path) == [1, 2]


async def test_an_exception_does_not_wait_for_the_blocks_inside(path: str) -> None:
    """Bugs: an exception hangs behind a task that waits for its owner; what such a task does next is committed."""
    async with opened(path) as connection:
        go_on, inside = asyncio.Event(), asyncio.Event()

        async def inner() -> None:
            async with connection.transaction():
                await add(connection, 1)
                inside.set()
                await go_on.wait()
                await add(connection, 2)

        with pytest.raises(ZeroDivisionError):
            async with connection.transaction():
                task = asyncio.create_task(inner())
                await inside.wait()
                raise ZeroDivisionError
        assert not connection.in_transaction
        go_on.set()
        (outcome,) = await run_to_the_end(task)
        assert isinstance(outcome, aioturso.ProgrammingError) and "has ended" in str(outcome)
        assert await rows_of(connection) == []
        assert not connection.in_transaction


async def test_a_task_that_outlives_the_block_is_told_so(path: str) -> None:
    """Bugs: half of what it does is part of the transaction and half is not; its owner's task is refused as well."""
    async with opened(path) as connection:
        go_on = asyncio.Event()

        async def straggler() -> None:
            await go_on.wait()
            await add(connection, 2)

        async def starts_a_block() -> None:
            await go_on.wait()
            async with connection.transaction():
                raise AssertionError("inside of what has ended")

        async with connection.transaction():
            tasks = [asyncio.create_task(straggler()), asyncio.create_task(starts_a_block())]
            await add(connection, 1)
        go_on.set()
        for outcome in await run_to_the_end(*tasks):
            assert isinstance(outcome, aioturso.ProgrammingError), outcome
            assert "the transaction in which this task was started has ended" in str(outcome)
        async with connection.transaction():
            await add(connection, 3)
        assert committed(path) == [1, 3]


async def test_a_block_may_be_left_in_another_context(path: str) -> None:
    """Bugs: a context variable that refuses to be reset; the task that began the block is never free again."""
    async with opened(path) as connection:

        async def generator() -> AsyncIterator[None]:
            async with connection.transaction():
                await add(connection, 1)
                yield

        steps = generator()
        await steps.__anext__()
        with pytest.raises(StopAsyncIteration):
            await asyncio.create_task(steps.__anext__())  # type: ignore[arg-type]
        await add(connection, 2)
        await connection.commit()
        assert committed(path) == [1, 2]


async def test_one_block_cannot_wait_for_another_that_waits_for_it(path: str, tmp_path: Any) -> None:
    """Bug: two tasks take two connections in different orders, and both wait for ever."""
    async with opened(path) as one, opened(str(tmp_path / "other.db")) as two:
        both = [asyncio.Event(), asyncio.Event()]

        async def crosswise(own: int, connections: list[aioturso.Connection]) -> None:
            async with connections[own].transaction():
                await add(connections[own], own)
                both[own].set()
                await both[1 - own].wait()
                await add(connections[1 - own], own)

        tasks = [asyncio.create_task(crosswise(own, [one, two])) for own in range(2)]
        outcomes = await run_to_the_end(*tasks)
        refused = [outcome for outcome in outcomes if outcome is not None]
        assert len(refused) == 1 and isinstance(refused[0], aioturso.OperationalError), outcomes
        assert "in the same order" in str(refused[0])
        survivor = outcomes.index(None)
        # The one that goes on writes into the other's connection, outside of a block.
        await one.commit()
        await two.commit()
        assert (await rows_of(one), await rows_of(two)) == ([survivor], [survivor])


def test_tasks_of_two_event_loops_take_turns(
    path: str, event_loop_name: str, run_in_loop: Callable[[Any], None]
) -> None:
    """Bugs: a waiter is woken in the loop of the one that ends the block; an error of the line is set from another thread."""

    async def count(connection: aioturso.Connection, number: int) -> None:
        for _ in range(40):
            async with connection.transaction():
                (before,) = await rows_of(connection)
                await asyncio.sleep(0)
                await connection.execute("UPDATE t SET a = ?", (before + 1,))
            await connection.execute("SELECT ?", (number,))

    async def elsewhere(connection: aioturso.Connection) -> None:
        await asyncio.gather(*(count(connection, number) for number in range(3)))

    async def program() -> None:
        async with opened(path) as connection:
            await add(connection, 0)
            await connection.commit()
            threads = [asyncio.to_thread(run_in_loop, elsewhere(connection)) for _ in range(2)]
            await asyncio.gather(elsewhere(connection), *threads)
            assert committed(path) == [40 * 9]
            inside = connection.transaction()
            await inside.__aenter__()
            left = contextvars.Context().run(asyncio.create_task, asyncio.to_thread(run_in_loop, waits(connection)))
            await soon(lambda: line_of(connection) == 1)
            await connection.close()
            await left
            with contextlib.suppress(aioturso.ClosedError):
                await inside.__aexit__(None, None, None)

    async def waits(connection: aioturso.Connection) -> None:
        with pytest.raises(aioturso.ClosedError):
            await connection.execute("SELECT 1")

    run_in_loop(program())


# Cursors of others


@pytest.mark.parametrize("ending", ["commit", "rollback"])
async def test_a_cursor_that_another_task_reads_goes_on_behind_the_block(path: str, ending: str) -> None:
    """Bugs: rows lost or repeated when a read waits for its turn; a transaction that a half-read cursor keeps open; rows that
    end in silence where a rollback has cut the query off.
    """
    async with opened(path) as connection:
        await connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(500)])
        await connection.commit()
        seen: list[int] = []

        async def read() -> None:
            async with connection.execute("SELECT a FROM t WHERE a < 1000 ORDER BY rowid") as cursor:
                async for (number,) in cursor:
                    seen.append(number)
                    if number % 50 == 0:
                        await asyncio.sleep(0)

        reader = asyncio.create_task(read())
        for number in range(20):
            with contextlib.suppress(ValueError):
                async with connection.transaction():
                    await add(connection, 1000 + number)
                    await asyncio.sleep(0)
                    if ending == "rollback":
                        raise ValueError
        (outcome,) = await run_to_the_end(reader)
        if ending == "rollback" and outcome is not None:
            assert isinstance(outcome, aioturso.OperationalError) and "ROLLBACK" in str(outcome), outcome
        else:
            assert outcome is None
            assert len(seen) == 500
        assert seen == list(range(len(seen)))
        assert committed(path)[500:] == ([1000 + number for number in range(20)] if ending == "commit" else [])


async def test_one_cursor_used_inside_and_outside_gives_each_row_once(path: str) -> None:
    """Bug: a read that waits has an earlier number than one that runs, after which the buffer is thought to be at rest."""
    async with opened(path) as connection:
        await connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(3000)])
        await connection.commit()
        cursor = await connection.execute("SELECT a FROM t ORDER BY rowid")
        cursor.iter_chunk_size = 5
        seen: list[int] = []
        chance = random.Random(7)

        async def read(inside: bool) -> None:
            while True:
                async with connection.transaction() if inside else contextlib.nullcontext():
                    for _ in range(chance.randrange(1, 8)):
                        rows = await cursor.fetchmany(chance.randrange(1, 9))
                        seen.extend(number for (number,) in rows)
                        if not rows:
                            return
                await asyncio.sleep(0)

        await run_to_the_end(*(asyncio.create_task(read(number % 2 == 0)) for number in range(6)))
        assert sorted(seen) == list(range(3000))


async def test_rows_are_not_taken_past_a_read_that_waits(path: str) -> None:
    """Bug: the loop takes rows from the buffer while the thread, which runs a read out of its order, does the same."""
    from aioturso.rows import Rows

    rows: Rows[int] = Rows(chunk_size=10)
    stored = iter(range(100))

    def read_rows(limit: int, _asked: int, _spent: float) -> tuple[list[int], bool, None]:
        return [next(stored) for _ in range(limit)], False, None

    future = asyncio.get_running_loop().create_future()
    waiting = rows.ask()
    rows.wait(waiting, future)
    passing = rows.ask()
    assert rows.take(read_rows, 1, lambda: False).rows == [0]
    rows.answer(passing)
    assert rows.next_ahead(None) is None
    assert rows.take_ahead(1) is None
    assert rows.take(read_rows, 1, lambda: False).rows == [1]
    rows.answer(waiting)
    taken = rows.take_ahead(2)
    assert taken is not None and taken.rows == [2, 3]
    # One that is cancelled in the line is forgotten when the next one has run.
    rows.wait(rows.ask(), future)
    future.cancel()
    assert rows.next_ahead(None) is None
    rows.answer(rows.ask())
    assert rows.next_ahead(None) == 4


async def test_a_read_that_waits_is_asked_whether_it_is_over(path: str) -> None:
    """Bugs: what runs when its future is asked that cannot use the same rows, and waits for ever; a call that is noted, or
    answered, meanwhile is lost."""

    class Asked(asyncio.Future[None]):
        def done(self) -> bool:
            # In the same thread, nothing would end the wait.
            asking = threading.Thread(target=meanwhile, daemon=True)
            asking.start()
            asking.join(10)
            blocked.append(asking.is_alive())
            return False

    def meanwhile() -> None:
        rows.wait(second, later)
        rows.answer(first)

    async with opened(path, isolation_level=None) as connection:
        cursor = await connection.execute("SELECT value FROM generate_series(1, 100)")
        rows: Any = cursor._rows
        assert cursor._calls is not None, "the worker is the native one"
        first, second = rows.ask(), rows.ask()
        blocked = list[bool]()
        later = asyncio.get_running_loop().create_future()
        rows.wait(first, Asked())
        rows.answer(second)
        assert rows.next_ahead(None) is None
        assert blocked == [False]
        # The second one still waits, and the first one is forgotten.
        assert rows.next_ahead(None) is None
        assert blocked == [False]
        later.cancel()
        assert rows.next_ahead(None) == (1,)


async def test_calls_that_have_waited_are_forgotten_where_nobody_reads(path: str) -> None:
    """Bug: a cursor keeps the future of each call that waited for a transaction to end, until its next row is read."""
    async with opened(path, isolation_level=None) as connection:
        cursor = await connection.cursor()
        rows: Any = cursor._rows
        kept = list[weakref.ref[asyncio.Future[None]]]()
        for number in range(1000):
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            kept.append(weakref.ref(future))
            call = rows.ask()
            rows.wait(call, future)
            # Some run, and some are cancelled.
            if number % 2:
                rows.answer(call)
            future.cancel()
            del future
        rows.answer(rows.ask())
        gc.collect()
        assert sum(reference() is not None for reference in kept) < 100


# All of it at once


async def test_money_is_neither_made_nor_lost(path: str) -> None:
    """Bugs: whatever lets two transactions interleave, or ends one halfway, changes the sum of the balances."""
    accounts, start = 8, 100
    async with aioturso.connect(path, isolation_level=None) as connection:
        await connection.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER)")
        await connection.executemany("INSERT INTO account VALUES (?, ?)", [(key, start) for key in range(accounts)])
        await connection.execute("CREATE TABLE transfer (number INTEGER)")
        chance = random.Random(11)
        done: set[int] = set()
        counts = {"done": 0, "failed": 0, "cancelled": 0}

        async def balance(key: int) -> int:
            cursor = await connection.execute("SELECT balance FROM account WHERE id = ?", (key,))
            row = await cursor.fetchone()
            assert row is not None
            return int(row[0])

        async def move(key: int, amount: int) -> None:
            async with connection.transaction():
                before = await balance(key)
                await asyncio.sleep(0)
                await connection.execute("UPDATE account SET balance = ? WHERE id = ?", (before + amount, key))
                if before + amount < 0:
                    raise ValueError("not covered")

        async def transfer(number: int) -> None:
            source, target = chance.sample(range(accounts), 2)
            amount = chance.randrange(1, 60)
            async with connection.transaction(chance.choice(["IMMEDIATE", None])):
                await connection.execute("INSERT INTO transfer VALUES (?)", (number,))
                if chance.random() < 0.5:
                    await asyncio.gather(move(source, -amount), move(target, amount))
                else:
                    with contextlib.suppress(ValueError):
                        await move(source, -10_000)
                    await move(target, amount)
                    await move(source, -amount)
                if chance.random() < 0.1:
                    await connection.execute("INSERT INTO nowhere VALUES (1)")

        async def one(number: int) -> None:
            task = asyncio.create_task(transfer(number))
            if chance.random() < 0.4:
                await asyncio.sleep(chance.random() / 100)
                task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            if outcome is None:
                done.add(number)
                counts["done"] += 1
            elif isinstance(outcome, asyncio.CancelledError):
                counts["cancelled"] += 1
            else:
                expected = (ValueError, aioturso.OperationalError, aioturso.ProgrammingError)
                assert isinstance(outcome, expected), outcome
                counts["failed"] += 1

        async def look() -> None:
            async with aioturso.connect(path) as reader:
                while not over.is_set():
                    assert await reader.execute_fetchall("SELECT sum(balance) FROM account") == [(accounts * start,)]
                    await asyncio.sleep(0.001)

        async def plain(number: int) -> None:
            """Another task's single statements, each of which is a transaction of its own."""
            while not over.is_set():
                rows = await connection.execute_fetchall("SELECT sum(balance), min(balance) FROM account")
                assert rows[0][0] == accounts * start and rows[0][1] >= 0, (number, rows)
                await asyncio.sleep(0.0005)

        over = asyncio.Event()
        watchers = [asyncio.create_task(look()), *(asyncio.create_task(plain(number)) for number in range(3))]
        numbers = iter(range(400))

        async def worker() -> None:
            for number in numbers:
                await one(number)

        await asyncio.gather(*(worker() for _ in range(12)))
        over.set()
        assert await run_to_the_end(*watchers) == [None] * 4
        assert not connection.in_transaction
        assert await is_at_rest(connection)
        print(counts)
        assert min(counts.values()) > 20, counts
        written = {number for (number,) in await connection.execute_fetchall("SELECT number FROM transfer")}
        assert done <= written
    reader = aioturso.lib.connect(path)
    assert reader.execute("SELECT sum(balance) FROM account").fetchall() == [(accounts * start,)]
    assert reader.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    reader.close()
