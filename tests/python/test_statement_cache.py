"""Statements are kept for the next time, and none is served that was planned for another schema.

Each program runs on sqlite3 too; with every size of the cache both must have seen the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from types import ModuleType
from typing import Any

import aioturso.lib
import pytest
from transcript import Transcript

Program = Callable[[Callable[[], Any], Transcript], None]
PROGRAMS: list[Program] = []


def program(function: Program) -> Program:
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("size", [0, 1, 2, 128])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_same_as_sqlite3(program: Program, size: int, tmp_path: Any) -> None:
    def run(module: ModuleType) -> list[Any]:
        transcript = Transcript()
        opened: list[Any] = []

        def connect() -> Any:
            path = str(tmp_path / f"{module.__name__}.db")
            opened.append(module.connect(path, isolation_level=None, cached_statements=size))
            return opened[-1]

        program(connect, transcript)
        for connection in opened:
            connection.close()
        return transcript.steps

    assert run(aioturso.lib) == run(sqlite3)


@program
def columns_come_and_go(connect: Callable[[], Any], transcript: Transcript) -> None:
    connection = connect()
    connection.execute("CREATE TABLE t (a, b)")
    connection.execute("INSERT INTO t VALUES (1, 2)")

    def look() -> None:
        cursor = connection.execute("SELECT * FROM t")
        transcript.note([column[0] for column in cursor.description], cursor.fetchall())

    look()
    for change in (
        "ALTER TABLE t ADD COLUMN c DEFAULT 'new'",
        "ALTER TABLE t DROP COLUMN b",
        "ALTER TABLE t RENAME COLUMN a TO z",
        "DROP TABLE t",
        "CREATE TABLE t (b, a, z)",
    ):
        connection.execute(change)
        if change.startswith("DROP"):
            with transcript.raising("the table is gone"):
                look()
        else:
            look()


@program
def another_connection_changes_the_schema(connect: Callable[[], Any], transcript: Transcript) -> None:
    first, second = connect(), connect()
    first.execute("CREATE TABLE t (a, b)")
    first.execute("INSERT INTO t VALUES (1, 2)")
    transcript.note(second.execute("SELECT * FROM t").fetchall())
    first.execute("ALTER TABLE t ADD COLUMN c DEFAULT 'new'")
    cursor = second.execute("SELECT * FROM t")
    transcript.note([column[0] for column in cursor.description], cursor.fetchall())
    first.execute("DROP TABLE t")
    with transcript.raising("the table is gone"):
        second.execute("SELECT * FROM t")
    first.execute("CREATE TABLE t (b, a)")
    first.execute("INSERT INTO t VALUES ('b', 'a')")
    transcript.note(second.execute("SELECT * FROM t").fetchall(), second.execute("SELECT a FROM t").fetchall())


@program
def an_index_comes_and_goes(connect: Callable[[], Any], transcript: Transcript) -> None:
    first, second = connect(), connect()
    first.execute("CREATE TABLE t (a, b)")
    insert = "INSERT INTO t VALUES (?, ?)"
    second.execute(insert, (1, 1))
    first.execute("CREATE UNIQUE INDEX one ON t (a)")
    # A plan of before would insert past the index.
    with transcript.raising("the new index is kept to"):
        second.execute(insert, (1, 2))
    second.execute(insert, (2, 2))
    find = "SELECT b FROM t WHERE a = ?"
    transcript.note(first.execute(find, (2,)).fetchall(), second.execute(find, (2,)).fetchall())
    second.execute("DROP INDEX one")
    first.execute(insert, (2, 3))
    transcript.note(sorted(first.execute(find, (2,)).fetchall()), sorted(second.execute(find, (2,)).fetchall()))


@program
def a_trigger_comes_and_goes(connect: Callable[[], Any], transcript: Transcript) -> None:
    connection = connect()
    connection.execute("CREATE TABLE t (a)")
    connection.execute("CREATE TABLE log (a)")
    insert = "INSERT INTO t VALUES (?)"
    connection.execute(insert, (1,))
    connection.execute("CREATE TRIGGER note AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END")
    connection.execute(insert, (2,))
    connection.execute("DROP TRIGGER note")
    connection.execute(insert, (3,))
    transcript.note(connection.execute("SELECT a FROM log").fetchall())


@program
def a_change_is_rolled_back(connect: Callable[[], Any], transcript: Transcript) -> None:
    connection = connect()
    connection.execute("CREATE TABLE t (a)")
    connection.execute("INSERT INTO t VALUES (1)")
    transcript.note(connection.execute("SELECT * FROM t").fetchall())
    connection.execute("BEGIN")
    connection.execute("ALTER TABLE t ADD COLUMN b DEFAULT 2")
    transcript.note(connection.execute("SELECT * FROM t").fetchall())
    connection.execute("ROLLBACK")
    transcript.note(connection.execute("SELECT * FROM t").fetchall())
    with transcript.raising("the column is gone"):
        connection.execute("SELECT b FROM t")


@program
def the_same_sql_runs_in_two_cursors_at_once(connect: Callable[[], Any], transcript: Transcript) -> None:
    connection = connect()
    connection.execute("CREATE TABLE t (a)")
    connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(6)])
    sql = "SELECT a FROM t WHERE a >= ? ORDER BY a"
    first, second = connection.execute(sql, (0,)), connection.execute(sql, (3,))
    transcript.note(first.fetchone(), second.fetchone(), first.fetchmany(2), second.fetchall(), first.fetchall())
    # What a kept statement was bound to is forgotten.
    transcript.note(connection.execute(sql, (5,)).fetchall())
    with transcript.raising("nothing bound"):
        connection.execute(sql)


@program
def more_statements_than_are_kept(connect: Callable[[], Any], transcript: Transcript) -> None:
    connection = connect()
    for turn in range(3):
        for number in range(5):
            transcript.note(connection.execute(f"SELECT {number} + ?", (turn,)).fetchall())


def test_a_change_is_noticed_between_two_runs_of_executemany(path: str) -> None:
    connection = aioturso.lib.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE t (a)")

    def parameters() -> Any:
        yield (1,)
        connection.execute("CREATE TABLE other (a)")
        connection.execute("CREATE UNIQUE INDEX one ON t (a)")
        yield (1,)

    with pytest.raises(aioturso.lib.IntegrityError):
        connection.executemany("INSERT INTO t VALUES (?)", parameters())
    assert connection.execute("SELECT a FROM t").fetchall() == [(1,)]
    connection.close()


@pytest.mark.parametrize("size", [-1, 2**70, "many"])
def test_a_size_that_is_none_is_refused(size: Any, path: str) -> None:
    with pytest.raises((OverflowError, TypeError)):
        aioturso.lib.connect(path, cached_statements=size)
