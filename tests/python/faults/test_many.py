"""Much of everything: many connections at once, and all faults together for long."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import faulthandler
import random
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import aioturso
import pytest
from children import ENDLESS
from conftest import Connect, Note
from remains import HANGING, check_nothing_is_left, holdings

CONNECTIONS = 1000


async def test_a_thousand_connections_at_once(tmp_path: Path, connect: Connect, note: Note) -> None:
    """Bug: one of them is never answered, or leaves its thread or its file."""
    await (await connect(tmp_path / "0.db")).close()
    before = holdings()
    everyone_is_here = asyncio.Event()
    arrived = 0

    async def use(number: int) -> Any:
        nonlocal arrived
        # Half of them share files: there may be no more files open in a process than a thousand.
        async with connect(":memory:" if number % 2 else tmp_path / f"{number % 50}.db") as connection:
            arrived += 1
            if arrived == CONNECTIONS:
                everyone_is_here.set()
            await asyncio.wait_for(everyone_is_here.wait(), 3 * HANGING)
            return await connection.execute_fetchall("SELECT ?, count(*) FROM generate_series(1, 100)", (number,))

    began = time.monotonic()
    answers = asyncio.gather(*[use(number) for number in range(CONNECTIONS)])
    here = asyncio.ensure_future(everyone_is_here.wait())
    # Whoever fails has nobody wait for the others.
    await asyncio.wait([answers, here], timeout=3 * HANGING, return_when=asyncio.FIRST_COMPLETED)
    here.cancel()
    most = holdings()
    assert await answers == [[(number, 100)] for number in range(CONNECTIONS)]
    note(f"{most}, {time.monotonic() - began:.1f} s")
    await check_nothing_is_left(dataclasses.replace(before, memory=most.memory))


class Soak:
    """Does at random what the other tests do one by one, and counts it."""

    def __init__(self, folder: Path, connect: Connect, chance: random.Random) -> None:
        self.folder = folder
        self.connect = connect
        self.chance = chance
        self.counts: Counter[str] = Counter()

    async def run(self, until: float) -> None:
        deeds = [
            self.use,
            self.cancel,
            self.time_out,
            self.fail_to_open,
            self.cancel_open,
            self.race,
            self.drop,
            self.raise_,
        ]
        while time.monotonic() < until:
            deed = self.chance.choice(deeds)
            await asyncio.wait_for(deed(), HANGING)
            self.counts[deed.__name__] += 1

    def path(self) -> Path:
        return self.folder / f"{self.chance.randrange(5)}.db"

    async def ask(self, connection: aioturso.Connection[Any], sql: str) -> list[Any]:
        """The rows of a query, in one call or by native ones."""
        way = self.chance.choice(["one call", "fetchall", "fetchmany", "fetchone", "iteration"])
        if way == "one call":
            return list(await connection.execute_fetchall(sql))
        async with connection.execute(sql) as cursor:
            if way == "fetchall":
                return list(await cursor.fetchall())
            if way == "fetchmany":
                return list(await cursor.fetchmany(10))
            if way == "fetchone":
                return [await cursor.fetchone()]
            return [row async for row in cursor]

    async def use(self) -> None:
        number = self.chance.randrange(1000)
        async with self.connect(":memory:") as connection:
            await connection.execute("CREATE TABLE t (a)")
            await connection.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(number)])
            await connection.commit()
            assert [n async for (n,) in connection.execute("SELECT a FROM t")] == list(range(number))

    async def cancel(self) -> None:
        async with self.connect(self.path()) as connection:
            tasks = [asyncio.ensure_future(self.ask(connection, sql)) for sql in [ENDLESS, "SELECT 1"] * 3]
            await asyncio.sleep(self.chance.random() * 0.002)
            for task in tasks[::2]:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert results[1::2] == [[(1,)]] * 3, results

    async def time_out(self) -> None:
        async with self.connect(self.path()) as connection:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.ask(connection, ENDLESS), 0.005)
            assert await self.ask(connection, "SELECT 1") == [(1,)]

    async def fail_to_open(self) -> None:
        with pytest.raises(aioturso.OperationalError):
            await self.connect(self.folder / "missing" / "a.db")

    async def cancel_open(self) -> None:
        async def opening() -> aioturso.Connection[Any]:
            return await self.connect(self.path())

        task = asyncio.ensure_future(opening())
        await asyncio.sleep(self.chance.random() * 0.001)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await (await task).close()

    async def race(self) -> None:
        connection = await self.connect(self.path())
        calls = [asyncio.ensure_future(self.ask(connection, "SELECT 1")) for _ in range(10)]
        await asyncio.sleep(0)
        closes = [asyncio.ensure_future(connection.close()) for _ in range(2)]
        for result in await asyncio.gather(*calls, *closes, return_exceptions=True):
            assert result in (None, [(1,)]) or isinstance(result, aioturso.ProgrammingError), result

    async def drop(self) -> None:
        connection = await self.connect(self.path())
        connection.execute("SELECT value FROM generate_series(1, 1000)")

    async def raise_(self) -> None:
        def factory(_cursor: Any, _row: Any) -> object:
            raise ValueError("from the factory")

        async with self.connect(":memory:", row_factory=factory) as connection:
            with pytest.raises(ValueError, match="from the factory"):
                await self.ask(connection, "SELECT 1")


async def test_soak(
    tmp_path: Path, connect: Connect, note: Note, soak_seconds: float, request: pytest.FixtureRequest
) -> None:
    """Bug: whatever leaves a little behind each time."""
    # It may last longer than what counts as hanging otherwise.
    faulthandler.dump_traceback_later(soak_seconds + 240, exit=True, file=sys.__stderr__)
    request.addfinalizer(faulthandler.cancel_dump_traceback_later)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        soak = Soak(tmp_path, connect, random.Random(9))

        async def for_seconds(seconds: float) -> None:
            until = time.monotonic() + seconds
            await asyncio.gather(*[soak.run(until) for _ in range(4)])

        await for_seconds(soak_seconds / 4)
        before = holdings()
        await for_seconds(soak_seconds * 3 / 4)
        after = await check_nothing_is_left(before)
    note(f"{sum(soak.counts.values())} deeds; {before.memory >> 20} MiB before, {after}")
