"""What `connect` is told beside the path, on both sides: a URI, a key, the engine's experimental features, a file system.

And the largest values, which go through every conversion. Each test fails if its option is not passed on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import aioturso
import aioturso.lib
import pytest

SIDES = ["blocking", "asyncio"]
KEY = "b1bbfda4f589dc9daaf004fe21111e00dc00c98237102f5c7002a5669fc76327"
OTHER_KEY = KEY.replace("b", "c")


async def last_rows(side: str, place: Any, statements: Sequence[tuple[str, Sequence[Any]]], **options: Any) -> Any:
    """Opens a database, runs the statements, commits, and closes it. The rows of the last statement."""
    rows: Any = None
    if side == "asyncio":
        async with aioturso.connect(place, **options) as connection:
            for sql, parameters in statements:
                rows = await (await connection.execute(sql, parameters)).fetchall()
            await connection.commit()
    else:
        with closing(aioturso.lib.connect(place, **options)) as connection:
            for sql, parameters in statements:
                rows = connection.execute(sql, parameters).fetchall()
            connection.commit()
    return rows


MAKE: list[tuple[str, Sequence[Any]]] = [("CREATE TABLE t (a)", ()), ("INSERT INTO t VALUES (?)", ("secret text",))]
READ: list[tuple[str, Sequence[Any]]] = [("SELECT a FROM t", ())]


@pytest.mark.parametrize("side", SIDES)
async def test_a_uri_says_how_the_file_is_opened(side: str, tmp_path: Path) -> None:
    path = tmp_path / "a file.db"
    uri = f"file:{str(path).replace(' ', '%20')}"
    with pytest.raises(aioturso.OperationalError, match="does not exist"):
        await last_rows(side, f"{uri}?mode=rw", READ, uri=True)
    assert list(tmp_path.iterdir()) == []
    await last_rows(side, f"{uri}?mode=rwc", MAKE, uri=True)
    assert path.is_file()
    assert await last_rows(side, f"{uri}?mode=ro", READ, uri=True) == [("secret text",)]
    with pytest.raises(aioturso.OperationalError, match="readonly"):
        await last_rows(side, f"{uri}?mode=ro", [("INSERT INTO t VALUES (2)", ())], uri=True)
    assert await last_rows(side, path, READ) == [("secret text",)]


@pytest.mark.parametrize("side", SIDES)
async def test_what_looks_like_a_uri_is_a_file_if_nobody_says_so(
    side: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await last_rows(side, "file:name.db", MAKE)
    assert (tmp_path / "file:name.db").is_file()


@pytest.mark.parametrize("side", SIDES)
async def test_an_encrypted_file_is_read_with_its_key_alone(side: str, tmp_path: Path) -> None:
    path = tmp_path / "encrypted.db"
    await last_rows(side, path, MAKE, encryption=("aegis256", KEY))
    for file in tmp_path.iterdir():
        assert b"secret text" not in file.read_bytes(), file
    assert await last_rows(side, path, READ, encryption=("aegis256", KEY)) == [("secret text",)]
    for wrong in ({}, {"encryption": ("aegis256", OTHER_KEY)}):
        with pytest.raises(aioturso.DatabaseError) as caught:
            await last_rows(side, path, READ, **wrong)
        assert KEY not in str(caught.value)
    assert await last_rows(side, path, READ, encryption=("aegis256", KEY)) == [("secret text",)]
    with pytest.raises(aioturso.Error):
        await last_rows(side, tmp_path / "new.db", MAKE, encryption=("aegis256", "not hexadecimal"))
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize("side", SIDES)
async def test_a_feature_of_the_engine_is_there_if_it_is_asked_for(side: str, tmp_path: Path) -> None:
    statements: list[tuple[str, Sequence[Any]]] = [
        ("CREATE TABLE g (a, twice AS (a * 2))", ()),
        ("INSERT INTO g (a) VALUES (21)", ()),
        ("SELECT twice FROM g", ()),
    ]
    with pytest.raises(aioturso.OperationalError, match="generated"):
        await last_rows(side, ":memory:", statements)
    features = "generated_columns, attach"
    assert await last_rows(side, ":memory:", statements, experimental_features=features) == [(42,)]
    with pytest.raises(aioturso.NotSupportedError, match=r'no experimental feature "bogus".*generated_columns'):
        await last_rows(side, tmp_path / "new.db", MAKE, experimental_features="attach,bogus")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("side", SIDES)
async def test_a_file_system_is_named(side: str, tmp_path: Path) -> None:
    path = tmp_path / "named.db"
    await last_rows(side, path, MAKE, vfs="memory")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(aioturso.OperationalError, match="no such VFS: bogus") as caught:
        await last_rows(side, path, MAKE, vfs="bogus")
    assert str(path) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    "value", [bytes(range(256)) * 4096, "ü☂" * 200_000, b"", ""], ids=["blob", "text", "no bytes", "no text"]
)
async def test_large_and_empty_values_come_back_as_they_were(side: str, value: bytes | str, tmp_path: Path) -> None:
    path = tmp_path / "large.db"
    statements: list[tuple[str, Sequence[Any]]] = [
        ("CREATE TABLE t (a)", ()),
        ("INSERT INTO t VALUES (?)", (value,)),
        ("SELECT a, typeof(a), length(a) FROM t", ()),
    ]
    rows = await last_rows(side, path, statements)
    with closing(sqlite3.connect(path)) as connection:
        expected = connection.execute("SELECT a, typeof(a), length(a) FROM t").fetchall()
    assert rows == expected == [(value, "blob" if isinstance(value, bytes) else "text", len(value))]
