"""The awaitables: coroutines like those of `async def`, whose futures run on threads that know nothing of the loop."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
import warnings
import weakref
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
import turso_jobs


async def test_an_awaitable_is_a_coroutine(path: str) -> None:
    async with turso_jobs.connect(path) as client:
        call = client.migrate()
        assert asyncio.iscoroutine(call)
        assert inspect.isawaitable(call)
        assert call.__qualname__ == "Client.migrate"  # type: ignore[attr-defined]
        task = asyncio.create_task(call)
        assert await task == 0
        with pytest.raises(RuntimeError, match=r"cannot reuse already awaited coroutine 'Client\.migrate'"):
            await call
        assert await asyncio.wait_for(client.migrate(), 60) == 1
        assert list(await asyncio.gather(client.migrate(), client.migrate())) == [1, 1]


async def test_a_second_task_cannot_await_it_and_does_not_disturb_the_first(path: str) -> None:
    """The result is one's alone: the other one would hear that the call was awaited before, and only when it is over."""
    async with turso_jobs.connect(path, poll=0.02) as client:
        await client.migrate()
        call = client.deliveries().__anext__()
        first = asyncio.ensure_future(call)
        await asyncio.sleep(0.02)
        with pytest.raises(RuntimeError, match="is being awaited already"):
            await asyncio.wait_for(call, 60)
        number = await client.insert("a")
        assert (await first).id == number


async def test_it_begins_when_it_is_awaited_and_warns_when_it_never_is(path: str) -> None:
    async with turso_jobs.connect(path) as client:
        await client.migrate()
        with pytest.warns(RuntimeWarning, match=r"coroutine 'Client\.insert' was never awaited"):
            client.insert("never")  # type: ignore[unused-coroutine]
            gc.collect()
        closed = client.insert("never")
        closed.close()
        opening = client.transaction()
        opening.close()
        del closed, opening
        gc.collect()
        assert await client.list_jobs() == []


async def test_what_is_raised_before_it_is_awaited_goes_on(path: str) -> None:
    """The warning is given while the exception unwinds the frame that holds the awaitable: it lost the exception, or crashed."""
    async with turso_jobs.connect(path) as client:
        await client.migrate()
        with (
            pytest.warns(RuntimeWarning, match="was never awaited"),
            pytest.raises((TypeError, AttributeError)),
            # The `async` is missing.
            client.transaction(),  # type: ignore[attr-defined]
        ):
            pass
        with (
            pytest.warns(RuntimeWarning, match="was never awaited"),
            pytest.raises(ValueError, match="invalid literal"),
        ):
            await asyncio.gather(client.insert("a"), client.insert("b", str(int("x"))))
        with (
            pytest.warns(RuntimeWarning, match="was never awaited"),
            pytest.raises(TypeError, match="unsupported operand"),
        ):
            client.insert("a") + 1  # type: ignore[operator]
        with (
            pytest.warns(RuntimeWarning, match="was never awaited"),
            pytest.raises(TypeError, match="not subscriptable"),
        ):
            client.list_jobs()[0]  # type: ignore[index]
        with pytest.warns(RuntimeWarning, match="was never awaited"), pytest.raises(ZeroDivisionError):
            _ = [client.insert("a"), 1 / 0]
        assert await client.list_jobs() == []


async def test_cancelling_a_task_drops_the_future(path: str) -> None:
    """One that goes on would put its job into the queue, although nobody waits for it any more."""
    async with turso_jobs.connect(path, connections=1) as client:
        await client.migrate()
        async with client.transaction() as transaction:
            await transaction.insert("of the transaction")
            waiting = asyncio.create_task(client.insert("never"))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.insert("never"), 0.05)
        await asyncio.sleep(0.05)
        assert [job.kind for job in await client.list_jobs()] == ["of the transaction"]


async def test_a_transaction_that_comes_too_late_is_rolled_back(path: str) -> None:
    """It is made while its task is being cancelled: nobody has it, and it would keep its lock for ever."""
    async with turso_jobs.connect(path) as client:
        await client.migrate()
        for delay in [n * 0.0002 for n in range(20)]:
            task = asyncio.ensure_future(client.transaction())
            await asyncio.sleep(delay)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            del task
            gc.collect()
        assert await asyncio.wait_for(client.insert("a"), 60) == 1


async def test_a_scope_that_is_cancelled_rolls_back(path: str) -> None:
    async with turso_jobs.connect(path) as client:
        await client.migrate()

        async def hold() -> None:
            async with client.transaction() as transaction:
                await transaction.insert("never")
                await asyncio.sleep(60)

        task = asyncio.create_task(hold())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await client.list_jobs() == []


async def test_a_scope_that_is_cancelled_while_it_is_left_is_left_all_the_same(path: str) -> None:
    """The traceback of a cancelled task holds its transaction, which kept its lock on the database for as long."""
    async with turso_jobs.connect(path) as client:
        await client.migrate()
        transaction = await client.transaction()
        await transaction.insert("never")
        count = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT COUNT(*) FROM n"
        slow = asyncio.create_task(transaction.fetch_one(count))
        await asyncio.sleep(0.01)
        leaving = asyncio.ensure_future(transaction.__aexit__(None, None, None))
        await asyncio.sleep(0.01)
        assert not slow.done()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert await slow == (1000000,)
        assert await asyncio.wait_for(client.insert("next"), 60) == 1
        with pytest.raises(ValueError, match="Transaction is closed"):
            await transaction.insert("behind the scope")
        assert [job.kind for job in await client.list_jobs()] == ["next"]


async def test_an_item_that_came_too_late_is_the_next_one(path: str) -> None:
    async with turso_jobs.connect(path, poll=0.02) as client:
        await client.migrate()
        deliveries = client.deliveries()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(deliveries.__anext__(), 0.05)
        number = await client.insert("a")
        await asyncio.sleep(0.1)
        async for job in deliveries:
            assert job.id == number
            break
        await client.complete(number, 1)


async def test_no_item_is_lost_at_whatever_moment_its_reader_is_cancelled(path: str) -> None:
    """One that was on its way when its reader gave up went with it: one job in thirty was claimed for nobody."""
    async with turso_jobs.connect(path, poll=0.001) as client:
        await client.migrate()
        numbers = await client.insert_many("a", [""] * 200)
        deliveries = client.deliveries()
        taken: list[int] = []
        while len(await client.list_jobs(state="running", limit=1000)) < len(numbers):
            for step in range(20):
                reader = asyncio.ensure_future(deliveries.__anext__())
                await asyncio.sleep(step * 0.0001)
                reader.cancel()
                with suppress(asyncio.CancelledError):
                    taken.append((await reader).id)
        with suppress(asyncio.TimeoutError):
            taken.append((await asyncio.wait_for(deliveries.__anext__(), 0.2)).id)
        assert taken == numbers


def test_awaitables_outlive_their_loop(path: str, run_in_loop: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    """A loop that is closed while futures run must neither hang nor break the client for the next one."""
    client = turso_jobs.connect_sync(path)
    client.migrate_sync()
    left: list[Any] = []

    async def leave() -> None:
        for _ in range(10):
            step = client.insert("left")
            step.send(None)
            left.append(step)

    async def go_on() -> None:
        assert await client.insert("a") > 0
        async with client.transaction() as transaction:
            await transaction.insert("b")

    for _ in range(3):
        run_in_loop(leave())
        run_in_loop(go_on())
    for step in left:
        step.close()
    kinds = [job.kind for job in client.list_jobs_sync(limit=1000)]
    assert kinds.count("a") == kinds.count("b") == 3
    client.close_sync()


class Kept:
    """What a task keeps in a context variable."""


kept: contextvars.ContextVar[Kept | None] = contextvars.ContextVar("kept", default=None)


async def test_the_context_of_the_first_task_goes_with_it(path: str) -> None:
    """What tells the loop of results was watched in the context of the task that first needed it: it lived as long as the
    loop, with all that was in it."""

    async def open_and_use() -> tuple[turso_jobs.Client, weakref.ref[Kept]]:
        value = Kept()
        kept.set(value)
        client = await turso_jobs.connect(path)
        await client.migrate()
        return client, weakref.ref(value)

    client, reference = await asyncio.create_task(open_and_use())
    async with client:
        assert await client.list_jobs() == []
        gc.collect()
        assert reference() is None


def test_outside_of_a_loop_an_awaitable_says_so(path: str) -> None:
    with turso_jobs.connect_sync(path) as client:
        call = client.migrate()
        with pytest.raises(RuntimeError, match="no running event loop"):
            call.send(None)


async def test_a_scope_is_entered_without_a_second_await_and_with_one(path: str) -> None:
    client = await turso_jobs.connect(path)
    async with client:
        await client.migrate()
        async with client.transaction() as transaction:
            assert type(transaction) is turso_jobs.Transaction
        async with await client.transaction() as transaction:
            await transaction.insert("a")
        scope = client.transaction()
        with pytest.raises(RuntimeError, match="never entered"):
            await scope.__aexit__(None, None, None)
        scope.close()
        assert len(await client.list_jobs()) == 1
        await client.close()
        await client.close()


async def test_errors_keep_the_exception_that_they_came_in(path: str) -> None:
    async with turso_jobs.connect(path) as client:
        await client.migrate()
        with pytest.raises(turso_jobs.JobsError, match="no such table: nowhere") as raised:
            async with client.transaction() as transaction:
                await transaction.execute("INSERT INTO nowhere VALUES (1)")
        assert raised.value.__traceback__ is not None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert await client.list_jobs() == []


async def test_a_stream_that_somebody_has_still_does_not_keep_the_object_from_closing(path: str) -> None:
    """It holds the object while it is read, and a scope that waited for its reader would wait for itself."""
    async with turso_jobs.connect(path, poll=0.02) as client:
        await client.migrate()
        await client.insert_many("a", ["1", "2"])
        read, waiting = client.deliveries(), client.deliveries("none")
        assert (await read.__anext__()).payload == "1"
        reader = asyncio.ensure_future(waiting.__anext__())
        twin = client.deliveries_sync()
        assert next(twin).payload == "2"
    with pytest.raises(ValueError, match="Client is closed"):
        await reader
    with pytest.raises(ValueError, match="Client is closed"):
        next(twin)
    with pytest.raises(ValueError, match="Client is closed"):
        await read.__anext__()
    with pytest.raises(StopAsyncIteration):
        await read.__anext__()


async def test_closing_does_not_wait_for_what_waits_for_an_open_transaction(path: str) -> None:
    """Closing ends that, and the call with it: to wait for the call first is to wait for ever."""
    async with turso_jobs.connect(path) as client:
        await client.migrate()
        held = await client.transaction()
        await held.insert("never")
        waiting = asyncio.create_task(client.insert("never"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
    with pytest.raises(turso_jobs.JobsError, match="the queue is closed"):
        await waiting
    with pytest.raises(turso_jobs.TransactionOver):
        await held.commit()
    async with turso_jobs.connect(path) as client:
        assert await client.list_jobs() == []


async def test_calls_reach_the_object_in_the_order_in_which_they_were_begun(path: str) -> None:
    """Threads of the runtime take up new tasks in any order: a commit overtook inserts, and was overtaken."""
    rounds, inserts = 40, 6
    async with turso_jobs.connect(path) as client:
        await client.migrate()
        for number in range(rounds):
            transaction = await client.transaction()
            before = [transaction.insert(f"before {number}") for _ in range(inserts)]
            commit, late = transaction.commit(), transaction.insert("late")
            *_, failure = await asyncio.gather(*before, commit, late, return_exceptions=True)
            assert isinstance(failure, Exception)
            assert "closed" in str(failure)
        assert {job.kind for job in await client.list_jobs(limit=1000)} == {
            f"before {number}" for number in range(rounds)
        }
        assert len(await client.list_jobs(limit=1000)) == rounds * inserts


async def test_a_call_that_nobody_awaits_holds_up_no_other(path: str) -> None:
    """A place in the queue that was taken when the call was made, and not when it was begun, would never be left."""
    async with turso_jobs.connect(path) as client:
        await client.migrate()
        transaction = await client.transaction()
        unused = transaction.rollback()
        await transaction.insert("kept")
        waiting = asyncio.create_task(transaction.commit())
        await waiting
        unused.close()
        assert [job.kind for job in await client.list_jobs()] == ["kept"]


ENDLESS = "INSERT INTO note WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
"""A statement that ends only by being interrupted."""


async def test_nothing_comes_behind_a_call_that_was_cancelled_in_a_transaction(path: str) -> None:
    """The database ends the transaction of a write that it interrupts: what came behind it would be committed for itself."""
    async with turso_jobs.connect(path) as client:
        await client.migrate()
        for ending in ("commit", "rollback"):
            transaction = await client.transaction()
            await transaction.execute("CREATE TABLE note (number)")
            waiting = asyncio.create_task(transaction.execute(ENDLESS))
            await asyncio.sleep(0.1)
            behind = asyncio.create_task(transaction.insert("behind it"))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            with pytest.raises(turso_jobs.TransactionOver):
                await behind
            with pytest.raises(turso_jobs.TransactionOver):
                await transaction.insert("later")
            if ending == "commit":
                with pytest.raises(turso_jobs.TransactionOver):
                    await transaction.commit()
            else:
                await transaction.rollback()
        with pytest.raises(turso_jobs.TransactionOver):
            async with client.transaction() as transaction:
                await transaction.execute("CREATE TABLE note (number)")
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(transaction.execute(ENDLESS), 0.1)
        assert await client.insert("next") == 1


async def test_no_call_overtakes_the_end_of_a_cancelled_one(path: str) -> None:
    """One call in twelve came before its future was dropped, was taken for a part of the transaction, and stood alone."""
    async with turso_jobs.connect(path) as client:
        await client.migrate()
        for _ in range(80):
            transaction = await client.transaction()
            await transaction.execute("CREATE TABLE note (number)")
            waiting = asyncio.create_task(transaction.execute(ENDLESS))
            await asyncio.sleep(0.003)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            # It succeeds where the cancelled call had not begun.
            with suppress(turso_jobs.TransactionOver):
                await transaction.insert("behind it")
            await transaction.rollback()
        assert await client.list_jobs() == []


async def test_a_call_that_is_cancelled_twice_ends_at_once(path: str) -> None:
    async with turso_jobs.connect(path, connections=1) as client:
        await client.migrate()
        async with client.transaction():
            waiting = asyncio.create_task(client.insert("never"))
            await asyncio.sleep(0.05)
            waiting.cancel()
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert await client.list_jobs() == []
