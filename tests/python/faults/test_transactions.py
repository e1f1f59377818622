"""Transactions of tasks that share a connection: each is done as a whole or not at all, whoever is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from typing import Any

import aioturso
import pytest
from children import ENDLESS
from conftest import Connect, Note
from remains import HANGING

ACCOUNTS = 5
BALANCE = 1000


async def with_accounts(connection: aioturso.Connection[Any]) -> aioturso.Connection[Any]:
    await connection
    async with connection.transaction():
        await connection.execute("CREATE TABLE account (name INTEGER PRIMARY KEY, balance INTEGER)")
        await connection.executemany("INSERT INTO account VALUES (?, ?)", [(n, BALANCE) for n in range(ACCOUNTS)])
    return connection


class Unlucky(Exception):
    """A program's own error in the middle of a block."""


async def test_cancelled_in_transactions_at_random_points(path: str, connect: Connect, note: Note) -> None:
    """Bugs: a call from outside runs in the middle of a block; a block that is cancelled or raises is committed; its turn
    never ends, and all others wait for ever."""
    connection = await with_accounts(connect(path))
    chance = random.Random(12)
    counts: Counter[str] = Counter()

    async def move(source: int, target: int, amount: int, how: str) -> None:
        async with connection.transaction():
            await connection.execute("UPDATE account SET balance = balance - ? WHERE name = ?", (amount, source))
            with contextlib.suppress(Unlucky):
                async with connection.transaction():
                    await connection.execute("UPDATE account SET balance = balance * 2")
                    raise Unlucky
            if how == "endless":
                await connection.execute_fetchall(ENDLESS)
            await connection.execute("UPDATE account SET balance = balance + ? WHERE name = ?", (amount, target))
            if how == "unlucky":
                raise Unlucky

    async def try_to_move() -> None:
        for _ in range(60):
            how = chance.choice(["whole", "whole", "unlucky", "endless", "cancelled"])
            task = asyncio.ensure_future(move(*chance.sample(range(ACCOUNTS), 2), chance.randrange(100), how))
            if how in ("endless", "cancelled"):
                await asyncio.sleep(chance.choice([0, 0.0005, 0.003, 0.01]))
                task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            assert outcome is None or isinstance(outcome, (Unlucky, asyncio.CancelledError)), repr(outcome)
            counts["done" if outcome is None else type(outcome).__name__] += 1

    async def watch(over: asyncio.Event) -> None:
        while not over.is_set():
            assert await connection.execute_fetchall("SELECT sum(balance) FROM account") == [(ACCOUNTS * BALANCE,)]
            counts["looks"] += 1

    over = asyncio.Event()
    watching = asyncio.ensure_future(watch(over))
    await asyncio.wait_for(asyncio.gather(*(try_to_move() for _ in range(4))), HANGING)
    over.set()
    await asyncio.wait_for(watching, HANGING)
    assert not connection.in_transaction
    await asyncio.wait_for(connection.close(), HANGING)
    async with connect(path) as again:
        assert await again.execute_fetchall("SELECT sum(balance) FROM account") == [(ACCOUNTS * BALANCE,)]
    note(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    assert counts["CancelledError"] > 20 and counts["done"] > 20


async def test_waiting_for_ones_own_transaction(path: str, connect: Connect) -> None:
    """Bug: whoever waits for something that waits for him waits for ever."""
    async with connect(path) as first, connect(path + "-other") as second:
        inside = asyncio.Barrier(2) if hasattr(asyncio, "Barrier") else None
        if inside is None:
            pytest.skip("asyncio.Barrier came with 3.11")

        async def cross(one: aioturso.Connection[Any], other: aioturso.Connection[Any]) -> str:
            try:
                async with one.transaction():
                    await inside.wait()
                    await other.execute("SELECT 1")
            except aioturso.OperationalError as error:
                return str(error)
            return "done"

        outcomes = await asyncio.wait_for(asyncio.gather(cross(first, second), cross(second, first)), HANGING)
        assert sorted("wait for ever" in outcome for outcome in outcomes) == [False, True], outcomes
        async with first.transaction():
            with pytest.raises(aioturso.ProgrammingError):
                await asyncio.wait_for(first.commit(), HANGING)


async def test_closed_in_a_transaction_while_others_wait(path: str, connect: Connect) -> None:
    """Bug: those in the line for their turn are forgotten by the close, and wait for ever."""
    connection = await with_accounts(connect(path))
    begun = asyncio.Event()

    async def hold() -> None:
        async with connection.transaction():
            await connection.execute("DELETE FROM account")
            begun.set()
            await asyncio.sleep(3600)

    holding = asyncio.ensure_future(hold())
    await begun.wait()
    waiting = [asyncio.ensure_future(connection.execute("SELECT 1")) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.wait_for(connection.close(), HANGING)
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), HANGING)
    assert {type(outcome) for outcome in outcomes} == {aioturso.ClosedError}
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    async with connect(path) as again:
        assert await again.execute_fetchall("SELECT count(*) FROM account") == [(ACCOUNTS,)]
