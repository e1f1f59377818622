"""What the tests of transactions share: connections with a table `t (a)`, and what can be seen of them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from typing import Any

import aioturso
import aioturso.lib

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
