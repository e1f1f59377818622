"""The two faces of the job queue, called alike: for scenarios that are written once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import turso_jobs
from turso_jobs import Client, Job, SyncTransaction, Transaction


class Face(Protocol):
    """One of the two ways to call the queue, for scenarios that are written once."""

    def open(self, path: str, **options: Any) -> Any: ...
    async def call(
        self, target: Client | Transaction | SyncTransaction, name: str, *args: Any, **keywords: Any
    ) -> Any: ...
    def transaction(self, client: Client) -> Any: ...
    async def deliveries(self, client: Client, count: int) -> list[Job]: ...


class Awaited:
    """Through the awaitables."""

    def open(self, path: str, **options: Any) -> Any:
        return turso_jobs.connect(path, **options)

    async def call(self, target: Any, name: str, *args: Any, **keywords: Any) -> Any:
        return await getattr(target, name)(*args, **keywords)

    def transaction(self, client: Client) -> Any:
        return client.transaction()

    async def deliveries(self, client: Client, count: int) -> list[Job]:
        found: list[Job] = []
        async for job in client.deliveries():
            found.append(job)
            if len(found) == count:
                break
        return found


@asynccontextmanager
async def entered(scope: Any) -> AsyncGenerator[Any]:
    with scope as opened:
        yield opened


class Twins:
    """Through the blocking twins."""

    def open(self, path: str, **options: Any) -> Any:
        return entered(turso_jobs.connect_sync(path, **options))

    async def call(self, target: Any, name: str, *args: Any, **keywords: Any) -> Any:
        twin = name if isinstance(target, SyncTransaction) else f"{name}_sync"
        return getattr(target, twin)(*args, **keywords)

    def transaction(self, client: Client) -> Any:
        return entered(client.transaction_sync())

    async def deliveries(self, client: Client, count: int) -> list[Job]:
        found: list[Job] = []
        for job in client.deliveries_sync():
            found.append(job)
            if len(found) == count:
                break
        return found
