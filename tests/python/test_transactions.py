"""Tasks that share a connection: `async with connection.transaction()` gives it to one block at a time.

Each test names the bug that it guards against. What was committed is looked at through a second connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aioturso
import aioturso.lib
import pytest

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
ENDLESS_WRITE = "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"


@contextlib.asynccontextmanager
async def opened(path: str, **options: Any) -> AsyncIterator[aioturso.Connection]:
    async with aioturso.connect(path, **options) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS t (a)")
        if connection.in_transaction:
            await connection.commit()
        yield connection


async def rows_of(connection: aioturso.Connection) -> list[int]:
    return [number for (number,) in await connection.execute_fetchall("SELECT a FROM t ORDER BY rowid")]


def committed(path: str) -> list[int]:
    """What another connection sees."""
    reader = aioturso.lib.connect(path)
    try:
        return [number for (number,) in reader.execute("SELECT a FROM t ORDER BY rowid").fetchall()]
    finally:
        reader.close()


async def add(connection: aioturso.Connection, *numbers: int) -> None:
    for number in numbers:
        await connection.execute("INSERT INTO t VALUES (?)", (number,))


async def soon(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came true")


def line_of(connection: aioturso.Connection) -> int:
    turns = connection._worker.queue.turns
    return 0 if turns is None else len(turns._line)


async def is_at_rest(connection: aioturso.Connection) -> bool:
    """Whether calls have nothing to pay for transactions: there is none, and no task is left that was started inside."""
    gc.collect()
    await connection.execute("SELECT 1")
    return connection._worker.queue.turns is None


async def run_to_the_end(*tasks: asyncio.Task[Any]) -> list[Any]:
    return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)


# How a block ends


async def test_the_end_commits_and_an_exception_rolls_back(path: str) -> None:
    """Bugs: an end that leaves the transaction open; an exception that commits, or is swallowed."""
    async with opened(path) as connection:
        async with connection.transaction() as inside:
            assert inside is connection
            await add(connection, 1)
            assert committed(path) == []
        assert not connection.in_transaction
        assert committed(path) == [1]
        error = ValueError("from the block")
        with pytest.raises(ValueError) as raised:
            async with connection.transaction():
                await add(connection, 2)
                raise error
        assert raised.value is error
        assert not connection.in_transaction
        assert committed(path) == [1]
        assert await is_at_rest(connection)


async def test_a_block_inside_of_another_is_a_savepoint(path: str) -> None:
    """Bugs: the inner end commits everything; the inner exception rolls everything back; a savepoint is left open."""
    async with opened(path) as connection:
        async with connection.transaction():
            await add(connection, 1)
            with contextlib.suppress(ValueError):
                async with connection.transaction():
                    await add(connection, 2)
                    async with connection.transaction():
                        await add(connection, 3)
                    raise ValueError
            async with connection.transaction("IMMEDIATE"):
                await add(connection, 4)
            assert committed(path) == []
        assert committed(path) == [1, 4]
        with contextlib.suppress(ValueError):
            async with connection.transaction():
                async with connection.transaction():
                    await add(connection, 5)
                raise ValueError
        assert committed(path) == [1, 4]


@pytest.mark.parametrize(
    "options", [{"isolation_level": None}, {"autocommit": True}, {"autocommit": False}, {}], ids=str
)
async def test_every_mode_of_a_connection_has_transactions(path: str, options: dict[str, Any]) -> None:
    """Bugs: `commit()` ends nothing with `autocommit`; BEGIN fails where a transaction is always open."""
    async with opened(path, **options) as connection:
        async with connection.transaction():
            await add(connection, 1)
            with contextlib.suppress(ValueError):
                async with connection.transaction():
                    await add(connection, 2)
                    raise ValueError
        assert committed(path) == [1]
        with contextlib.suppress(ValueError):
            async with connection.transaction():
                await add(connection, 3)
                raise ValueError
        assert await rows_of(connection) == [1]
        assert connection.in_transaction is (options.get("autocommit") is False)
        assert committed(path) == [1]


async def test_the_mode_is_the_word_behind_begin(path: str) -> None:
    """Bugs: the mode is dropped; the turn is kept after a BEGIN that failed; a word of the caller's comes into SQL."""
    async with opened(path) as connection, opened(path, timeout=0) as other:
        async with connection.transaction("IMMEDIATE"):
            with pytest.raises(aioturso.OperationalError, match=r"locked|busy"):
                async with other.transaction("IMMEDIATE"):
                    raise AssertionError("two writers at once")
            assert await is_at_rest(other)
            async with other.transaction("DEFERRED"):
                assert await rows_of(other) == []
        connection.isolation_level = "EXCLUSIVE"
        async with connection.transaction():
            with pytest.raises(aioturso.OperationalError, match=r"locked|busy"):
                async with other.transaction("IMMEDIATE"):
                    raise AssertionError("two writers at once")
        async with other.transaction("IMMEDIATE"):
            await add(other, 1)
        with pytest.raises(aioturso.ProgrammingError, match="DEFERRED, IMMEDIATE, EXCLUSIVE"):
            connection.transaction("; DROP TABLE t")  # type: ignore[arg-type]
        always_open = connection.transaction("IMMEDIATE")
        connection.autocommit = False
        with pytest.raises(aioturso.ProgrammingError, match="leave the mode out"):
            await always_open.__aenter__()
        assert committed(path) == [1]


async def test_a_transaction_that_no_block_began_is_not_taken_over(path: str) -> None:
    """Bug: the block's end commits, or its exception rolls back, what another task wrote before."""
    async with opened(path) as connection:
        await add(connection, 1)
        with pytest.raises(aioturso.ProgrammingError, match="commit it or roll it back first"):
            async with connection.transaction():
                raise AssertionError("inside of another's transaction")
        assert connection.in_transaction
        await connection.commit()
        assert committed(path) == [1]


async def test_without_autocommit_what_was_open_before_is_kept(path: str) -> None:
    """Bug: the block's exception rolls back what was written before it; its end leaves that open."""
    async with opened(path, autocommit=False) as connection:
        await add(connection, 1)
        with contextlib.suppress(ValueError):
            async with connection.transaction():
                await add(connection, 2)
                raise ValueError
        assert committed(path) == []
        assert await rows_of(connection) == [1]
        async with connection.transaction():
            await add(connection, 3)
        assert committed(path) == [1, 3]
        assert connection.in_transaction


async def test_an_end_that_fails_leaves_nothing_open(path: str) -> None:
    """Bugs: COMMIT is refused, the error is raised, and the transaction stays; the turn is never given up."""
    async with opened(path) as connection:
        await connection.execute("PRAGMA foreign_keys = ON")
        await connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        await connection.execute("CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
        with pytest.raises(aioturso.IntegrityError):
            async with connection.transaction():
                await connection.execute("INSERT INTO child VALUES (1)")
                await add(connection, 1)
        assert not connection.in_transaction
        async with connection.transaction():
            await add(connection, 2)
        assert committed(path) == [2]


async def test_a_block_is_entered_once(path: str) -> None:
    """Bug: entered again, it waits for its own end."""
    async with opened(path) as connection:
        transaction = connection.transaction()
        async with transaction:
            with pytest.raises(aioturso.ProgrammingError, match="entered once"):
                await transaction.__aenter__()
            await add(connection, 1)
        with pytest.raises(aioturso.ProgrammingError, match="entered once"):
            await transaction.__aenter__()
        assert committed(path) == [1]


async def test_a_block_that_is_left_before_the_one_inside_of_it_rolls_back(path: str) -> None:
    """Bugs: it waits for ever for the inner one, which the same task has open; the inner half is committed."""
    async with opened(path) as connection:
        outer, inner = connection.transaction(), connection.transaction()
        await outer.__aenter__()
        await inner.__aenter__()
        await add(connection, 1)
        with pytest.raises(aioturso.ProgrammingError, match="left before the one inside of it"):
            await asyncio.wait_for(outer.__aexit__(None, None, None), 5)
        with pytest.raises(aioturso.ProgrammingError):
            await asyncio.wait_for(inner.__aexit__(None, None, None), 5)
        assert not connection.in_transaction
        async with connection.transaction():
            await add(connection, 2)
        assert committed(path) == [2]


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


# What is refused inside


async def test_what_would_end_the_transaction_is_refused_inside(path: str) -> None:
    """Bug: half of the block is committed, the other half runs outside of any transaction."""
    async with opened(path) as connection:
        cursor = await connection.cursor()
        with contextlib.suppress(ValueError):
            async with connection.transaction():
                await add(connection, 1)
                for call in (
                    connection.commit,
                    connection.rollback,
                    lambda: connection.executescript("SELECT 1"),
                    lambda: cursor.executescript("SELECT 1"),
                ):
                    with pytest.raises(aioturso.ProgrammingError, match="cannot be called inside"):
                        await call()
                raise ValueError
        assert committed(path) == []
        await connection.executescript("INSERT INTO t VALUES (2); INSERT INTO t VALUES (3)")
        await connection.commit()
        assert committed(path) == [2, 3]


@pytest.mark.parametrize("statement", ["COMMIT", "ROLLBACK"])
async def test_a_statement_that_ends_the_transaction_ends_the_block(path: str, statement: str) -> None:
    """Bug: what comes after it runs in an implicit transaction that somebody else commits, and the end says nothing."""
    async with opened(path) as connection:
        with pytest.raises(aioturso.ProgrammingError, match="ended its transaction"):
            async with connection.transaction():
                await add(connection, 1)
                async with connection.transaction():
                    await connection.execute(statement)
                    with pytest.raises(aioturso.ProgrammingError, match="ended its transaction"):
                        await add(connection, 2)
                    with pytest.raises(aioturso.ProgrammingError, match="ended its transaction"):
                        async with connection.transaction():
                            raise AssertionError("inside of nothing")
        assert not connection.in_transaction
        assert committed(path) == ([1] if statement == "COMMIT" else [])
        await add(connection, 3)
        await connection.rollback()


async def test_what_takes_an_inner_block_takes_those_around_it(path: str) -> None:
    """Bug: the outer block catches the inner error and goes on, outside of any transaction."""
    async with opened(path) as connection:
        with pytest.raises(aioturso.OperationalError, match="was rolled back when"):
            async with connection.transaction():
                await add(connection, 1)
                with contextlib.suppress(asyncio.TimeoutError):
                    async with connection.transaction():
                        await asyncio.wait_for(connection.execute(ENDLESS_WRITE), 0.05)
                with pytest.raises(aioturso.OperationalError, match="was rolled back when"):
                    await add(connection, 2)
        assert not connection.in_transaction
        assert committed(path) == []


@pytest.mark.parametrize("options", [{}, {"autocommit": False}], ids=str)
async def test_an_interrupted_write_takes_the_block_with_it(path: str, options: dict[str, Any]) -> None:
    """Bug: the engine has rolled all of it back, the block goes on, and its second half is committed alone."""
    async with opened(path, **options) as connection:
        with pytest.raises(aioturso.OperationalError):
            async with connection.transaction():
                await add(connection, 1)
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(connection.execute(ENDLESS_WRITE), 0.05)
                with pytest.raises(aioturso.OperationalError, match="was rolled back when"):
                    await add(connection, 2)
        assert committed(path) == []
        async with connection.transaction():
            await add(connection, 3)
        assert committed(path) == [3]


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
                await asyncio.sleep(chance.random() / 5000)
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

    def read_rows(limit: int) -> tuple[list[int], bool, None]:
        return [next(stored) for _ in range(limit)], False, None

    future = asyncio.get_running_loop().create_future()
    waiting = rows.ask()
    rows.wait(waiting, future)
    passing = rows.ask()
    assert rows.take(read_rows, 1).rows == [0]
    rows.answer(passing)
    assert not rows.has_ahead()
    assert rows.take_ahead(1) is None
    assert rows.take(read_rows, 1).rows == [1]
    rows.answer(waiting)
    assert rows.has_ahead()
    taken = rows.take_ahead(2)
    assert taken is not None and taken.rows == [2, 3]
    # One that is cancelled in the line is forgotten when the next one has run.
    rows.wait(rows.ask(), future)
    future.cancel()
    assert not rows.has_ahead()
    rows.answer(rows.ask())
    assert rows.has_ahead()


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
