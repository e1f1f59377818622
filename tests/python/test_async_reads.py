"""What calls raise, and what reads give that follow each other in any order: each test names the bug that it guards against."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable
from typing import Any

import aioturso
import pytest
from filled_databases import filled


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


@pytest.mark.parametrize("method", ["execute", "executemany", "executescript"])
async def test_an_argument_that_reaches_no_cursor_leaves_it_the_rows_read_ahead(path: str, method: str) -> None:
    """Bug: they are dropped before the argument is looked at, and the next read goes on behind them: rows are lost."""
    connection = await filled(path, 200)
    cursor = await connection.execute("SELECT a FROM t ORDER BY a")
    assert await cursor.fetchone() == (0,)
    for sql, refusal in ((5, TypeError), ("SELECT '\ud800'", UnicodeEncodeError)):
        with pytest.raises(refusal):
            await getattr(cursor, method)(*((sql, []) if method == "executemany" else (sql,)))
    assert await cursor.fetchall() == [(number,) for number in range(1, 200)]
    await connection.close()


class Adapted:
    """Becomes a value by what a program has written, which runs in the thread of the worker."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __conform__(self, protocol: object) -> object:
        if self.value is None:
            raise ValueError("there is no value")
        return self.value


async def test_arguments_that_python_code_converts_begin_a_result_set_like_others(path: str) -> None:
    """Bugs: a call that can't be made without running Python code fails on a cursor that has rows; it leaves those of
    before; one that fails leaves them too."""
    connection = await filled(path, 200)
    for _ in range(2):
        cursor = await connection.execute("SELECT a FROM t ORDER BY a")
        assert await cursor.fetchone() == (0,)
        await cursor.execute("SELECT ?", (Adapted(7),))
        assert (await cursor.fetchone(), await cursor.fetchone()) == ((7,), None)
        await cursor.execute("SELECT a FROM t ORDER BY a")
        with pytest.raises(aioturso.OperationalError, match="no such table"):
            await cursor.execute("SELECT a FROM missing WHERE a = ?", (Adapted(7),))
        assert await cursor.fetchall() == []
        await cursor.execute("SELECT a FROM t WHERE a >= ? ORDER BY a", (Adapted(198),))
        assert [row async for row in cursor] == [(198,), (199,)]
    await connection.close()


async def test_a_row_that_is_there_already_is_given_back_by_who_gives_it_up(path: str) -> None:
    """Bugs: it is lost; it is handed out twice."""
    connection = await filled(path, 200)
    cursor = await connection.execute("SELECT a FROM t ORDER BY a")
    cursor.fetchone().close()
    assert await cursor.fetchone() == (0,)
    reading = asyncio.ensure_future(cursor.fetchone())
    reading.cancel()
    assert isinstance((await asyncio.gather(reading, return_exceptions=True))[0], asyncio.CancelledError)
    once = cursor.fetchone()
    assert await once == (1,)
    with pytest.raises(RuntimeError, match="await a read once"):
        await once
    once.close()
    assert await asyncio.wait_for(cursor.fetchone(), 60) == (2,)
    given_up = cursor.fetchone()
    await cursor.execute("SELECT 'next'")
    given_up.close()
    assert await cursor.fetchall() == [("next",)]
    await connection.close()


async def test_a_cursor_that_was_read_to_its_end_is_closed_like_others(path: str) -> None:
    """Bugs: nobody waits for its end, so that the call behind it comes first; its object is dropped before it is closed."""
    connection = await filled(path, 200)
    for _ in range(50):
        cursor = await connection.execute("SELECT a FROM t WHERE a = 7")
        assert await cursor.fetchone() == (7,)
        await cursor.close()
        with pytest.raises(aioturso.ProgrammingError, match="closed"):
            await cursor.fetchone()
        with pytest.raises(aioturso.ProgrammingError, match="closed"):
            await cursor.execute("SELECT 1")
        await cursor.close()
        cursor = await connection.execute("SELECT a FROM t WHERE a = 8")
        await cursor.close()
        del cursor
    assert await connection.execute_fetchall("SELECT count(*) FROM t") == [(200,)]
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


async def test_an_error_in_the_middle_of_all_rows(path: str) -> None:
    """Bugs: rows that were passed on while more were read hide the error behind them, come twice, or come out of order."""

    def factory(_cursor: Any, row: tuple[int]) -> int:
        return row[0] if row[0] != 3_000 else int("three thousand")

    for start in (0, 3_001):
        async with aioturso.connect(path, row_factory=factory) as connection:
            cursor = await connection.execute(f"SELECT value FROM generate_series({start}, 9000)")
            if start == 0:
                with pytest.raises(ValueError, match="three thousand"):
                    await cursor.fetchall()
            assert await cursor.fetchall() == list(range(3_001, 9_001))


async def test_many_rows_do_not_hold_up_the_results_of_others(path: str) -> None:
    """Bug: until all rows of a `fetchall` are Python objects, nothing else that is done reaches the loop."""
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with aioturso.connect(path) as reading, aioturso.connect(path) as other:
        cursor = await reading.execute("SELECT value, 'text' FROM generate_series(1, 300000)")
        rows = asyncio.ensure_future(cursor.fetchall())
        # Some rows are there before the other call is made.
        await asyncio.sleep(0.01)
        call = asyncio.ensure_future(other.execute("SELECT 1"))
        await asyncio.sleep(0)
        # The loop has no turn while both are done.
        time.sleep(0.8)  # noqa: ASYNC251
        counting = asyncio.ensure_future(count_turns())
        await call
        waited, converted = turns, rows.done()
        assert len(await rows) == 300_000
        counting.cancel()
        if not reading._worker.queue.is_native:
            pytest.skip("the other worker makes the objects in its own thread")
    assert not converted
    assert waited < turns / 4, (
        "turns of the loop until the result of the other connection came, and until all rows were there"
    )


async def test_a_read_of_what_failed_is_collected(path: str) -> None:
    """Bug: the error of a statement holds the read behind it, which holds the cursor, which holds the error, where the
    collector cannot see it."""
    async with aioturso.connect(path) as connection:

        async def fail() -> None:
            cursor = connection.execute("SELECT * FROM nowhere")
            read = cursor.fetchall()
            with pytest.raises(aioturso.OperationalError):
                await read

        def cursors() -> int:
            gc.collect()
            return sum(isinstance(thing, aioturso.Cursor) for thing in gc.get_objects())

        before = cursors()
        for _ in range(20):
            await fail()
        await connection.execute("SELECT 1")
        await asyncio.sleep(0)
        assert cursors() <= before + 1


async def test_the_next_trip_brings_twice_as_many_rows(path: str) -> None:
    """Bugs: each chunk costs a trip to the thread however many there are; or they grow without end, and into the next result."""
    from aioturso.rows import Rows

    rows: Rows[int] = Rows(chunk_size=4)
    limits: list[int] = []

    def read_rows(limit: int, _asked: int, _spent: float) -> tuple[list[int], bool, None]:
        limits.append(limit)
        return list(range(limit)), False, None

    for _ in range(2):
        limits.clear()
        rows.drop()
        rows.begin(read_rows)
        for _ in range(7):
            while rows.next_ahead(None) is not None:
                pass
            rows.begin(read_rows)
        assert limits == [4, 8, 16, 16, 16, 16, 16, 16]


def test_a_loop_that_closes_behind_a_cursor_takes_no_connection_with_it(path: str) -> None:
    """Bug: the end of a cursor is told to the loop that used it; that this loop is closed by then closed the connection."""

    async def read(connection: aioturso.Connection[Any]) -> None:
        async with connection.execute("SELECT 1") as cursor:
            assert await cursor.fetchall() == [(1,)]

    async def opened() -> aioturso.Connection[Any]:
        connection = await aioturso.connect(path)
        await read(connection)
        return connection

    connection = asyncio.run(opened())
    for _ in range(3):
        asyncio.run(read(connection))
    asyncio.run(connection.close())
