"""The asyncio drivers, each behind the same few methods: what differs between them stands here, and nothing else.

A method makes the calls that a user of that driver would make. None adds a hop that the driver does not need, and none
saves one by what the others do not offer.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import data


class Driver(ABC):
    """An asyncio driver."""

    name: str
    package: str
    has_fetchmany = True

    @property
    def version(self) -> str:
        """The version that is installed."""
        return version(self.package)

    @abstractmethod
    async def open(self, path: Path | str) -> Any:
        """An open connection."""

    async def close(self, connection: Any) -> None:
        """Closes a connection."""
        await connection.close()

    async def close_cursor(self, cursor: Any) -> None:
        """Closes a cursor."""
        await cursor.close()

    async def execute(self, connection: Any, sql: str, parameters: tuple[Any, ...] = ()) -> Any:
        """Runs a statement and gives its cursor."""
        return await connection.execute(sql, parameters)

    async def executemany(self, connection: Any, sql: str, rows: Iterable[data.Row]) -> None:
        """Runs a statement for each row."""
        await connection.executemany(sql, rows)

    async def select_one(self, connection: Any, key: int) -> Any:
        """The row of that id: a statement, its row, and the end of its cursor."""
        cursor = await connection.execute(data.SELECT_POINT, (key,))
        row = await cursor.fetchone()
        await self.close_cursor(cursor)
        return row

    async def iterate(self, connection: Any, sql: str) -> tuple[int, int]:
        """Reads all rows one by one in the driver's own way of iterating; their number and the sum of their ids."""
        count = total = 0
        cursor = await connection.execute(sql)
        async for row in cursor:
            count += 1
            total += row[0]
        return count, total

    async def populate(self, connection: Any, large: bool) -> None:
        """Makes the tables that a file has from its template, in a database in memory."""
        for statement in (data.CREATE_ITEM, data.CREATE_ENTRY, data.CREATE_LARGE):
            await connection.execute(statement)
        await connection.execute("BEGIN")
        await self.executemany(connection, data.INSERT_ITEM, list(data.rows(data.ITEMS)))
        if large:
            await self.executemany(connection, data.INSERT_LARGE, list(data.rows(data.LARGE)))
        await connection.execute("COMMIT")


class AioTurso(Driver):
    """This repository's."""

    name = "aioturso"
    package = "aioturso"

    async def open(self, path: Path | str) -> Any:
        import aioturso

        return await aioturso.connect(path)


class AioTursoForOneVersion(AioTurso):
    """The same, built for just this version of Python and not for the stable ABI."""

    name = "aioturso-cp"


class AioTursoOtherWorker(AioTurso):
    """The same with the worker that is not the default: it is chosen before the package is imported."""

    name = "other-worker"


class TursoAio(Driver):
    """The published driver of the same engine. Its cursors cannot be iterated over, so each row is fetched."""

    name = "turso.aio"
    package = "pyturso"

    async def open(self, path: Path | str) -> Any:
        import turso.aio

        return await turso.aio.connect(str(path))

    async def iterate(self, connection: Any, sql: str) -> tuple[int, int]:
        count = total = 0
        cursor = await connection.execute(sql)
        while (row := await cursor.fetchone()) is not None:
            count += 1
            total += row[0]
        return count, total


class AioSqlite(Driver):
    """The asyncio driver for SQLite that most programs use."""

    name = "aiosqlite"
    package = "aiosqlite"

    async def open(self, path: Path | str) -> Any:
        import aiosqlite

        return await aiosqlite.connect(path)


class Apsw(Driver):
    """APSW's own asyncio mode. It has no `fetchmany`."""

    name = "apsw"
    package = "apsw"
    has_fetchmany = False

    async def open(self, path: Path | str) -> Any:
        import apsw

        return await apsw.Connection.as_async(str(path))

    async def close(self, connection: Any) -> None:
        await connection.aclose()

    async def close_cursor(self, cursor: Any) -> None:
        await cursor.aclose()


DRIVERS: dict[str, Driver] = {
    driver.name: driver
    for driver in (
        AioTurso(),
        TursoAio(),
        AioSqlite(),
        Apsw(),
        AioTursoOtherWorker(),
        AioTursoForOneVersion(),
    )
}
