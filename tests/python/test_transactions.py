"""A transaction as a block, `async with connection.transaction()`: how it begins and ends, and what it refuses.

Each test names the bug that it guards against. What was committed is looked at through a second connection.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import aioturso
import aioturso.lib
import pytest
from shared_connections import (
    ENDLESS_WRITE,
    add,
    committed,
    is_at_rest,
    opened,
    rows_of,
)

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
