"""One way to write a test for both colours of the sync driver.

`Replica` has the calls of a connection as coroutines; behind them is either the asyncio connection or the blocking one, which
then blocks the loop: nothing else runs in it. `SYNC_DRIVER=turso` takes the published driver in place of ours, where the API is
the same: that proves the servers and the tests.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from servers import Server, Value

DRIVER = os.environ.get("SYNC_DRIVER", "aioturso")
"""The package under test: `aioturso`, or `turso` for the published one."""

COLOURS = ["blocking", "asyncio"]

package: Any = importlib.import_module(DRIVER)
blocking: Any = importlib.import_module(f"{DRIVER}.sync")
asynchronous: Any = importlib.import_module(f"{DRIVER}.aio.sync")


class Replica:
    """A connection to a local database that is kept in step with a server's."""

    def __init__(self, connection: Any, *, is_blocking: bool) -> None:
        self.connection = connection
        self.is_blocking = is_blocking

    async def _call(self, method: Callable[..., Any], *arguments: Any) -> Any:
        result = method(*arguments)
        return result if self.is_blocking else await result

    async def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        """Runs a statement and returns its rows."""
        cursor = await self._call(self.connection.execute, sql, parameters)
        rows = await self._call(cursor.fetchall)
        await self._call(cursor.close)
        return [tuple(row) for row in rows]

    async def run(self, *statements: str | tuple[str, Sequence[Value]]) -> None:
        """Runs statements in one transaction."""
        for statement in statements:
            await self.rows(*([statement] if isinstance(statement, str) else statement))
        await self.commit()

    async def run_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Runs a statement with each of the rows, in one transaction."""
        cursor = await self._call(self.connection.executemany, sql, list(rows))
        await self._call(cursor.close)
        await self.commit()

    async def commit(self) -> None:
        await self._call(self.connection.commit)

    async def pull(self) -> bool:
        pulled: bool = await self._call(self.connection.pull)
        return pulled

    async def push(self) -> None:
        await self._call(self.connection.push)

    async def checkpoint(self) -> None:
        await self._call(self.connection.checkpoint)

    async def stats(self) -> Any:
        return await self._call(self.connection.stats)

    async def conflicts(self) -> list[Any]:
        return list(await self._call(self.connection.conflicts))

    async def resolve(self, conflict: Any, keep: str) -> None:
        await self._call(self.connection.resolve, conflict, keep)

    async def close(self) -> None:
        await self._call(self.connection.close)

    async def is_sound(self) -> bool:
        """Whether the database passes the engine's own check."""
        return await self.rows("PRAGMA integrity_check") == [("ok",)]


class Replicas:
    """Opens replicas of one colour in one folder."""

    def __init__(self, folder: str, colour: str) -> None:
        self.folder = folder
        self.is_blocking = colour == "blocking"

    def path(self, name: str) -> str:
        return os.path.join(self.folder, f"{name}.db")

    async def connect(self, name: str, server: Server | str | Callable[[], str], **options: Any) -> Replica:
        """Opens a replica by its name; whoever opens it closes it."""
        remote_url = server.url if isinstance(server, Server) else server
        module = blocking if self.is_blocking else asynchronous
        connection = module.connect(self.path(name), remote_url, **options)
        return Replica(connection if self.is_blocking else await connection, is_blocking=self.is_blocking)

    @asynccontextmanager
    async def open(self, name: str, server: Server | str | Callable[[], str], **options: Any) -> AsyncIterator[Replica]:
        """Opens a replica by its name, for a block."""
        replica = await self.connect(name, server, **options)
        try:
            yield replica
        finally:
            await replica.close()
