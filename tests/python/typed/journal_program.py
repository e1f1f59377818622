"""A user's program over `journal_aio`, for the type checkers in strict mode; a test runs it too."""

from __future__ import annotations

import asyncio
import pathlib
import sys
from typing import TYPE_CHECKING, Any

import journal_aio
import journal_aio.lib

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: Any, _type: Any) -> Any:
        return value


async def asynchronous(path: pathlib.Path) -> None:
    async with journal_aio.open(path, largest_entry=100) as journal:
        number = await journal.append("left the harbour")
        assert_type(number, int)
        await journal.append_all(["saw a whale", "came home"])
        assert_type(journal.length, int)
        assert_type(journal.path, pathlib.Path)
        journal.largest_entry = 20

        reader = await journal.read(first=1)
        entry = await reader.next_entry()
        assert_type(entry, "tuple[int, str] | None")
        assert entry == (1, "saw a whale")
        assert_type(await reader.remaining(), "list[tuple[int, str]]")

        texts: list[str] = []
        async for _number, text in await journal.read():
            texts.append(text)
        assert texts == ["left the harbour", "saw a whale", "came home"]
        try:
            await journal.append("x" * 50)
        except journal_aio.EntryTooLong as error:
            assert isinstance(error, journal_aio.JournalError)


def blocking(path: pathlib.Path) -> None:
    with journal_aio.lib.open(path, create=False) as journal:
        assert_type(journal.length, int)
        for _number, text in journal.read(2):
            assert text == "came home"
        journal.flush_to_disk()


if __name__ == "__main__":
    asyncio.run(asynchronous(pathlib.Path(sys.argv[1])))
    blocking(pathlib.Path(sys.argv[1]))
