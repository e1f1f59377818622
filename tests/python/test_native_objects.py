"""The objects of the native module: the GIL, locks, ends, and what Python expects of any object."""

from __future__ import annotations

import gc
import inspect
import pickle
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aioturso.lib
import pytest

FOR_EVER = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"


@pytest.fixture
def connection() -> Iterator[aioturso.lib.Connection]:
    connection = aioturso.lib.connect(":memory:", check_same_thread=False)
    yield connection
    connection.close()


class Running:
    """A statement that does not end by itself, in a thread of its own."""

    def __init__(self, cursor: aioturso.lib.Cursor[Any]) -> None:
        self.cursor = cursor
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        try:
            self.cursor.execute(FOR_EVER)
        except BaseException as error:
            self.error = error


@contextmanager
def running(cursor: aioturso.lib.Cursor[Any]) -> Iterator[Running]:
    """Runs such a statement until the block is left."""
    statement = Running(cursor)
    statement.thread.start()
    time.sleep(0.05)
    try:
        yield statement
    finally:
        deadline = time.monotonic() + 10
        while statement.thread.is_alive() and time.monotonic() < deadline:
            cursor.connection.interrupt()
            statement.thread.join(0.05)
    assert not statement.thread.is_alive()


def test_other_threads_run_while_a_statement_runs(connection: aioturso.lib.Connection) -> None:
    with running(connection.cursor()) as statement:
        begin = time.monotonic()
        total = sum(range(1000))
        assert total == 499500
        assert time.monotonic() - begin < 1, "the GIL is held during the statement"
        assert statement.thread.is_alive()
    assert isinstance(statement.error, aioturso.lib.OperationalError)
    assert str(statement.error) == "interrupted"


def test_properties_do_not_wait_for_the_statement_that_runs(connection: aioturso.lib.Connection) -> None:
    cursor = connection.execute("SELECT 1 AS one")
    with running(cursor) as statement:
        begin = time.monotonic()
        assert cursor.description is not None
        assert cursor.description[0][0] == "one"
        seen = (
            cursor.rowcount,
            cursor.lastrowid,
            cursor.arraysize,
            connection.in_transaction,
            connection.total_changes,
        )
        assert seen == (-1, 0, 1, False, 0)
        assert cursor._snapshot()[1:] == seen[:3]
        assert (connection.isolation_level, connection.autocommit, cursor.connection) == ("", -1, connection)
        assert time.monotonic() - begin < 1
        assert statement.thread.is_alive()


def test_a_second_call_waits_for_the_first_without_the_gil(connection: aioturso.lib.Connection) -> None:
    cursor = connection.cursor()
    with running(cursor):
        waiting = threading.Thread(target=cursor.fetchall)
        waiting.start()
        time.sleep(0.05)
        assert waiting.is_alive()
    waiting.join(10)
    assert not waiting.is_alive()


def test_a_cursor_is_not_used_inside_of_its_own_call(connection: aioturso.lib.Connection) -> None:
    cursor = connection.execute("CREATE TABLE t (a)")

    def runs() -> Iterator[tuple[int]]:
        cursor.execute("SELECT 1")
        yield (1,)

    with pytest.raises(aioturso.lib.ProgrammingError, match="Recursive use of cursors not allowed"):
        cursor.executemany("INSERT INTO t VALUES (?)", runs())
    assert cursor.execute("SELECT 1").fetchone() == (1,)


def test_a_cursor_gives_the_very_connection_that_made_it(connection: aioturso.lib.Connection) -> None:
    assert connection.cursor().connection is connection
    assert connection.execute("SELECT 1").connection is connection
    cursor = connection.cursor()
    assert cursor.execute("SELECT 1") is cursor


def test_what_is_closed_says_so() -> None:
    connection = aioturso.lib.connect(":memory:")
    cursor = connection.execute("SELECT 1 AS one")
    other = connection.execute("SELECT 1 AS one")
    cursor.close()
    cursor.close()
    for use in (cursor.fetchone, cursor.fetchall, lambda: cursor.execute("SELECT 1"), lambda: cursor._read_rows(1)):
        with pytest.raises(aioturso.lib.ProgrammingError, match="Cannot operate on a closed cursor"):
            use()
    connection.close()
    connection.close()
    uses: list[Any] = [connection.cursor, connection.commit, connection.interrupt, lambda: connection.in_transaction]
    uses += [other.fetchone, lambda: other.execute("SELECT 1")]
    for use in uses:
        with pytest.raises(aioturso.lib.ProgrammingError, match="Cannot operate on a closed database"):
            use()
    assert connection.ProgrammingError is aioturso.lib.ProgrammingError


def test_a_blocking_with_commits_or_rolls_back_and_does_not_close(connection: aioturso.lib.Connection) -> None:
    connection.execute("CREATE TABLE t (a UNIQUE)")
    with connection as entered:
        assert entered is connection
        connection.execute("INSERT INTO t VALUES (1)")
    assert not connection.in_transaction
    with pytest.raises(ZeroDivisionError), connection:
        connection.execute("INSERT INTO t VALUES (2)")
        raise ZeroDivisionError
    assert not connection.in_transaction
    assert connection.execute("SELECT a FROM t").fetchall() == [(1,)]


def test_objects_in_a_circle_are_collected() -> None:
    connection = aioturso.lib.connect(":memory:")
    connection.row_factory = lambda cursor, row, kept=connection: row
    cursor = connection.cursor()
    cursor.row_factory = lambda cursor, row, kept=cursor: row
    connection.text_factory = lambda text, kept=cursor: text
    connection.close()
    seen = [weakref.ref(connection), weakref.ref(cursor)]
    del connection, cursor
    gc.collect()
    assert [reference() for reference in seen] == [None, None]


def test_a_cursor_keeps_its_connection_alive() -> None:
    cursor = aioturso.lib.connect(":memory:").execute("SELECT 1")
    gc.collect()
    assert cursor.fetchone() == (1,)
    cursor.connection.close()


def test_help_and_signatures_are_those_of_the_source() -> None:
    assert str(inspect.signature(aioturso.lib.Connection.execute)) == "(self, /, sql, parameters=())"
    assert str(inspect.signature(aioturso.lib.Cursor.fetchmany)) == "(self, /, size=None)"
    parameters = inspect.signature(aioturso.lib.connect).parameters
    assert parameters["timeout"].default == 5.0
    assert parameters["isolation_level"].default == ""
    assert parameters["autocommit"].kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters["autocommit"].default == -1
    for documented in (aioturso.lib.Connection, aioturso.lib.Cursor, aioturso.lib.Row, aioturso.lib.Cursor.fetchmany):
        assert (documented.__doc__ or "").strip()


def test_exceptions_stand_in_the_order_of_pep_249_and_can_be_sent_elsewhere(
    connection: aioturso.lib.Connection,
) -> None:
    bases = {
        "Warning": "Exception",
        "Error": "Exception",
        "InterfaceError": "Error",
        "DatabaseError": "Error",
        "DataError": "DatabaseError",
        "OperationalError": "DatabaseError",
        "IntegrityError": "DatabaseError",
        "InternalError": "DatabaseError",
        "ProgrammingError": "DatabaseError",
        "NotSupportedError": "DatabaseError",
    }
    for name, base in bases.items():
        exception = getattr(aioturso.lib, name)
        assert exception.__base__.__name__ == base
        assert getattr(connection, name) is exception
        copy = pickle.loads(pickle.dumps(exception("why", 5)))
        assert (type(copy), copy.args) == (exception, ("why", 5))


def test_an_alias_of_a_class_with_its_row_type_can_be_written() -> None:
    assert aioturso.lib.Connection[int].__origin__ is aioturso.lib.Connection
    assert aioturso.lib.Cursor[int].__args__ == (int,)


def test_a_process_that_forgets_to_close_exits() -> None:
    program = (
        "import aioturso.lib, threading\n"
        "connection = aioturso.lib.connect(':memory:', check_same_thread=False)\n"
        "cursor = connection.execute('SELECT value FROM generate_series(1, 1000)')\n"
        f"threading.Thread(target=lambda: connection.execute({FOR_EVER!r}), daemon=True).start()\n"
        "import time; time.sleep(0.1)\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")
