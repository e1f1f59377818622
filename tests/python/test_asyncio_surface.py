"""How the asyncio driver may be called: what aiosqlite's users write, and what went wrong with it."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import aioturso
import aioturso.lib
import pytest

DUMP = ["BEGIN TRANSACTION;", "CREATE TABLE t (a);", 'INSERT INTO "t" VALUES(1);', "COMMIT;"]


async def test_a_dump_is_read_with_async_for(path: str) -> None:
    """Bug: `async for line in connection.iterdump()`, which is how aiosqlite has it, was a TypeError."""
    async with aioturso.connect(path) as connection:
        await connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1);")
        lines = [line async for line in connection.iterdump()]
        assert lines == await connection.iterdump() == DUMP
        async for line in connection.iterdump():
            assert line == DUMP[0]
            break
        assert await connection.execute_fetchall("SELECT a FROM t") == [(1,)]


async def test_a_dump_that_fails_raises_in_async_for(path: str) -> None:
    async with aioturso.connect(path) as connection:
        pass
    with pytest.raises(aioturso.ProgrammingError, match="closed"):
        async for _ in connection.iterdump():
            pytest.fail("there is nothing to read")


class BytesPath:
    def __init__(self, path: bytes) -> None:
        self._path = path

    def __fspath__(self) -> bytes:
        return self._path


async def test_a_path_may_be_bytes(tmp_path: Path) -> None:
    """Bug: a TypeError, where sqlite3 and aiosqlite take bytes and what has a path of bytes."""
    for number, made in enumerate([lambda path: path, BytesPath]):
        path = os.fsencode(tmp_path / f"{number}.db")
        async with aioturso.connect(made(path)) as connection:
            await connection.executescript("CREATE TABLE t (a)")
        assert os.path.getsize(path) > 0
        aioturso.lib.connect(made(path)).close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a file's name is text")
async def test_a_path_of_bytes_that_are_no_text_says_so(tmp_path: Path) -> None:
    """The engine takes paths in UTF-8; no other file comes to be instead."""
    with pytest.raises(aioturso.NotSupportedError, match="path in UTF-8"):
        await aioturso.connect(os.fsencode(tmp_path) + b"/\xff.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [5, None, object()])
async def test_what_is_no_path_is_a_type_error(path: Any) -> None:
    with pytest.raises(TypeError, match=r"str, bytes or os\.PathLike"):
        aioturso.lib.connect(path)
    with pytest.raises(TypeError, match=r"str, bytes or os\.PathLike"):
        await aioturso.connect(path)


async def test_a_cursor_made_with_wrong_arguments_is_dropped_in_silence(path: str) -> None:
    """Bug: "Exception ignored in __del__: … no attribute '_cursor'" behind the TypeError."""
    ignored: list[object] = []
    hook, sys.unraisablehook = sys.unraisablehook, ignored.append
    try:
        async with aioturso.connect(path) as connection:
            with pytest.raises(TypeError):
                aioturso.Cursor(connection)  # type: ignore[call-arg]
            await asyncio.sleep(0)
    finally:
        sys.unraisablehook = hook
    assert not ignored


def test_the_blocking_module_gives_away_its_own_names_only() -> None:
    """Bug: `from aioturso.lib import *` brought `os`, `Any` and the like."""
    names: dict[str, object] = {}
    exec("from aioturso.lib import *", names)
    assert not {"os", "time", "warnings", "datetime", "Any", "Callable", "TYPE_CHECKING"} & names.keys()
    assert {"connect", "Connection", "Cursor", "ClosedError", "Error", "SqlValue"} <= names.keys()
