"""Interrupts and time limits of the blocking driver: who is ended, and what becomes of the transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aioturso
import aioturso.lib
import pytest
from sleeping import time_awake

FOR_EVER = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
MANY = "INSERT INTO t SELECT value FROM generate_series(1, 100000000)"


@pytest.fixture
def connection(path: str) -> Iterator[aioturso.lib.Connection]:
    connection = aioturso.lib.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(100)])
    connection.commit()
    yield connection
    connection.close()


@contextmanager
def interrupted_soon(connection: Any, after: float = 0.1) -> Iterator[None]:
    """Another thread interrupts what runs inside of the block: it needs no leave of `check_same_thread`."""
    done = threading.Event()

    def interrupt() -> None:
        time.sleep(after)
        while not done.is_set():
            connection.interrupt()
            done.wait(0.05)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def numbers(connection: Any) -> list[int]:
    return [row[0] for row in connection.execute("SELECT a FROM t ORDER BY a").fetchall()]


def test_a_query_is_ended_by_another_thread(connection: Any) -> None:
    begin = time.monotonic()
    with interrupted_soon(connection), pytest.raises(aioturso.OperationalError, match=r"^interrupted$") as caught:
        connection.execute(FOR_EVER)
    assert time.monotonic() - begin < 5
    assert (caught.value.sqlite_errorcode, caught.value.sqlite_errorname) == (9, "SQLITE_INTERRUPT")
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_fetch_is_ended_by_another_thread(connection: Any) -> None:
    cursor = connection.execute("SELECT value FROM generate_series(1, 1000000000) WHERE value < 3 OR value < 0")
    with interrupted_soon(connection), pytest.raises(aioturso.OperationalError, match=r"^interrupted$"):
        cursor.fetchall()
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_endless_query_is_read_row_by_row_until_it_is_ended(connection: Any) -> None:
    """Guards `execute`: looking for the end of such a query, as of a statement that changes data, would hang it."""
    connection.set_query_timeout(10.0)
    cursor = connection.execute("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c")
    assert cursor.fetchmany(3) == [(1,), (2,), (3,)]
    connection.execute("INSERT INTO t VALUES (1000)")
    assert cursor.fetchone() == (4,)
    connection.set_query_timeout(None)
    with interrupted_soon(connection), pytest.raises(aioturso.OperationalError, match=r"^interrupted$"):
        cursor.fetchall()
    assert connection.in_transaction


def test_an_interrupt_spares_a_cursor_that_is_half_read(connection: Any) -> None:
    """sqlite3 ends it as well: its interrupt is for the whole connection, and stays on while a statement is half read."""
    half_read = connection.execute("SELECT a FROM t ORDER BY a")
    assert half_read.fetchmany(10) == [(number,) for number in range(10)]
    with interrupted_soon(connection), pytest.raises(aioturso.OperationalError, match=r"^interrupted$"):
        connection.execute(FOR_EVER)
    # Neither what is half read nor what comes next is hit.
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (100,)
    assert half_read.fetchall() == [(number,) for number in range(10, 100)]


def test_an_interrupt_when_nothing_runs_hits_nobody(connection: Any) -> None:
    half_read = connection.execute("SELECT a FROM t ORDER BY a")
    half_read.fetchone()
    connection.interrupt()
    assert connection.execute("SELECT 5").fetchone() == (5,)
    assert len(half_read.fetchall()) == 99


def test_an_interrupted_write_takes_its_transaction_with_it(connection: Any) -> None:
    connection.execute("INSERT INTO t VALUES (1000)")
    assert connection.in_transaction
    with interrupted_soon(connection), pytest.raises(aioturso.OperationalError, match=r"^interrupted$"):
        connection.execute(MANY)
    assert not connection.in_transaction
    assert numbers(connection) == list(range(100))
    # The next one begins anew.
    connection.execute("INSERT INTO t VALUES (2000)")
    connection.commit()
    assert numbers(connection) == [*range(100), 2000]


def test_an_interrupted_write_takes_its_transaction_with_it_beside_a_half_read_cursor(connection: Any) -> None:
    half_read = connection.execute("SELECT a FROM t ORDER BY a")
    half_read.fetchmany(10)
    connection.execute("INSERT INTO t VALUES (1000)")
    with interrupted_soon(connection), pytest.raises(aioturso.OperationalError, match=r"^interrupted$"):
        connection.execute(MANY)
    assert not connection.in_transaction
    assert numbers(connection) == list(range(100))
    half_read.close()


def test_an_interrupted_read_leaves_its_transaction_open(connection: Any) -> None:
    connection.execute("INSERT INTO t VALUES (1000)")
    with interrupted_soon(connection), pytest.raises(aioturso.OperationalError, match=r"^interrupted$"):
        connection.execute(FOR_EVER)
    assert connection.in_transaction
    connection.commit()
    assert numbers(connection) == [*range(100), 1000]


def test_executemany_is_ended_between_its_runs(connection: Any) -> None:
    def parameters() -> Iterator[tuple[int]]:
        number = 0
        while True:
            yield (number,)
            number += 1

    with interrupted_soon(connection), pytest.raises(aioturso.OperationalError, match=r"^interrupted$"):
        connection.executemany("INSERT INTO t VALUES (?)", parameters())
    assert not connection.in_transaction
    assert numbers(connection) == list(range(100))


def test_a_script_is_ended(connection: Any) -> None:
    with interrupted_soon(connection), pytest.raises(aioturso.OperationalError, match=r"^interrupted$"):
        connection.executescript(f"INSERT INTO t VALUES (1000); {FOR_EVER}; INSERT INTO t VALUES (2000);")
    assert numbers(connection) == [*range(100), 1000]


@pytest.mark.parametrize("limit", [0.05, 0.2])
def test_a_time_limit_ends_a_call_as_an_interrupt_does(connection: Any, limit: float) -> None:
    connection.set_query_timeout(limit)
    assert connection.get_query_timeout() == limit
    begin = time.monotonic()
    with pytest.raises(aioturso.OperationalError, match="interrupted"):
        connection.execute(FOR_EVER)
    assert limit * 0.8 < time.monotonic() - begin < limit + 3
    assert numbers(connection) == list(range(100))
    connection.execute("INSERT INTO t VALUES (1000)")
    with pytest.raises(aioturso.OperationalError, match="interrupted"):
        connection.execute(MANY)
    assert not connection.in_transaction
    connection.set_query_timeout(None)
    assert connection.get_query_timeout() is None
    assert numbers(connection) == list(range(100))


@pytest.mark.parametrize("limit", [-1.0, float("nan"), -0.001])
def test_a_time_limit_is_a_time(connection: Any, limit: float) -> None:
    with pytest.raises(aioturso.ProgrammingError, match="the query timeout can't be"):
        connection.set_query_timeout(limit)
    assert connection.get_query_timeout() is None


def outcome_of(task: Callable[[], Any]) -> tuple[float, float, BaseException | None]:
    """How long a task took, for how long of that its thread was awake, and what it raised."""
    begin, awake = time.monotonic(), time_awake()
    try:
        task()
    except Exception as error:
        return time.monotonic() - begin, time_awake() - awake, error
    return time.monotonic() - begin, time_awake() - awake, None


def test_a_lock_of_another_connection_is_waited_for_asleep(path: str, connection: Any) -> None:
    other = aioturso.lib.connect(path, timeout=0.5)
    connection.execute("INSERT INTO t VALUES (1000)")
    waited, awake, error = outcome_of(lambda: other.execute("INSERT INTO t VALUES (2000)"))
    assert isinstance(error, aioturso.OperationalError)
    assert str(error) == "database is locked"
    assert 0.4 < waited < 5
    assert awake < 0.9 * waited, "it spun"
    connection.rollback()
    other.execute("INSERT INTO t VALUES (2000)")
    other.commit()
    other.close()


def test_the_wait_for_a_lock_is_interrupted(path: str, connection: Any) -> None:
    other = aioturso.lib.connect(path, timeout=60)
    connection.execute("INSERT INTO t VALUES (1000)")
    with interrupted_soon(other):
        waited, _, error = outcome_of(lambda: other.execute("INSERT INTO t VALUES (2000)"))
    assert isinstance(error, aioturso.OperationalError)
    assert waited < 10
    connection.rollback()
    assert numbers(other) == list(range(100))
    other.close()
