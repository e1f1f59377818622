"""Connections and cursors are called, derived from, made by factories and confined to a thread as those of sqlite3 are.

Each program runs on both drivers, and both must have seen the same.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
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


@program
def the_parameters_of_connect_stand_in_their_order(module: ModuleType, path: str, transcript: Transcript) -> None:
    class Derived(module.Connection):  # type: ignore[misc,name-defined]
        pass

    with warnings.catch_warnings():
        # Python 3.13 begins to part with all but the first; the order is still that of the names.
        warnings.simplefilter("ignore", DeprecationWarning)
        connection = module.connect(path, 1.5, 0, "IMMEDIATE", False, Derived, 10, False)
    transcript.note(connection.isolation_level, type(connection) is Derived)
    connection.close()
    connection = module.connect(database=path, timeout=1, isolation_level=None, check_same_thread=True, uri=False)
    transcript.note(connection.isolation_level, type(connection) is module.Connection)
    connection.close()


@program
def the_classes_are_called(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.Connection(path, isolation_level="EXCLUSIVE")
    transcript.note(connection.isolation_level, connection.row_factory)
    cursor = module.Cursor(connection)
    transcript.note(cursor.execute("SELECT 1, 'two'").fetchall(), cursor.connection is connection, cursor.row_factory)
    connection.row_factory = module.Row
    # A cursor that is called takes no factory over, one that the connection makes does.
    transcript.note(module.Cursor(connection).row_factory, connection.cursor().row_factory is module.Row)
    connection.text_factory = bytes
    transcript.note(cursor.execute("SELECT 'text'").fetchone())
    for what, arguments in [("none", ()), ("a text", ("x",)), ("two", (connection, 1))]:
        with transcript.raising(what):
            module.Cursor(*arguments)
    with transcript.raising("no path"):
        module.Connection()
    connection.close()


@program
def a_derived_class_changes_its_arguments(module: ModuleType, path: str, transcript: Transcript) -> None:
    class Derived(module.Connection):  # type: ignore[misc,name-defined]
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            keywords["isolation_level"] = None
            super().__init__(*arguments, **keywords)
            self.label = "mine"

    connection = module.connect(path, factory=Derived)
    transcript.note(connection.isolation_level, connection.label)
    connection.close()

    class Renamed(module.Connection):  # type: ignore[misc,name-defined]
        def __init__(self, label: str, place: str) -> None:
            super().__init__(place)
            self.label = label

    connection = Renamed("here", path)
    transcript.note(connection.label, connection.execute("SELECT 1").fetchone())
    connection.close()


@program
def methods_that_a_derived_class_overrides_are_called(module: ModuleType, path: str, transcript: Transcript) -> None:
    """Not by `execute` of the connection, nor by one another: since Python 3.11 what is built in calls what is built in."""
    if sys.version_info < (3, 11):
        return

    class OwnCursor(module.Cursor):  # type: ignore[misc,name-defined]
        def execute(self, *arguments: Any) -> Any:
            transcript.note("cursor", *arguments)
            return super().execute(*arguments)

        def executescript(self, *arguments: Any) -> Any:
            transcript.note("script", *arguments)
            return super().executescript(*arguments)

    class OwnConnection(module.Connection):  # type: ignore[misc,name-defined]
        def cursor(self, *arguments: Any) -> Any:
            transcript.note("connection", *arguments)
            return super().cursor(OwnCursor)

        def commit(self) -> None:
            transcript.note("commit")
            super().commit()

    connection = module.connect(path, factory=OwnConnection)
    connection.cursor().executescript("CREATE TABLE t (a)")
    cursor = connection.cursor().execute("INSERT INTO t VALUES (?)", (1,))
    transcript.note(type(cursor) is OwnCursor, cursor.lastrowid)
    transcript.note(type(connection.execute("SELECT 1")) is module.Cursor)
    transcript.note(connection.cursor().executemany("INSERT INTO t VALUES (?)", [(2,), (3,)]).rowcount)
    connection.commit()
    with connection:
        transcript.note("left by the built-in commit")
    transcript.note(connection.cursor().execute("SELECT a FROM t").fetchall())
    connection.close()


@program
def a_cursor_is_made_by_a_factory(module: ModuleType, path: str, transcript: Transcript) -> None:
    class Derived(module.Cursor):  # type: ignore[misc,name-defined]
        pass

    class Labelled(module.Cursor):  # type: ignore[misc,name-defined]
        def __init__(self, connection: Any, label: str = "default") -> None:
            super().__init__(connection)
            self.label = label

    connection = module.connect(path)
    connection.row_factory = module.Row
    transcript.note(type(connection.cursor(Derived)) is Derived, type(connection.cursor(factory=Derived)) is Derived)
    transcript.note(connection.cursor(Derived).row_factory is module.Row)
    transcript.note(connection.cursor(lambda made_by: Labelled(made_by, "given")).label, Labelled(connection).label)
    with transcript.raising("a factory that makes no cursor"):
        connection.cursor(lambda made_by: None)
    with transcript.raising("a factory that takes no connection"):
        connection.cursor(lambda: None)
    connection.close()


@program
def a_base_that_was_not_initialized_says_so(module: ModuleType, path: str, transcript: Transcript) -> None:
    class Forgetful(module.Connection):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            pass

    class ForgetfulCursor(module.Cursor):  # type: ignore[misc,name-defined]
        def __init__(self, connection: Any) -> None:
            pass

    connection = Forgetful()
    for what, use in [
        ("cursor", lambda: connection.cursor()),
        ("execute", lambda: connection.execute("SELECT 1")),
        ("in_transaction", lambda: connection.in_transaction),
        ("commit", lambda: connection.commit()),
        ("close", lambda: connection.close()),
    ]:
        with pytest.raises(module.ProgrammingError, match=r"Base Connection.__init__ not called\."):
            use()
        transcript.note(what)
    opened = module.connect(path)
    cursor = ForgetfulCursor(opened)
    for what, use in [
        ("execute of a cursor", lambda: cursor.execute("SELECT 1")),
        ("fetchone", lambda: cursor.fetchone()),
        ("close of a cursor", lambda: cursor.close()),
    ]:
        with pytest.raises(module.ProgrammingError, match=r"Base Cursor.__init__ not called\."):
            use()
        transcript.note(what)
    opened.close()


def in_another_thread(task: Callable[[], Any]) -> Any:
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(task())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return outcome[0]


@program
def another_thread_is_refused(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path)
    connection.execute("CREATE TABLE t (a)")
    cursor = connection.execute("SELECT 1 UNION SELECT 2")
    uses: dict[str, Callable[[], Any]] = {
        "cursor": connection.cursor,
        "commit": connection.commit,
        "rollback": connection.rollback,
        "close": connection.close,
        "execute": lambda: connection.execute("SELECT 1"),
        "executemany": lambda: connection.executemany("INSERT INTO t VALUES (?)", []),
        "executescript": lambda: connection.executescript(""),
        "enter": lambda: connection.__exit__(None, None, None),
        "a cursor's execute": lambda: cursor.execute("SELECT 1"),
        "fetchone": cursor.fetchone,
        "fetchmany": cursor.fetchmany,
        "fetchall": cursor.fetchall,
        "next": lambda: next(cursor),
        "a cursor's close": cursor.close,
        "a new cursor": lambda: module.Cursor(connection),
    }
    home = threading.get_ident()
    for what, use in uses.items():
        error = in_another_thread(use)
        assert isinstance(error, module.ProgrammingError), (what, error)
        assert str(error).startswith(
            "SQLite objects created in a thread can only be used in that same thread. The object was created in thread "
            f"id {home} and this is thread id "
        )
        transcript.note(what, type(error).__name__)
    if module is aioturso.lib:
        # Nothing of that did any harm. (From Python 3.12 it costs the cursor of sqlite3 its rows.)
        assert cursor.fetchall() == [(1,), (2,)]
    # These touch no statement, and sqlite3 lets them pass.
    transcript.note(in_another_thread(connection.interrupt), in_another_thread(lambda: connection.in_transaction))
    transcript.note(in_another_thread(lambda: cursor.description))
    connection.close()


@program
def another_thread_is_let_in_if_it_shall_be(module: ModuleType, path: str, transcript: Transcript) -> None:
    connection = module.connect(path, check_same_thread=False)
    transcript.note(in_another_thread(lambda: connection.execute("SELECT 1").fetchall()))
    in_another_thread(connection.close)
    with transcript.raising("closed elsewhere"):
        connection.execute("SELECT 1")


def test_a_thread_that_ended_frees_nobody() -> None:
    """A connection that was made in a thread which is gone is nobody else's."""
    connection = in_another_thread(lambda: aioturso.lib.connect(":memory:"))
    kept = [threading.Thread(target=lambda: None) for _ in range(3)]
    for thread in kept:
        thread.start()
        thread.join()
    with pytest.raises(aioturso.lib.ProgrammingError, match="created in a thread"):
        connection.execute("SELECT 1")


def test_detect_types_is_refused_and_leaves_no_file(path: str) -> None:
    for detect_types in (aioturso.lib.PARSE_DECLTYPES, aioturso.lib.PARSE_COLNAMES, 3):
        with pytest.raises(aioturso.lib.NotSupportedError, match="detect_types other than 0 is not supported: "):
            aioturso.lib.connect(path, detect_types=detect_types)
    assert not os.path.exists(path)


def test_a_connection_is_not_made_anew() -> None:
    """sqlite3 closes it and opens another; here the object stays what it is."""
    connection = aioturso.lib.connect(":memory:")
    connection.execute("CREATE TABLE t (a)")
    with pytest.raises(aioturso.lib.ProgrammingError, match="make another one"):
        connection.__init__(":memory:")  # type: ignore[misc]
    assert connection.execute("SELECT * FROM t").fetchall() == []
    connection.close()


def test_a_cursor_of_a_closed_connection_is_refused_where_it_is_made() -> None:
    """sqlite3 makes one that fails when it is used."""
    connection = aioturso.lib.connect(":memory:")
    connection.close()
    with pytest.raises(aioturso.lib.ProgrammingError, match="closed database"):
        aioturso.lib.Cursor(connection)


def test_an_open_that_failed_in_a_derived_class_may_be_tried_again(path: str) -> None:
    class Patient(aioturso.lib.Connection[Any]):
        def __init__(self) -> None:
            try:
                super().__init__(path + "/absent/file.db")
            except aioturso.lib.OperationalError:
                super().__init__(path)

    connection = Patient()
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
    connection.close()


def test_derived_objects_in_a_circle_are_collected() -> None:
    class Derived(aioturso.lib.Connection[Any]):
        pass

    connection = aioturso.lib.connect(":memory:", factory=Derived)
    cursor = aioturso.lib.Cursor(connection)
    connection.circle = (connection, cursor)  # type: ignore[attr-defined]
    gone = weakref.ref(connection), weakref.ref(cursor)
    del connection, cursor
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


def test_a_factory_and_a_row_factory_go_together() -> None:
    class Derived(aioturso.lib.Connection[Any]):
        pass

    connection = aioturso.lib.connect(":memory:", factory=Derived, row_factory=aioturso.lib.Row)
    assert type(connection) is Derived
    assert connection.execute("SELECT 5 AS five").fetchone()["five"] == 5
    connection.close()


async def test_the_asyncio_side_takes_the_same_arguments_and_uses_its_own_thread(path: str) -> None:
    made: list[tuple[int, Any]] = []

    class Derived(aioturso.lib.Connection[Any]):
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            made.append((threading.get_ident(), keywords["check_same_thread"]))
            super().__init__(*arguments, **keywords)

    async with aioturso.connect(path, 5.0, 0, "IMMEDIATE", True, Derived, 4) as connection:
        assert await (await connection.execute("SELECT 1")).fetchall() == [(1,)]
        # Read in place, from the loop's thread.
        assert (connection.isolation_level, connection.in_transaction) == ("IMMEDIATE", False)

        class OwnCursor(aioturso.lib.Cursor[Any]):
            def execute(self, *arguments: Any) -> Any:
                made.append((threading.get_ident(), arguments[0]))
                return super().execute(*arguments)

        cursor = await connection.cursor(OwnCursor)
        await cursor.execute("SELECT 2")
        assert await cursor.fetchone() == (2,)
    worker = made[0][0]
    assert made == [(worker, False), (worker, "SELECT 2")]
    assert worker != threading.get_ident()
    with pytest.raises(aioturso.NotSupportedError):
        await aioturso.connect(path, detect_types=1)
