"""Opening: whoever does not get a connection leaves nothing behind, neither a thread nor a file nor memory."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import aioturso
import pytest
from conftest import Connect, Note
from remains import check_nothing_is_left, holdings

TIMES = 300


@pytest.mark.parametrize("fault", ["no such directory", "a directory", "no database"])
async def test_an_open_that_fails(tmp_path: Path, connect: Connect, note: Note, fault: str) -> None:
    """Bug: the thread of a connection that nobody ever had, one more with each attempt."""
    path = {
        "no such directory": tmp_path / "missing" / "a.db",
        "a directory": tmp_path,
        "no database": tmp_path / "text",
    }
    (tmp_path / "text").write_bytes(b"This is no database. " * 500)

    async def fail() -> None:
        connection = connect(path[fault])
        with pytest.raises(aioturso.DatabaseError):
            await connection
            await connection.execute("SELECT * FROM sqlite_schema")
        await connection.close()

    for _ in range(20):
        await fail()
    before = holdings()
    await asyncio.gather(*[fail() for _ in range(20)])
    for _ in range(TIMES):
        await fail()
    note(str(await check_nothing_is_left(before)))


async def test_a_failed_open_ends_by_itself(tmp_path: Path, connect: Connect, note: Note) -> None:
    """Bug: it takes a close to end the thread, and nobody closes what could not be opened."""

    async def fail() -> None:
        with pytest.raises(aioturso.OperationalError, match="missing"):
            await connect(tmp_path / "missing" / "a.db")

    await fail()
    before = holdings()
    for _ in range(TIMES):
        await fail()
    note(str(await check_nothing_is_left(before)))


async def test_an_open_that_is_cancelled(path: str, connect: Connect, note: Note) -> None:
    """Bug: the database is opened for a task that is gone, and nobody closes it."""
    await (await connect(path)).close()
    before = holdings()
    chance = random.Random(7)
    outcomes: Counter[str] = Counter()

    async def opening() -> aioturso.Connection[Any]:
        return await connect(path)

    for _ in range(TIMES):
        task = asyncio.create_task(opening())
        for _ in range(chance.choice([0, 1, 1, 2])):
            await asyncio.sleep(0)
        if chance.random() < 0.5:
            await asyncio.sleep(chance.random() * 0.0006)
        task.cancel()
        try:
            connection = await task
        except asyncio.CancelledError:
            outcomes["cancelled"] += 1
        else:
            outcomes["opened"] += 1
            await connection.close()
    note(", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()))
    note(str(await check_nothing_is_left(before)))
    assert outcomes["cancelled"] > TIMES / 5


async def test_an_open_that_is_never_awaited(path: str, connect: Connect, note: Note) -> None:
    """Bug: a thread, a file or a warning from something that was only made."""
    before = holdings()
    for _ in range(TIMES):
        connect(path)
    assert holdings().threads == before.threads
    assert not Path(path).exists()
    note(str(await check_nothing_is_left(before)))
