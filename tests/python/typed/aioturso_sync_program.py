"""A user's program over `aioturso.sync` and `aioturso.aio.sync`, for the type checkers in strict mode; a test runs it too.

No server listens at the address, so that the program is what one on a train is: it works, and synchronises later.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import aioturso
import aioturso.aio.sync
import aioturso.sync
from aioturso.sync import Conflict, PartialSyncOpts, PartialSyncPrefixBootstrap, RemoteEncryptionCipher, SyncStats

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: Any, _type: Any) -> Any:
        return value


NOWHERE = "http://127.0.0.1:9"


def token() -> str:
    return "a token that is good for an hour"


async def asynchronous(path: str) -> None:
    connecting = aioturso.aio.sync.connect(path, lambda: NOWHERE, auth_token=token, bootstrap_if_empty=False)
    assert_type(connecting, aioturso.aio.sync.ConnectionSync)
    async with connecting as connection:
        assert_type(connection, aioturso.aio.sync.ConnectionSync)
        assert_type(await connection, aioturso.aio.sync.ConnectionSync)
        await connection.execute("CREATE TABLE book (title TEXT)")
        async with connection.transaction() as inside:
            assert_type(inside, aioturso.aio.sync.ConnectionSync)
            await inside.execute("INSERT INTO book VALUES ('Dune')")
        cursor = await connection.execute("SELECT title FROM book")
        assert_type(await cursor.fetchone(), "tuple[Any, ...] | None")
        assert cursor.connection is connection

        stats = await connection.stats()
        assert_type(stats, SyncStats)
        assert_type(stats.revision, "str | None")
        assert stats.cdc_operations > 0
        conflicts = await connection.conflicts()
        assert_type(conflicts, list[Conflict])
        for conflict in conflicts:
            await connection.resolve(conflict, "remote")
        await connection.checkpoint()
        pulling = asyncio.create_task(connection.pull())
        assert_type(pulling, "asyncio.Task[bool]")
        try:
            await asyncio.gather(pulling, connection.push())
        except aioturso.OperationalError as error:
            assert token() not in str(error)
        await asyncio.gather(pulling, return_exceptions=True)

    awaited = await aioturso.aio.sync.connect(path, NOWHERE, row_factory=aioturso.Row)
    assert_type(awaited, aioturso.aio.sync.ConnectionSync[aioturso.Row])
    row = await (await awaited.execute("SELECT title FROM book")).fetchone()
    assert row is not None and row["title"] == "Dune"
    await awaited.close()


def blocking(path: str) -> None:
    cipher: RemoteEncryptionCipher | None = None
    partial = PartialSyncOpts(PartialSyncPrefixBootstrap(length=4096), prefetch=True)
    assert partial == PartialSyncOpts(bootstrap_strategy=PartialSyncPrefixBootstrap(4096), prefetch=True)
    connection = aioturso.sync.connect(
        path, NOWHERE, bootstrap_if_empty=False, remote_encryption_cipher=cipher, connect_timeout=1.0
    )
    assert_type(connection, aioturso.sync.ConnectionSync)
    assert connection.cursor().connection is connection
    connection.execute("CREATE TABLE book (title TEXT)")
    with connection:
        connection.execute("INSERT INTO book VALUES ('Ubik')")
    assert_type(connection.stats().network_sent_bytes, int)
    try:
        assert_type(connection.pull(), bool)
    except connection.OperationalError:
        assert_type(connection.conflicts(), list[Conflict])
    connection.close()


if __name__ == "__main__":
    blocking(sys.argv[1])
    asyncio.run(asynchronous(f"{sys.argv[1]}-2"))
