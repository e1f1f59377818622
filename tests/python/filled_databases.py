"""Databases with rows in them, and what several tests ask of them."""

from __future__ import annotations

import asyncio
import threading

import aioturso

SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
"""Never ends by itself."""


async def filled(path: str, rows: int) -> aioturso.Connection:
    connection = await aioturso.connect(path)
    await connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    await connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(rows)])
    await connection.commit()
    return connection


async def threads_settle_at(count: int) -> None:
    for _ in range(500):
        if threading.active_count() == count:
            break
        await asyncio.sleep(0.01)
    assert threading.active_count() == count, threading.enumerate()


async def rows_of(connection: aioturso.Connection) -> list[int]:
    return [number for (number,) in await connection.execute_fetchall("SELECT a FROM t ORDER BY a")]
