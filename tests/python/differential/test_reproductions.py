"""The differences that are not the engine's, each shown by a program of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import aioturso
import aioturso.lib
import pytest

if sys.version_info < (3, 13):
    pytest.skip(
        "what sqlite3 does is compared with Python 3.13; the modules of older versions leave statements open",
        allow_module_level=True,
    )


def opened(module: ModuleType, path: Path | None = None) -> Any:
    connection = module.connect(":memory:" if path is None else str(path))
    connection.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)")
    return connection


def test_what_is_closed_refuses_assignments() -> None:
    for module, refuses in ((sqlite3, False), (aioturso.lib, True)):
        connection = opened(module)
        cursor = connection.cursor()
        cursor.close()
        if refuses:
            with pytest.raises(module.ProgrammingError, match="closed"):
                cursor.arraysize = 2
        else:
            cursor.arraysize = 2
        connection.close()
        if refuses:
            with pytest.raises(module.ProgrammingError, match="closed"):
                connection.isolation_level = "DEFERRED"
        else:
            connection.isolation_level = "DEFERRED"


def test_sqlite3_raises_an_older_error_again() -> None:
    for module, told in (
        (sqlite3, ["no transaction is active", "no transaction is active"]),
        (aioturso.lib, ["no trans"]),
    ):
        connection = opened(module)
        connection.execute("-- nothing")
        seen = []
        for sql in ("COMMIT", "-- nothing"):
            try:
                connection.execute(sql)
            except module.OperationalError as error:
                seen.append(str(error))
        connection.close()
        assert len(seen) == len(told)
        assert all(part in message for part, message in zip(told, seen, strict=True))


def test_sqlite3_fails_in_executemany_with_returning() -> None:
    sql = "INSERT INTO t (a) VALUES (?) RETURNING id"
    connection = opened(sqlite3)
    with pytest.raises(sqlite3.Error):
        connection.executemany(sql, [(4,), (5,)])
    connection.close()
    connection = opened(aioturso.lib)
    assert connection.executemany(sql, [(4,), (5,)]).fetchall() == []
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (5,)
    connection.close()


def test_returning_runs_to_its_end_at_execute() -> None:
    connection = opened(sqlite3)
    cursor = connection.execute("INSERT INTO t (a) VALUES (4), (5) RETURNING id")
    assert connection.total_changes == 3
    with pytest.raises(sqlite3.OperationalError, match="in progress"):
        connection.commit()
    cursor.close()
    connection.close()
    connection = opened(aioturso.lib)
    cursor = connection.execute("INSERT INTO t (a) VALUES (4), (5) RETURNING id")
    assert connection.total_changes == 5
    connection.commit()
    assert cursor.fetchall() == [(4,), (5,)]
    connection.close()


def test_a_closed_connection_lets_go_of_its_file(tmp_path: Path) -> None:
    for module, is_locked in ((sqlite3, True), (aioturso.lib, False)):
        path = tmp_path / f"{module.__name__}.db"
        connection = opened(module, path)
        connection.execute("INSERT INTO t (a) VALUES (4)")
        half_read = connection.execute("SELECT id FROM t")
        connection.close()
        other = module.connect(str(path), timeout=0.0)
        if is_locked:
            with pytest.raises(module.OperationalError, match="locked"):
                other.execute("INSERT INTO t (a) VALUES (5)")
        else:
            other.execute("INSERT INTO t (a) VALUES (5)")
        other.close()
        del half_read


def test_sqlite_takes_a_database_for_empty_behind_a_savepoint(tmp_path: Path) -> None:
    """Read by a connection that has no part in it."""
    for module, is_lost in ((sqlite3, True), (aioturso.lib, False)):
        path = tmp_path / f"{module.__name__}.db"
        opened(module, path).close()
        connection = module.connect(str(path), isolation_level=None)
        connection.execute("SAVEPOINT s")
        with pytest.raises(module.OperationalError, match="within a transaction"):
            connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK TO s")
        connection.execute("COMMIT")
        connection.close()
        other = module.connect(str(path))
        if is_lost:
            with pytest.raises(module.OperationalError, match="no such table"):
                other.execute("SELECT id FROM t")
        else:
            assert other.execute("SELECT count(*) FROM t").fetchone() == (3,)
        other.close()


def test_sql_that_is_not_unicode_leaves_the_cursor_as_it_is() -> None:
    for module, rowcount in ((sqlite3, -1), (aioturso.lib, 3)):
        connection = opened(module)
        cursor = connection.execute("UPDATE t SET a = 0")
        with pytest.raises(UnicodeEncodeError):
            cursor.execute("SELECT '\ud800'")
        assert cursor.rowcount == rowcount
        connection.close()


def test_reading_ahead() -> None:
    asyncio.run(read_ahead())


async def read_ahead() -> None:
    async with aioturso.connect(":memory:") as connection:
        await connection.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)")
        cursor = await connection.execute("SELECT id FROM t ORDER BY id")
        await connection.execute("DELETE FROM t WHERE id = 3")
        assert await cursor.fetchall() == [(1,), (2,), (3,)], "they were read before"
        await cursor.execute("SELECT id FROM t ORDER BY id")
        await cursor.executescript("")
        assert await cursor.fetchall() == [], "a script begins anew"
        await cursor.execute("INSERT INTO t VALUES (4) RETURNING id")
        assert cursor.rowcount == 1, "the last row is read"
        await cursor.execute("SELECT id FROM t")
        await connection.execute("DROP TABLE t")
        assert len(await cursor.fetchall()) == 3


def test_an_assignment_on_the_asyncio_side_is_applied_in_its_turn() -> None:
    asyncio.run(assign())


async def assign() -> None:
    loop = asyncio.get_running_loop()
    complaints: list[Any] = []
    loop.set_exception_handler(lambda _loop, context: complaints.append(context))
    async with aioturso.connect(":memory:", autocommit=False) as connection:
        await connection.execute("ROLLBACK")
        connection.isolation_level = None
        assert connection.isolation_level is None
