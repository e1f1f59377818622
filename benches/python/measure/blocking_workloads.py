"""The workloads that make sense without an event loop, on the blocking drivers."""

import contextlib
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import data, memory
from .blocking import BlockingDriver
from .timing import BusyThread, Effort, Result, Stopwatch, per_operation_blocking
from .workloads import FETCHMANY


@dataclass(frozen=True)
class BlockingScene:
    """A blocking driver, a database (`None`: in memory) and how much is to be done."""

    driver: BlockingDriver
    path: Path | None
    effort: Effort

    @contextlib.contextmanager
    def connection(self, large: bool = False) -> Generator[Any, None, None]:
        """An open connection to a database that has the rows."""
        connection = self.driver.open(self.path or ":memory:")
        try:
            if self.path is None:
                for statement in (data.CREATE_ITEM, data.CREATE_ENTRY, data.CREATE_LARGE):
                    connection.execute(statement)
                connection.execute("BEGIN")
                connection.executemany(data.INSERT_ITEM, list(data.rows(data.ITEMS)))
                if large:
                    connection.executemany(data.INSERT_LARGE, list(data.rows(data.LARGE)))
                connection.execute("COMMIT")
            yield connection
        finally:
            connection.close()


def _select_points(connection: Any, operations: int) -> None:
    total = 0
    for number in range(operations):
        cursor = connection.execute(data.SELECT_POINT, (1 + number * 37 % data.ITEMS,))
        total += cursor.fetchone()[0]
        cursor.close()
    expected = sum(1 + number * 37 % data.ITEMS for number in range(operations))
    data.check("the ids of selected rows", total, expected)


def point_select(scene: BlockingScene) -> Result:
    """One row by its id."""
    operations = scene.effort.operations(10_000)
    with scene.connection() as connection:
        return per_operation_blocking(lambda: _select_points(connection, operations), operations, scene.effort.passes)


def iterate(scene: BlockingScene) -> Result:
    """`for` over 10,000 rows."""
    with scene.connection() as connection:
        return per_operation_blocking(
            lambda: _iterate(connection, data.SELECT_ITEMS, data.ITEMS), data.ITEMS, scene.effort.passes
        )


def _iterate(connection: Any, sql: str, expected: int) -> None:
    count = total = 0
    for row in connection.execute(sql):
        count += 1
        total += row[0]
    data.check("the rows iterated over", (count, total), (expected, data.sum_of_ids(expected)))


def fetchmany(scene: BlockingScene) -> Result:
    """10,000 rows, 64 at a time."""
    with scene.connection() as connection:

        def run() -> None:
            count = total = 0
            cursor = connection.execute(data.SELECT_ITEMS)
            while rows := cursor.fetchmany(FETCHMANY):
                count += len(rows)
                total += sum(row[0] for row in rows)
            data.check("the rows fetched", (count, total), (data.ITEMS, data.sum_of_ids(data.ITEMS)))

        return per_operation_blocking(run, data.ITEMS, scene.effort.passes)


def fetchone(scene: BlockingScene) -> Result:
    """The first 1,000 rows, one by one."""
    count = min(1_000, data.ITEMS)
    with scene.connection() as connection:
        cursor: Any = None

        def begin() -> None:
            nonlocal cursor
            cursor = connection.execute(data.SELECT_ITEMS)

        def run() -> None:
            total = 0
            for _ in range(count):
                total += cursor.fetchone()[0]
            data.check("the rows fetched", total, data.sum_of_ids(count))

        return per_operation_blocking(run, count, scene.effort.passes, begin)


def fetchall(scene: BlockingScene) -> Result:
    """10,000 rows at once."""
    with scene.connection() as connection:
        rows: Any = []

        def forget() -> None:
            rows.clear()

        def run() -> None:
            nonlocal rows
            rows = connection.execute(data.SELECT_ITEMS).fetchall()

        result = per_operation_blocking(run, data.ITEMS, scene.effort.passes, forget)
        data.check(
            "the rows fetched", (len(rows), sum(row[0] for row in rows)), (data.ITEMS, data.sum_of_ids(data.ITEMS))
        )
        return result


def insert(scene: BlockingScene) -> Result:
    """1,000 INSERTs in a transaction."""
    count = 1_000
    with scene.connection() as connection:

        def run() -> None:
            for number in range(1, count + 1):
                connection.execute(data.INSERT_ENTRY, data.row(number))

        return per_operation_blocking(run, count, scene.effort.passes, lambda: _begin_again(connection, count))


def executemany(scene: BlockingScene) -> Result:
    """10,000 rows in one call."""
    rows = list(data.rows(data.ITEMS))
    with scene.connection() as connection:
        return per_operation_blocking(
            lambda: connection.executemany(data.INSERT_ENTRY, rows),
            data.ITEMS,
            scene.effort.passes,
            lambda: _begin_again(connection, data.ITEMS),
        )


def _begin_again(connection: Any, expected: int) -> None:
    found = tuple(connection.execute("SELECT count(*), coalesce(sum(id), 0) FROM entry").fetchone())
    if found != (0, 0):
        data.check("the rows inserted", found, (expected, data.sum_of_ids(expected)))
        connection.execute("ROLLBACK")
    connection.execute("BEGIN")


def open_select_close(scene: BlockingScene) -> Result:
    """Opens the file, selects one row, closes."""
    count = scene.effort.operations(200)

    # A function of its own: see the asyncio side.
    def select(number: int) -> None:
        connection = scene.driver.open(scene.path or ":memory:")
        row = connection.execute(data.SELECT_POINT, (number,)).fetchone()
        connection.close()
        data.check("the selected row", row[0], number)

    def run() -> None:
        for number in range(1, count + 1):
            select(number)

    return per_operation_blocking(run, count, scene.effort.passes)


def point_select_beside_thread(scene: BlockingScene) -> Result:
    """One row by its id beside a thread that runs Python code all the time."""
    with scene.connection() as connection:
        _select_points(connection, 100)
        watch = Stopwatch()
        with BusyThread():
            for _ in range(scene.effort.passes + 1):
                operations = 0
                end = time.perf_counter() + BusyThread.PASS_SECONDS
                watch.start()
                while time.perf_counter() < end:
                    _select_points(connection, 5)
                    operations += 5
                watch.stop(operations)
        return watch.result()


def first_row(scene: BlockingScene) -> Result:
    """The time until the first of 200,000 rows is there."""
    with scene.connection(large=True) as connection:

        def run() -> None:
            cursor = connection.execute(data.SELECT_LARGE)
            data.check("the first row", cursor.fetchone()[0], 1)
            cursor.close()

        return per_operation_blocking(run, 1, scene.effort.passes * 10)


def memory_of_iteration(scene: BlockingScene) -> Result:
    """By how much the process grows while it iterates over 200,000 rows."""
    with scene.connection(large=True) as connection:
        meter = memory.PeakMeter()
        with meter:
            _iterate(connection, data.SELECT_LARGE, data.LARGE)
        return Result(meter.growth / 1024, "KiB")


def idle_connections(scene: BlockingScene) -> Result:
    """What each of a thousand connections that do nothing has in memory."""
    count = scene.effort.operations(1_000)
    target = scene.path or ":memory:"
    scene.driver.open(target).close()
    before = memory.resident()
    connections = [scene.driver.open(target) for _ in range(count)]
    grown = memory.resident() - before
    # They are open indeed.
    data.check("what the last connection answers", connections[-1].execute("SELECT 1").fetchone(), (1,))
    for connection in connections:
        connection.close()
    return Result(grown / count / 1024, "KiB")


BLOCKING_WORKLOADS: dict[str, Callable[[BlockingScene], Result]] = {
    "point-select": point_select,
    "iterate": iterate,
    "fetchmany": fetchmany,
    "fetchone": fetchone,
    "fetchall": fetchall,
    "insert": insert,
    "executemany": executemany,
    "open-select-close": open_select_close,
    "beside-thread": point_select_beside_thread,
    "first-row": first_row,
    "memory-iterate": memory_of_iteration,
    "idle-connections": idle_connections,
}
