"""The blocking side against the standard library: each program runs on both, and both must have seen the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import aioturso.lib
import pytest
from transcript import Transcript

Program = Callable[[ModuleType, str, Transcript], None]
PROGRAMS: list[Program] = []


def program(function: Program) -> Program:
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_same_as_sqlite3(program: Program, tmp_path: Path) -> None:
    expected, seen = Transcript(), Transcript()
    program(sqlite3, str(tmp_path / "expected.db"), expected)
    program(aioturso.lib, str(tmp_path / "seen.db"), seen)
    assert seen.steps == expected.steps


def filled(module: ModuleType, path: str, rows: int = 10) -> Any:
    connection = module.connect(path)
    connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(number, f"row {number}") for number in range(rows)])
    connection.commit()
    return connection


@program
def values_keep_their_types(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    connection.execute("CREATE TABLE t (v)")
    values = [None, 0, -1, 2**63 - 1, -(2**63), 1.5, -0.0, 1e300, "", "ü ☂ \U0001f40b", b"", b"\x00\xff", True]
    connection.executemany("INSERT INTO t VALUES (?)", [(value,) for value in values])
    transcript.note(connection.execute("SELECT v, typeof(v) FROM t ORDER BY rowid").fetchall())
    transcript.note(connection.execute("SELECT ?", (bytearray(b"abc"),)).fetchone())
    transcript.note(connection.execute("SELECT ?", (memoryview(b"abc"),)).fetchone())
    with transcript.raising("an integer of more than 64 bits"):
        connection.execute("SELECT ?", (2**63,))
    connection.close()


@program
def rows_are_fetched_one_many_and_all(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = filled(module, path)
    cursor = connection.execute("SELECT a FROM t ORDER BY a")
    transcript.note(cursor.arraysize, cursor.fetchone(), cursor.fetchmany(), cursor.fetchmany(2), cursor.fetchmany(0))
    cursor.arraysize = 3
    transcript.note(cursor.fetchmany(), cursor.fetchall(), cursor.fetchall(), cursor.fetchone(), cursor.fetchmany(5))
    cursor.execute("SELECT a FROM t ORDER BY a")
    transcript.note(next(cursor), cursor.fetchmany(size=2), list(cursor), list(cursor))
    transcript.note(cursor.arraysize)
    connection.close()


@program
def a_loop_that_is_broken_off_goes_on(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = filled(module, path)
    cursor = connection.execute("SELECT a, b FROM t ORDER BY a")
    for row in cursor:
        transcript.note(row)
        if row[0] == 3:
            break
    transcript.note(cursor.fetchone())
    for row in cursor:
        transcript.note(row)
    connection.close()


@program
def description_names_the_columns(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = filled(module, path)
    cursor = connection.cursor()
    transcript.note(cursor.description)
    cursor.execute('SELECT a, b AS "the text", 1 + 1 AS two FROM t')
    transcript.note(cursor.description)
    cursor.execute("SELECT a FROM t WHERE a < 0")
    transcript.note(cursor.description, cursor.fetchone())
    cursor.execute("INSERT INTO t VALUES (100, 'x')")
    transcript.note(cursor.description)
    connection.close()


@program
def counts_are_true(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = filled(module, path)
    cursor = connection.cursor()
    transcript.note(cursor.rowcount, cursor.lastrowid)
    cursor.execute("UPDATE t SET b = 'x' WHERE a < 4")
    transcript.note(cursor.rowcount)
    cursor.execute("SELECT * FROM t")
    transcript.note(cursor.rowcount)
    cursor.fetchall()
    cursor.executemany("INSERT INTO t (b) VALUES (?)", [("p",), ("q",), ("r",)])
    transcript.note(cursor.rowcount)
    cursor.execute("INSERT INTO t VALUES (1000, 'last')")
    transcript.note(cursor.rowcount, cursor.lastrowid)
    cursor.execute("DELETE FROM t WHERE a > 5")
    transcript.note(cursor.rowcount, cursor.lastrowid)
    transcript.note(connection.total_changes)
    connection.close()


@program
def parameters_are_bound_by_position(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    transcript.note(connection.execute("SELECT ?, ?", (1, "two")).fetchone())
    transcript.note(connection.execute("SELECT ?, ?", [1, "two"]).fetchone())
    with transcript.raising("too few"):
        connection.execute("SELECT ?, ?", (1,))
    with transcript.raising("too many"):
        connection.execute("SELECT ?", (1, 2))
    with transcript.raising("none"):
        connection.execute("SELECT ?")
    connection.close()


@program
def parameters_are_bound_by_name(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    transcript.note(connection.execute("SELECT :a, @b, $c, :a", {"a": 1, "b": "two", "c": None, "d": 4}).fetchone())
    with transcript.raising("a name is missing"):
        connection.execute("SELECT :a, :b", {"a": 1})
    connection.close()


@program
def executemany_takes_any_iterable(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    connection.execute("CREATE TABLE t (a, b)")
    cursor = connection.executemany("INSERT INTO t VALUES (?, ?)", ((number, str(number)) for number in range(1000)))
    transcript.note(cursor.rowcount)
    connection.executemany("INSERT INTO t VALUES (:a, :b)", [{"a": 1, "b": 2}, {"b": 3, "a": 4}])
    connection.executemany("INSERT INTO t VALUES (?, ?)", [])
    transcript.note(connection.execute("SELECT count(*), sum(a) FROM t").fetchone())
    with transcript.raising("a statement that gives rows"):
        connection.executemany("SELECT ?", [(1,)])
    connection.close()


@program
def a_script_runs_every_statement(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.execute("INSERT INTO t VALUES (1)")
    transcript.note(connection.in_transaction)
    # It commits what is pending first.
    connection.executescript("INSERT INTO t VALUES (2); -- a comment; with a semicolon\nINSERT INTO t VALUES ('a;b');")
    transcript.note(connection.in_transaction)
    connection.rollback()
    transcript.note(connection.execute("SELECT a FROM t ORDER BY rowid").fetchall())
    with transcript.raising("an error in the middle"):
        connection.executescript("INSERT INTO t VALUES (3); INSERT INTO nowhere VALUES (4); INSERT INTO t VALUES (5);")
    transcript.note(connection.execute("SELECT a FROM t ORDER BY rowid").fetchall())
    connection.close()


@program
def transactions_begin_by_themselves(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    other = module.connect(path)
    transcript.note(connection.isolation_level, connection.in_transaction)
    connection.execute("CREATE TABLE t (a)")
    transcript.note(connection.in_transaction)
    connection.execute("INSERT INTO t VALUES (1)")
    transcript.note(connection.in_transaction, other.execute("SELECT count(*) FROM t").fetchone())
    connection.commit()
    transcript.note(connection.in_transaction, other.execute("SELECT count(*) FROM t").fetchone())
    connection.execute("DELETE FROM t")
    connection.rollback()
    transcript.note(connection.in_transaction, connection.execute("SELECT count(*) FROM t").fetchone())
    connection.commit()
    connection.rollback()
    connection.close()
    other.close()


@program
def isolation_levels_are_kept_and_checked(module: ModuleType, path: str, transcript: Transcript) -> None:
    for level in (None, "DEFERRED", "IMMEDIATE", "EXCLUSIVE"):
        connection = module.connect(path, isolation_level=level)
        transcript.note(connection.isolation_level)
        connection.execute("CREATE TABLE IF NOT EXISTS t (a)")
        connection.execute("INSERT INTO t VALUES (1)")
        transcript.note(connection.in_transaction)
        connection.rollback()
        connection.isolation_level = None
        transcript.note(connection.isolation_level)
        connection.execute("INSERT INTO t VALUES (2)")
        transcript.note(connection.in_transaction)
        with transcript.raising("a level that does not exist"):
            connection.isolation_level = "BOGUS"
        transcript.note(connection.isolation_level)
        connection.close()


@program
def a_with_statement_ends_the_transaction(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = filled(module, path, rows=0)
    with connection as entered:
        transcript.note(entered is connection)
        connection.execute("INSERT INTO t VALUES (1, 'kept')")
    transcript.note(connection.in_transaction)
    with transcript.raising("an error inside"), connection:
        connection.execute("INSERT INTO t VALUES (2, 'rolled back')")
        raise ValueError
    transcript.note(connection.in_transaction, connection.execute("SELECT * FROM t").fetchall())
    connection.close()


@program
def errors_have_the_classes_of_pep_249(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = filled(module, path)
    with transcript.raising("a syntax error"):
        connection.execute("SELEKT 1")
    with transcript.raising("no such table"):
        connection.execute("SELECT * FROM nowhere")
    with transcript.raising("no such column"):
        connection.execute("SELECT nothing FROM t")
    with transcript.raising("a primary key twice"):
        connection.execute("INSERT INTO t VALUES (1, 'again')")
    connection.execute("CREATE TABLE strict (a NOT NULL, b UNIQUE)")
    with transcript.raising("NULL where it may not be"):
        connection.execute("INSERT INTO strict VALUES (NULL, 1)")
    connection.execute("INSERT INTO strict VALUES (1, 1)")
    with transcript.raising("a unique value twice"):
        connection.execute("INSERT INTO strict VALUES (2, 1)")
    for name in ("Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError"):
        transcript.note(name, issubclass(getattr(module, name), Exception), getattr(module, name).__mro__[1].__name__)
        transcript.note(getattr(connection, name) is getattr(module, name))
    for name in ("IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError"):
        transcript.note(name, getattr(module, name).__mro__[1].__name__)
        transcript.note(getattr(connection, name) is getattr(module, name))
    connection.close()


@program
def what_is_closed_says_so(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = filled(module, path)
    cursor = connection.execute("SELECT a FROM t")
    cursor.close()
    cursor.close()
    with transcript.raising("fetchone on a closed cursor"):
        cursor.fetchone()
    with transcript.raising("execute on a closed cursor"):
        cursor.execute("SELECT 1")
    cursor = connection.cursor()
    connection.close()
    connection.close()
    with transcript.raising("execute on a closed connection"):
        connection.execute("SELECT 1")
    with transcript.raising("commit on a closed connection"):
        connection.commit()
    with transcript.raising("a cursor of a closed connection"):
        cursor.execute("SELECT 1")


@program
def a_folder_that_is_not_there_is_an_error(module: ModuleType, path: str, transcript: Transcript) -> None:
    with transcript.raising("connect"):
        module.connect(path + ".nowhere/test.db")


@program
def rows_are_made_by_row_factory(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = filled(module, path, rows=2)
    transcript.note(connection.row_factory)
    connection.row_factory = lambda cursor, row: dict(
        zip((column[0] for column in cursor.description), row, strict=True)
    )
    before = connection.cursor()
    transcript.note(connection.execute("SELECT * FROM t ORDER BY a").fetchall())
    connection.row_factory = None
    before.execute("SELECT a FROM t")
    transcript.note(before.fetchone(), connection.execute("SELECT a FROM t").fetchone())
    before.row_factory = lambda _cursor, row: len(row)
    transcript.note(before.fetchone())
    connection.close()


@program
def row_is_a_tuple_with_names(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = filled(module, path, rows=3)
    connection.row_factory = module.Row
    first, second, third = connection.execute("SELECT a, b FROM t ORDER BY a").fetchall()
    transcript.note(isinstance(first, module.Row), first.keys(), tuple(first), len(first), list(first))
    transcript.note(first["a"], first["B"], first[0], first[-1], first[0:1])
    again = connection.execute("SELECT a, b FROM t WHERE a = 0").fetchone()
    transcript.note(
        first == again, first == second, first != second, hash(first) == hash(again), len({first, again, third})
    )
    with transcript.raising("a name that is not there"):
        first["c"]
    with transcript.raising("an index that is not there"):
        first[2]
    connection.close()


@program
def text_is_made_by_text_factory(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = filled(module, path, rows=1)
    transcript.note(connection.text_factory is str)
    connection.text_factory = bytes
    transcript.note(connection.execute("SELECT a, b, x'00' FROM t").fetchone())
    connection.text_factory = lambda raw: raw.decode().upper()
    transcript.note(connection.execute("SELECT a, b FROM t").fetchone())
    connection.close()


@program
def a_cursor_knows_its_connection(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    transcript.note(
        connection.cursor().connection is connection, connection.execute("SELECT 1").connection is connection
    )
    cursor = connection.cursor()
    transcript.note(cursor.execute("SELECT 1") is cursor, iter(cursor) is cursor)
    connection.close()


@program
def inserts_can_return_rows(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = filled(module, path, rows=2)
    cursor = connection.execute("INSERT INTO t (b) VALUES ('x'), ('y') RETURNING a, b")
    transcript.note(cursor.fetchall())
    transcript.note(connection.execute("SELECT count(*) FROM t").fetchone())
    connection.commit()
    connection.close()


@program
def the_module_says_what_it_is(module: ModuleType, path: str, transcript: Transcript) -> None:
    transcript.note(module.apilevel, module.paramstyle)
    transcript.note(type(module.threadsafety).__name__, [type(part).__name__ for part in module.sqlite_version_info])
    transcript.note(module.sqlite_version == ".".join(map(str, module.sqlite_version_info)))
