"""Programs written for aiosqlite, unchanged but for the module: each runs on both, and both must have seen the same.

The typical ones are there first: what the documentation of aiosqlite shows, and what its users write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import ModuleType
from typing import Any

import aiosqlite
import aioturso
import pytest
from transcript import Transcript

Program = Callable[[ModuleType, str, Transcript], Coroutine[Any, Any, None]]
PROGRAMS: list[Program] = []


def program(function: Program) -> Program:
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
async def test_same_as_aiosqlite(program: Program, tmp_path: Path) -> None:
    expected, seen = Transcript(), Transcript()
    await program(aiosqlite, str(tmp_path / "expected.db"), expected)
    await program(aioturso, str(tmp_path / "seen.db"), seen)
    assert seen.steps == expected.steps


@program
async def with_context_managers(module: ModuleType, path: str, transcript: Transcript) -> None:
    async with module.connect(path) as db:
        await db.execute("CREATE TABLE t (some_column TEXT)")
        await db.execute("INSERT INTO t VALUES ('one')")
        await db.commit()
        async with db.execute("SELECT * FROM t") as cursor:
            async for row in cursor:
                transcript.note(row)


@program
async def the_procedural_way(module: ModuleType, path: str, transcript: Transcript) -> None:
    db = await module.connect(path)
    cursor = await db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    cursor = await db.execute("INSERT INTO t (b) VALUES (?)", ("x",))
    transcript.note(cursor.lastrowid, cursor.rowcount)
    cursor = await db.execute("SELECT * FROM t")
    row = await cursor.fetchone()
    rows = await cursor.fetchall()
    transcript.note(row, list(rows), cursor.description)
    await cursor.close()
    await db.close()


@program
async def rows_by_name(module: ModuleType, path: str, transcript: Transcript) -> None:
    async with module.connect(path) as db:
        db.row_factory = module.Row
        transcript.note(db.row_factory is module.Row)
        async with db.execute("SELECT 1 AS column, 'two' AS other") as cursor:
            async for row in cursor:
                transcript.note(row["column"], row["OTHER"], row.keys(), tuple(row), isinstance(row, module.Row))


@program
async def a_cursor_as_a_context(module: ModuleType, path: str, transcript: Transcript) -> None:
    async with module.connect(path) as db:
        async with db.cursor() as cursor:
            await cursor.execute("CREATE TABLE t (i INTEGER PRIMARY KEY, k INTEGER)")
            result = await cursor.executemany("INSERT INTO t (k) VALUES (?)", [[number] for number in range(200)])
            transcript.note(result is cursor, cursor.rowcount)
            await db.commit()
        cursor = await db.cursor()
        result = await cursor.execute("SELECT k FROM t ORDER BY i")
        transcript.note(result is cursor)
        transcript.note([row async for row in cursor])
        await cursor.close()


@program
async def fetch_patterns_are_mixed(module: ModuleType, path: str, transcript: Transcript) -> None:
    async with module.connect(path) as db:
        await db.execute("CREATE TABLE t (a)")
        await db.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(20)])
        cursor = await db.execute("SELECT a FROM t ORDER BY a")
        transcript.note(await cursor.fetchone(), list(await cursor.fetchmany()), list(await cursor.fetchmany(3)))
        cursor.arraysize = 4
        transcript.note(cursor.arraysize, list(await cursor.fetchmany()), list(await cursor.fetchmany(size=2)))
        transcript.note(list(await cursor.fetchall()), await cursor.fetchone(), list(await cursor.fetchall()))
        await cursor.close()


@program
async def the_helpers_of_aiosqlite(module: ModuleType, path: str, transcript: Transcript) -> None:
    async with module.connect(path, iter_chunk_size=7) as db:
        await db.executescript("CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t (b) VALUES ('x');")
        transcript.note(await db.execute_insert("INSERT INTO t (b) VALUES (?)", ("y",)))
        transcript.note(list(await db.execute_fetchall("SELECT b FROM t WHERE a > :least", {"least": 0})))
        async with db.execute_fetchall("SELECT a FROM t") as rows:
            transcript.note(list(rows))
        async with db.execute_insert("INSERT INTO t (b) VALUES ('z')") as identifier:
            transcript.note(identifier)


@program
async def properties_tell_the_truth(module: ModuleType, path: str, transcript: Transcript) -> None:
    async with module.connect(path) as db:
        transcript.note(db.total_changes, db.in_transaction, db.isolation_level, db.row_factory)
        transcript.note(db.text_factory is str)
        await db.execute("CREATE TABLE t (a)")
        await db.execute("INSERT INTO t VALUES (1)")
        transcript.note(db.total_changes, db.in_transaction)
        await db.rollback()
        transcript.note(db.in_transaction, list(await db.execute_fetchall("SELECT * FROM t")))
        db.text_factory = bytes
        transcript.note(list(await db.execute_fetchall("SELECT 'text'")))
        cursor = await db.cursor()
        transcript.note(cursor.rowcount, cursor.lastrowid, cursor.description, cursor.arraysize, cursor.row_factory)
        await cursor.close()


@program
async def isolation_level_is_a_parameter(module: ModuleType, path: str, transcript: Transcript) -> None:
    for level in (None, "DEFERRED", "IMMEDIATE", "EXCLUSIVE"):
        async with module.connect(path, isolation_level=level) as db:
            transcript.note(db.isolation_level)
            await db.execute("CREATE TABLE IF NOT EXISTS t (a)")
            await db.execute("INSERT INTO t VALUES (1)")
            transcript.note(db.in_transaction)
            await db.rollback()


@program
async def leaving_the_context_does_not_commit(module: ModuleType, path: str, transcript: Transcript) -> None:
    async with module.connect(path) as db:
        await db.execute("CREATE TABLE t (a)")
        await db.commit()
        await db.execute("INSERT INTO t VALUES (1)")
    async with module.connect(path) as db:
        transcript.note(list(await db.execute_fetchall("SELECT * FROM t")))


@program
async def errors_have_their_classes(module: ModuleType, path: str, transcript: Transcript) -> None:
    async with module.connect(path) as db:
        with transcript.raising("a syntax error"):
            await db.execute("SELEKT 1")
        await db.execute("CREATE TABLE t (a UNIQUE)")
        await db.execute("INSERT INTO t VALUES (1)")
        with transcript.raising("a unique value twice"):
            await db.execute("INSERT INTO t VALUES (1)")
        with transcript.raising("too few parameters"):
            await db.execute("SELECT ?, ?", (1,))
        with transcript.raising("in a context"):
            async with db.execute("SELECT * FROM nowhere"):
                pass
        # The connection goes on.
        transcript.note(list(await db.execute_fetchall("SELECT a FROM t")))


@program
async def open_errors(module: ModuleType, path: str, transcript: Transcript) -> None:
    missing = path + ".nowhere/test.db"
    with transcript.raising("awaited"):
        await module.connect(missing)
    with transcript.raising("entered"):
        async with module.connect(missing):
            pass


@program
async def many_tasks_on_one_connection(module: ModuleType, path: str, transcript: Transcript) -> None:
    async with module.connect(path) as db:
        await db.execute("CREATE TABLE t (k INTEGER)")
        await asyncio.gather(*[db.execute("INSERT INTO t VALUES (?)", [number]) for number in range(50)])
        await db.commit()
        transcript.note(list(await db.execute_fetchall("SELECT k FROM t ORDER BY rowid")))


@program
async def many_connections_to_one_file(module: ModuleType, path: str, transcript: Transcript) -> None:
    async with module.connect(path) as db:
        await db.execute("CREATE TABLE t (i INTEGER PRIMARY KEY, k INTEGER)")

    async def insert(number: int) -> None:
        async with module.connect(Path(path)) as db:
            await db.execute("INSERT INTO t (k) VALUES (?)", [number])
            await db.commit()

    await asyncio.gather(*[insert(number) for number in range(10)])
    async with module.connect(path) as db:
        transcript.note(list(await db.execute_fetchall("SELECT k FROM t ORDER BY k")))


@program
async def closing_twice_and_using_after(module: ModuleType, path: str, transcript: Transcript) -> None:
    db = await module.connect(path)
    cursor = await db.execute("SELECT 1, 2")
    await db.close()
    await db.close()
    for what, call in (
        ("execute", lambda: db.execute("SELECT 1")),
        ("commit", db.commit),
        ("fetchall", cursor.fetchall),
    ):
        try:
            await call()
        except ValueError:
            transcript.note(what, "ValueError")
        except module.ProgrammingError:
            transcript.note(what, "ValueError")
