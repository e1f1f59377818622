"""What sqlite3 and PEP 249 have beside statements and rows: adapters, type constructors, codes of errors, what is missing.

Each program runs on both drivers, and both must have seen the same.
"""

from __future__ import annotations

import datetime
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import aioturso
import aioturso.lib
import pytest
from transcript import Transcript

Program = Callable[[ModuleType, str, Transcript], None]
PROGRAMS: list[Program] = []


def program(function: Program) -> Program:
    PROGRAMS.append(function)
    return function


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_same_as_sqlite3(program: Program, tmp_path: Any) -> None:
    expected, seen = Transcript(), Transcript()
    program(sqlite3, str(tmp_path / "expected.db"), expected)
    program(aioturso.lib, str(tmp_path / "seen.db"), seen)
    assert seen.steps == expected.steps


@pytest.fixture(autouse=True)
def adapters_as_before() -> Iterator[None]:
    """What a program registers is known to the whole process."""
    # Both modules have the table; the stubs of the standard library do not say so.
    tables: list[dict[Any, Any]] = [getattr(module, "adapters") for module in (sqlite3, aioturso.lib)]  # noqa: B009
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


@program
def constructors_and_type_objects(module: ModuleType, path: str, transcript: Transcript) -> None:
    transcript.note(module.Date(2026, 2, 3), module.Time(4, 5, 6), module.Timestamp(2026, 2, 3, 4, 5, 6))
    transcript.note(module.DateFromTicks(1e9), module.TimeFromTicks(1e9), module.TimestampFromTicks(1e9))
    transcript.note(bytes(module.Binary(b"\x00x")), module.Binary is memoryview)
    transcript.note(module.PARSE_DECLTYPES, module.PARSE_COLNAMES, module.apilevel, module.paramstyle)
    connection = module.connect(path)
    transcript.note(connection.execute("SELECT ?", (module.Binary(b"abc"),)).fetchone())
    connection.close()


@program
def sizes_are_taken_and_not_looked_at(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    cursor = connection.cursor()
    for sizes in ([1, 2], None, "text", 5, object()):
        transcript.note(cursor.setinputsizes(sizes))
    transcript.note(cursor.setoutputsize(1), cursor.setoutputsize(1, 2), cursor.setoutputsize(1, None))
    for what, method in [("setinputsizes", cursor.setinputsizes), ("setoutputsize", cursor.setoutputsize)]:
        with transcript.raising(what):
            method()
    connection.close()


@program
def a_negative_number_of_rows_is_all_of_them(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(5)])
    cursor = connection.execute("SELECT a FROM t")
    transcript.note(cursor.fetchmany(2), cursor.fetchmany(-1), cursor.fetchmany(-7))
    cursor.execute("SELECT a FROM t")
    transcript.note(cursor.fetchmany(size=0))
    cursor.execute("SELECT a FROM t")
    for size in ("2", 1.5):
        with transcript.raising(f"{size!r} rows"):
            cursor.fetchmany(size)
    transcript.note(cursor.fetchall())
    connection.close()


class Point:
    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y


@program
def values_are_adapted(module: ModuleType, path: str, transcript: Transcript) -> None:
    class Conforming(Point):
        def __conform__(self, protocol: Any) -> Any:
            return f"{self.x};{self.y}" if protocol is module.PrepareProtocol else None

    class Refusing:
        def __conform__(self, protocol: Any) -> Any:
            raise TypeError("not this one")

    class Failing:
        def __conform__(self, protocol: Any) -> Any:
            raise ZeroDivisionError

    connection = module.connect(path)
    execute = connection.execute
    if sys.version_info >= (3, 11):  # An InterfaceError before.
        with transcript.raising("without an adapter"):
            execute("SELECT ?", (Point(1, 2),))
    module.register_adapter(Point, lambda point: b"%d,%d" % (point.x, point.y))
    transcript.note(execute("SELECT ?, ?", (Point(1, 2), 3)).fetchone())
    transcript.note(execute("SELECT :p, :c", {"p": Point(3, 4), "c": Conforming(5, 6)}).fetchone())
    for what, value in [("refusing", Refusing()), ("failing", Failing())]:
        try:
            execute("SELECT ?", (value,))
        except Exception as error:
            if what == "failing" or sys.version_info >= (3, 11):
                transcript.note(what, type(error).__name__)
    transcript.note(module.adapt(Point(7, 8)), module.adapt(5, module.PrepareProtocol, "other"))
    with transcript.raising("nothing to adapt by"):
        module.adapt(object())
    # Of exactly that type, and nothing of what the adapter makes is adapted again.
    module.register_adapter(bool, lambda value: "yes" if value else "no")
    module.register_adapter(int, lambda value: value * 2)
    transcript.note(execute("SELECT ?, ?, ?", (True, 4, Point(0, 0))).fetchone())
    execute("CREATE TABLE t (a)")
    connection.executemany("INSERT INTO t VALUES (?)", ((Point(number, 0),) for number in range(2)))
    transcript.note(execute("SELECT a FROM t").fetchall())
    module.register_adapter(type(None), lambda value: "nothing")
    transcript.note(execute("SELECT ?", (None,)).fetchone())
    connection.close()


@program
def dates_are_adapted_by_default(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    moment = datetime.datetime(2026, 2, 3, 4, 5, 6, 7)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        row = connection.execute("SELECT ?, ?", (moment.date(), moment)).fetchone()
    transcript.note(row)
    if sys.version_info >= (3, 12):
        transcript.note([(warning.category.__name__, str(warning.message)) for warning in caught])
    if sys.version_info >= (3, 11):  # An InterfaceError before.
        with transcript.raising("a time of day"):
            connection.execute("SELECT ?", (moment.time(),))
    connection.close()


FAULTS = {
    "a unique column": "INSERT INTO t VALUES (1, 1, 1)",
    "a check": "INSERT INTO t VALUES (2, -1, 1)",
    "not null": "INSERT INTO t VALUES (3, 1, NULL)",
    "syntax": "SELEKT 1",
    "a missing table": "SELECT * FROM absent",
    "a missing column": "SELECT absent FROM t",
    "a foreign key": "INSERT INTO child VALUES (99)",
}


@program
def the_engines_errors_carry_their_code(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    connection.execute("CREATE TABLE t (a UNIQUE, b CHECK (b > 0), c NOT NULL)")
    connection.execute("CREATE TABLE parent (a PRIMARY KEY)")
    connection.execute("CREATE TABLE child (a REFERENCES parent (a))")
    connection.execute("PRAGMA foreign_keys = on")
    connection.execute("INSERT INTO t VALUES (1, 1, 1)")
    connection.commit()
    for what, sql in FAULTS.items():
        try:
            connection.execute(sql)
            connection.commit()
        except module.Error as error:
            connection.rollback()
            codes = (getattr(error, "sqlite_errorcode", None), getattr(error, "sqlite_errorname", None))
            if sys.version_info < (3, 11):
                codes = None
            transcript.note(what, type(error).__name__, codes)
    # What the driver finds by itself has none.
    for what, use in [
        ("two statements", lambda: connection.execute("SELECT 1; SELECT 2")),
        ("too few", lambda: connection.execute("SELECT ?")),
    ]:
        try:
            use()
        except Exception as error:
            transcript.note(what, hasattr(error, "sqlite_errorcode"), hasattr(error, "sqlite_errorname"))
    connection.close()
    try:
        module.connect(path + "/below/a/file")
    except module.Error as error:
        if sys.version_info >= (3, 11):
            transcript.note(error.sqlite_errorcode, error.sqlite_errorname)
        transcript.note(type(error).__name__)


@program
def the_exceptions_are_attributes_in_one_hierarchy(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    for name in (
        "Warning",
        "Error",
        "InterfaceError",
        "DatabaseError",
        "DataError",
        "OperationalError",
        "IntegrityError",
        "InternalError",
        "ProgrammingError",
        "NotSupportedError",
    ):
        exception = getattr(module, name)
        transcript.note(name, [base.__name__ for base in exception.__mro__])
        transcript.note(getattr(connection, name) is exception)
    connection.close()


@program
def a_dump_makes_the_database_again(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    connection.executescript(
        """
        CREATE TABLE plain (a INTEGER PRIMARY KEY, b TEXT, c);
        INSERT INTO plain VALUES (1, 'it''s', NULL), (2, 'ü', x'00ff'), (3, '', 1.5);
        CREATE TABLE "a space" ("x y");
        INSERT INTO "a space" VALUES ('v');
        CREATE INDEX by_b ON plain (b);
        CREATE VIEW seen AS SELECT a FROM plain;
        """
    )
    dump = list(connection.iterdump())
    transcript.note(dump)
    copy = module.connect(":memory:")
    copy.executescript("\n".join(dump))
    transcript.note(copy.execute("SELECT * FROM plain ORDER BY a").fetchall(), list(copy.iterdump()) == dump)
    for closing in (copy, connection):
        closing.close()
    with transcript.raising("closed"):
        list(connection.iterdump())


UNSUPPORTED: dict[str, Callable[[Any], Any]] = {
    "create_function": lambda connection: connection.create_function("f", 1, str, deterministic=True),
    "create_aggregate": lambda connection: connection.create_aggregate("f", 1, object),
    "create_window_function": lambda connection: connection.create_window_function("f", 1, object),
    "create_collation": lambda connection: connection.create_collation("c", lambda left, right: 0),
    "set_authorizer": lambda connection: connection.set_authorizer(lambda *arguments: 0),
    "set_trace_callback": lambda connection: connection.set_trace_callback(print),
    "set_progress_handler": lambda connection: connection.set_progress_handler(lambda: 0, 100),
    "enable_load_extension": lambda connection: connection.enable_load_extension(True),
    "load_extension": lambda connection: connection.load_extension("./extension"),
    "backup": lambda connection: connection.backup(object(), pages=1, progress=None, sleep=0.1),
    "blobopen": lambda connection: connection.blobopen("t", "c", 1, readonly=True),
    "serialize": lambda connection: connection.serialize(name="main"),
    "deserialize": lambda connection: connection.deserialize(b"", name="main"),
    "getlimit": lambda connection: connection.getlimit(0),
    "setlimit": lambda connection: connection.setlimit(0, 1),
    "getconfig": lambda connection: connection.getconfig(1),
    "setconfig": lambda connection: connection.setconfig(1, False),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
async def test_what_the_engine_can_not_do_says_so_on_both_sides(name: str) -> None:
    """It was absent: an AttributeError in the middle of a program that sqlite3 runs."""
    blocking = aioturso.lib.connect(":memory:")
    with pytest.raises(aioturso.NotSupportedError, match=r" is not supported: .+; .+") as caught:
        UNSUPPORTED[name](blocking)
    async with aioturso.connect(":memory:") as connection:
        with pytest.raises(aioturso.NotSupportedError) as caught_again:
            await UNSUPPORTED[name](connection)
        assert str(caught_again.value) == str(caught.value)
        assert await (await connection.execute("SELECT 1")).fetchone() == (1,)
    blocking.close()
    with pytest.raises(aioturso.ProgrammingError, match="closed database"):
        UNSUPPORTED[name](blocking)


def test_no_method_of_sqlite3_is_missing() -> None:
    """But those that only deal with statements as objects."""
    for cls, ours in [(sqlite3.Connection, aioturso.lib.Connection), (sqlite3.Cursor, aioturso.lib.Cursor)]:
        wanted = {name for name in dir(cls) if not name.startswith("_")}
        assert wanted - set(dir(ours)) == set()
    wanted = {name for name in dir(sqlite3.Row) if not name.startswith("__")} | {"__getitem__", "__len__", "__iter__"}
    assert wanted - set(dir(aioturso.lib.Row)) == set()


def test_taking_away_what_there_is_none_of_does_nothing() -> None:
    connection = aioturso.lib.connect(":memory:")
    connection.set_authorizer(None)
    connection.set_trace_callback(None)
    connection.set_progress_handler(None, 0)
    connection.create_collation("c", None)
    connection.enable_load_extension(False)
    connection.close()


def test_a_converter_is_refused() -> None:
    with pytest.raises(aioturso.NotSupportedError, match="a converter for 'point' is not supported"):
        aioturso.register_converter("point", bytes.decode)


async def test_values_are_adapted_on_the_asyncio_side_too() -> None:
    aioturso.register_adapter(Point, lambda point: f"{point.x}/{point.y}")
    async with aioturso.connect(":memory:") as connection:
        cursor = await connection.execute("SELECT ?", (Point(1, 2),))  # type: ignore[arg-type]
        assert await cursor.fetchone() == ("1/2",)
        cursor = await connection.execute("SELECT value FROM generate_series(1, 5)")
        assert [len(await cursor.fetchmany(2)), len(await cursor.fetchmany(-1))] == [2, 3]
        assert (await connection.iterdump()) == ["BEGIN TRANSACTION;", "COMMIT;"]
