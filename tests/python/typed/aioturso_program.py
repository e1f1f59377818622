"""A user's program over `aioturso`, for the type checkers in strict mode; a test runs it too.

`assert_type` makes the checkers fail where a type was lost on the way (`Any` in place of `Cursor`, say).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import aioturso
import aioturso.lib

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: Any, _type: Any) -> Any:
        return value


BOOKS: Sequence[tuple[str, int]] = [("Dune", 1965), ("Ubik", 1969), ("Solaris", 1961)]


async def fill(connection: aioturso.Connection) -> int:
    await connection.execute("CREATE TABLE book (title TEXT, year INTEGER)")
    cursor = await connection.executemany("INSERT INTO book VALUES (?, ?)", BOOKS)
    assert_type(cursor.rowcount, int)
    await connection.commit()
    return cursor.rowcount


async def titles_since(connection: aioturso.Connection, year: int) -> list[str]:
    titles: list[str] = []
    query = "SELECT title FROM book WHERE year >= :year ORDER BY year"
    async with connection.execute(query, {"year": year}) as cursor:
        assert_type(cursor.connection is connection, bool)
        async for row in cursor:
            titles.append(str(row[0]))
    return titles


async def asynchronous(path: str) -> None:
    async with aioturso.connect(path, timeout=1.0, isolation_level="IMMEDIATE") as connection:
        assert await fill(connection) == 3
        assert await titles_since(connection, 1965) == ["Dune", "Ubik"]

        cursor = await connection.execute("SELECT title, year FROM book ORDER BY year")
        first = await cursor.fetchone()
        assert first is not None and first[0] == "Solaris"
        assert len(await cursor.fetchmany(1)) + len(await cursor.fetchall()) == 2
        assert_type(cursor.arraysize, int)
        assert_type(cursor.lastrowid, "int | None")
        await cursor.close()

        assert_type(connection.in_transaction, bool)
        assert_type(connection.total_changes, int)
        connection.isolation_level = None

        async for line in connection.iterdump():
            assert_type(line, str)
        assert_type(await connection.iterdump(), list[str])
        await connection.execute("SELECT ?, ?, ?", (b"bytes", bytearray(b"bytearray"), memoryview(b"memoryview")))

        async with connection.transaction("IMMEDIATE") as inside:
            assert_type(inside, aioturso.Connection)
            async with connection.transaction():
                await inside.execute("DELETE FROM book WHERE year < ?", (1900,))

        commit = asyncio.create_task(connection.commit())
        assert_type(await commit, None)
        try:
            await connection.execute("SELECT * FROM nowhere")
        except aioturso.OperationalError as error:
            assert "nowhere" in str(error)


class Library(aioturso.lib.Connection):
    """A class of the user's own."""

    def books(self) -> int:
        return int(self.execute("SELECT count(*) FROM book").fetchall()[0][0])


def blocking(path: str) -> None:
    connection = aioturso.lib.connect(path.encode())
    with connection:
        cursor = connection.execute("SELECT title, year FROM book WHERE year < ?", (1969,))
        assert len(cursor.fetchall()) == 2
        for row in connection.execute("SELECT title FROM book"):
            assert isinstance(row[0], str)
        assert_type(cursor.connection is connection, bool)
    connection.close()

    library = aioturso.lib.connect(path, factory=Library)
    assert_type(library, Library)
    assert library.books() == 3
    library.close()
    by_position = aioturso.lib.connect(path, 1.0, 0, None, True, Library)
    assert_type(by_position, Library)
    by_position.close()


if __name__ == "__main__":
    asyncio.run(asynchronous(sys.argv[1]))
    blocking(sys.argv[1])
