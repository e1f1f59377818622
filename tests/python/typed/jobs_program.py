"""A user's program over both faces of `turso_jobs`, for the type checkers in strict mode; a test runs it too."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from turso_jobs import (
    Client,
    Health,
    Job,
    LeaseLost,
    Opening,
    QueueStats,
    Row,
    SyncTransaction,
    Transaction,
    connect,
    connect_sync,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: Any, _type: Any) -> Any:
        return value


async def awaited(path: str) -> None:
    async with connect(path, lease=10.0) as client:
        assert_type(client, Client)
        assert_type(await client.migrate(), int)
        task = asyncio.create_task(client.insert("greet", queue="urgent", delay=0.0))
        assert_type(await task, int)
        assert_type(await client.insert_many("greet", ["a", "b"], max_attempts=None), list[int])
        opening = client.transaction()
        assert_type(opening, Opening[Transaction])
        async with opening as transaction:
            assert_type(transaction, Transaction)
            assert_type(await transaction.execute("SELECT ?", (1,)), int)
            assert_type(await transaction.fetch_optional("SELECT :a", {"a": b""}), Row | None)
        again = await client.transaction()
        await again.rollback()
        assert_type(client.deliveries(), AsyncIterator[Job])
        async for job in client.deliveries("urgent"):
            assert_type(job, Job)
            try:
                await client.complete(job.id, job.attempt)
            except LeaseLost as error:
                print(error)
            break
        assert_type(await client.health_check(), Health)
        assert_type(await client.queue_stats(), list[QueueStats])
    waiting: Opening[Client] = connect(path)
    client = await waiting
    await client.close()


def blocking(path: str) -> None:
    with connect_sync(path) as client:
        assert_type(client, Client)
        assert_type(client.insert_sync("greet", queue="urgent", delay=0.0), int)
        with client.transaction_sync() as transaction:
            assert_type(transaction, SyncTransaction)
            assert_type(transaction.execute("SELECT ?", (1,)), int)
            assert_type(transaction.fetch_all("SELECT 1"), list[Row])
            assert_type(transaction.insert("greet"), int)
        assert_type(client.deliveries_sync(), Iterator[Job])
        for job in client.deliveries_sync():
            client.fail_sync(job.id, job.attempt, "no")
            break
        assert_type(client.list_jobs_sync(state="failed", limit=5), list[Job])


if __name__ == "__main__":
    asyncio.run(awaited(sys.argv[1]))
    blocking(sys.argv[1])
