"""What is measured. Each workload checks that what it asked for came back."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import data, memory
from .drivers import Driver
from .timing import BusyThread, Effort, LagMeter, Result, Stopwatch, per_operation

TASKS = 16
FETCHMANY = 64
IDLE_CONNECTIONS = 1_000


@dataclass(frozen=True)
class Scene:
    """Where a workload plays: a driver, a database (`None`: in memory) and how much is to be done."""

    driver: Driver
    path: Path | None
    effort: Effort

    @contextlib.asynccontextmanager
    async def connection(self, large: bool = False) -> AsyncGenerator[Any, None]:
        """An open connection to a database that has the rows."""
        connection = await self.driver.open(self.path or ":memory:")
        try:
            if self.path is None:
                await self.driver.populate(connection, large)
            yield connection
        finally:
            await self.driver.close(connection)


Measure = Callable[[Scene], Awaitable[Result]]


@dataclass(frozen=True)
class Workload:
    """One row of the table."""

    name: str
    title: str
    measure: Measure
    needs_file: bool = False
    needs_fetchmany: bool = False
    # Whether another loop or another number of cores makes a difference to it.
    depends_on_loop: bool = True


async def _select_points(scene: Scene, connection: Any, operations: int) -> None:
    total = 0
    for number in range(operations):
        row = await scene.driver.select_one(connection, 1 + number * 37 % data.ITEMS)
        total += row[0]
    expected = sum(1 + number * 37 % data.ITEMS for number in range(operations))
    data.check("the ids of selected rows", total, expected)


async def point_select(scene: Scene) -> Result:
    """One row by its id, again and again, by one task."""
    operations = scene.effort.operations(2_000)
    async with scene.connection() as connection:
        return await per_operation(
            lambda: _select_points(scene, connection, operations), operations, scene.effort.passes
        )


async def point_select_tasks(scene: Scene) -> Result:
    """The same by 16 tasks on one connection; the time that passes for each row."""
    operations = scene.effort.operations(4_000) // TASKS
    async with scene.connection() as connection:

        async def run() -> None:
            await asyncio.gather(*(_select_points(scene, connection, operations) for _ in range(TASKS)))

        return await per_operation(run, operations * TASKS, scene.effort.passes)


async def point_select_connections(scene: Scene) -> Result:
    """The same by 16 tasks, each with its connection."""
    operations = scene.effort.operations(4_000) // TASKS
    async with contextlib.AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(scene.connection()) for _ in range(TASKS)]
        # One after the other: the first reader of a file in SQLite's WAL mode locks it for a moment, and APSW does not wait.
        for connection in connections:
            await _select_points(scene, connection, 1)

        async def run() -> None:
            await asyncio.gather(*(_select_points(scene, connection, operations) for connection in connections))

        return await per_operation(run, operations * TASKS, scene.effort.passes)


async def iterate(scene: Scene) -> Result:
    """`async for` over 10,000 rows; where there is none, each row is fetched."""
    async with scene.connection() as connection:

        async def run() -> None:
            found = await scene.driver.iterate(connection, data.SELECT_ITEMS)
            data.check("the rows iterated over", found, (data.ITEMS, data.sum_of_ids(data.ITEMS)))

        return await per_operation(run, data.ITEMS, scene.effort.passes)


async def fetchmany(scene: Scene) -> Result:
    """10,000 rows, 64 at a time."""
    async with scene.connection() as connection:

        async def run() -> None:
            count = total = 0
            cursor = await scene.driver.execute(connection, data.SELECT_ITEMS)
            while rows := await cursor.fetchmany(FETCHMANY):
                count += len(rows)
                total += sum(row[0] for row in rows)
            data.check("the rows fetched", (count, total), (data.ITEMS, data.sum_of_ids(data.ITEMS)))

        return await per_operation(run, data.ITEMS, scene.effort.passes)


async def fetchone(scene: Scene) -> Result:
    """The first 1,000 rows of a result, one by one; without the call that runs the statement."""
    count = scene.effort.operations(1_000)
    async with scene.connection() as connection:
        cursor: Any = None

        async def begin() -> None:
            nonlocal cursor
            cursor = await scene.driver.execute(connection, data.SELECT_ITEMS)

        async def run() -> None:
            total = 0
            for _ in range(count):
                row = await cursor.fetchone()
                total += row[0]
            data.check("the rows fetched", total, data.sum_of_ids(count))

        return await per_operation(run, count, scene.effort.passes, begin)


async def fetchall(scene: Scene) -> Result:
    """A statement and all of its 10,000 rows at once."""
    async with scene.connection() as connection:
        rows: Any = []

        async def forget() -> None:
            _check_rows(rows)
            rows.clear()

        async def run() -> None:
            nonlocal rows
            cursor = await scene.driver.execute(connection, data.SELECT_ITEMS)
            rows = await cursor.fetchall()

        result = await per_operation(run, data.ITEMS, scene.effort.passes, forget)
        _check_rows(rows)
        return result


def _check_rows(rows: list[Any]) -> None:
    # The first time, there are none yet.
    if rows:
        data.check(
            "the rows fetched", (len(rows), sum(row[0] for row in rows)), (data.ITEMS, data.sum_of_ids(data.ITEMS))
        )


async def insert(scene: Scene) -> Result:
    """1,000 INSERTs in a transaction, each awaited; the transaction is rolled back, and neither end is measured."""
    count = scene.effort.operations(1_000)
    async with scene.connection() as connection:

        async def run() -> None:
            for number in range(1, count + 1):
                await scene.driver.execute(connection, data.INSERT_ENTRY, data.row(number))

        return await per_operation(run, count, scene.effort.passes, lambda: _begin_again(scene, connection, count))


async def _begin_again(scene: Scene, connection: Any, expected: int) -> None:
    """Counts what the last pass inserted, which only the first time is nothing, and takes it back."""
    cursor = await scene.driver.execute(connection, "SELECT count(*), coalesce(sum(id), 0) FROM entry")
    found = tuple(await cursor.fetchone())
    await scene.driver.close_cursor(cursor)
    if found != (0, 0):
        data.check("the rows inserted", found, (expected, data.sum_of_ids(expected)))
        await scene.driver.execute(connection, "ROLLBACK")
    await scene.driver.execute(connection, "BEGIN")


async def executemany(scene: Scene) -> Result:
    """`executemany` with a list of 10,000 rows; the transaction is rolled back, and neither end is measured."""
    rows = list(data.rows(data.ITEMS))
    async with scene.connection() as connection:
        return await per_operation(
            lambda: scene.driver.executemany(connection, data.INSERT_ENTRY, rows),
            data.ITEMS,
            scene.effort.passes,
            lambda: _begin_again(scene, connection, data.ITEMS),
        )


async def open_select_close(scene: Scene) -> Result:
    """Opens the file, selects one row by its id, closes."""
    count = scene.effort.operations(200)
    if scene.path is None:
        raise AssertionError("this workload needs a file")
    path = scene.path

    # A function of its own, as a request handler is one. In a loop, the closed connection would live until the next one is
    # open, and with it what a driver lets go of only then: the engine would find the file open already.
    async def select(number: int) -> None:
        connection = await scene.driver.open(path)
        row = await scene.driver.select_one(connection, number)
        await scene.driver.close(connection)
        data.check("the selected row", row[0], number)

    async def run() -> None:
        for number in range(1, count + 1):
            await select(number)

    return await per_operation(run, count, scene.effort.passes)


async def point_select_beside_thread(scene: Scene) -> Result:
    """One row by its id, beside a thread that runs Python code all the time; the mean, since it is the sum that hurts."""
    async with scene.connection() as connection:
        await _select_points(scene, connection, 100)
        watch = Stopwatch()
        with BusyThread():
            for _ in range(scene.effort.passes + 1):
                operations = 0
                end = time.perf_counter() + BusyThread.PASS_SECONDS
                watch.start()
                while time.perf_counter() < end:
                    await _select_points(scene, connection, 5)
                    operations += 5
                watch.stop(operations)
        return watch.result()


async def lag_heavy_query(scene: Scene) -> Result:
    """By how much later than asked for the loop wakes a task while the engine is busy with one query."""
    async with scene.connection() as connection:

        async def work() -> None:
            cursor = await scene.driver.execute(connection, data.HEAVY)
            row = await cursor.fetchone()
            data.check("the result of the heavy query", row[0], data.HEAVY_RESULT)

        return await _lag_during(work, max(3, scene.effort.operations(6)))


async def lag_fetchall(scene: Scene) -> Result:
    """The same while 200,000 rows are fetched at once."""
    async with scene.connection(large=True) as connection:
        kept: list[object] = []

        async def work() -> None:
            cursor = await scene.driver.execute(connection, data.SELECT_LARGE)
            rows = await cursor.fetchall()
            data.check("the number of rows fetched", len(rows), data.LARGE)
            kept.append(rows)

        async def let_go() -> None:
            # It takes Python 7 ms to free them, whichever driver made them, and all that time no other thread runs Python. Some
            # drivers keep the latest result until the next one, which is a small one here.
            kept.clear()
            cursor = await scene.driver.execute(connection, "SELECT 1")
            data.check("the number of rows of a small result", len(await cursor.fetchall()), 1)

        return await _lag_during(work, max(4, scene.effort.operations(12)), let_go)


async def _nothing() -> None:
    pass


async def _lag_during(
    work: Callable[[], Awaitable[None]], times: int, between: Callable[[], Awaitable[None]] = _nothing
) -> Result:
    """Measures while `work` is done, several times, and not while what comes between is."""
    await work()
    await between()
    meter = LagMeter()
    # A quick engine, or one on a quick machine, does it more often: a percentile needs wake-ups.
    done = 0
    while done < times or (meter.wake_ups < LagMeter.ENOUGH and done < 20 * times):
        meter.start()
        ticking = asyncio.ensure_future(meter.run())
        try:
            await work()
        finally:
            meter.stop()
            await ticking
        await between()
        done += 1
    return meter.result()


async def first_row(scene: Scene) -> Result:
    """The time until the first of 200,000 rows is there."""
    async with scene.connection(large=True) as connection:

        async def run() -> None:
            cursor = await scene.driver.execute(connection, data.SELECT_LARGE)
            row = await cursor.fetchone()
            data.check("the first row", row[0], 1)
            await scene.driver.close_cursor(cursor)

        return await per_operation(run, 1, scene.effort.passes * 10)


async def memory_of_iteration(scene: Scene) -> Result:
    """By how much the process grows while it iterates over 200,000 rows and keeps none."""
    async with scene.connection(large=True) as connection:
        meter = memory.PeakMeter()
        with meter:
            found = await scene.driver.iterate(connection, data.SELECT_LARGE)
        data.check("the rows iterated over", found, (data.LARGE, data.sum_of_ids(data.LARGE)))
        # What it would be if all rows were there at once: the same ones, kept.
        keeping = memory.PeakMeter()
        with keeping:
            cursor = await scene.driver.execute(connection, data.SELECT_LARGE)
            rows = await cursor.fetchall()
        data.check("the number of rows kept", len(rows), data.LARGE)
        return Result(meter.growth / 1024, "KiB", {"all rows kept": keeping.growth / 1024})


async def idle_connections(scene: Scene) -> Result:
    """What each of a thousand connections that do nothing has in memory."""
    count = scene.effort.operations(IDLE_CONNECTIONS)
    target = scene.path or ":memory:"
    # What the first one loads is not what each one costs.
    await scene.driver.close(await scene.driver.open(target))
    before = memory.resident()
    begin = time.perf_counter()
    connections = [await scene.driver.open(target) for _ in range(count)]
    opened = time.perf_counter() - begin
    grown = memory.resident() - before
    threads = memory.threads()
    # They are open indeed.
    cursor = await scene.driver.execute(connections[-1], "SELECT 1")
    data.check("what the last connection answers", tuple(await cursor.fetchone()), (1,))
    for connection in connections:
        await scene.driver.close(connection)
    details = {"threads": float(threads), "microseconds to open one": opened / count * 1e6}
    return Result(grown / count / 1024, "KiB", details)


WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload("point-select", "point select, one task", point_select),
        Workload("point-select-tasks", "point select, 16 tasks, one connection", point_select_tasks),
        Workload("point-select-connections", "point select, 16 tasks, 16 connections", point_select_connections),
        Workload("iterate", "`async for` over 10,000 rows, per row", iterate),
        Workload("fetchmany", "`fetchmany(64)`, per row", fetchmany, needs_fetchmany=True),
        Workload("fetchone", "`fetchone` 1,000 times, each", fetchone),
        Workload("fetchall", "`fetchall` of 10,000 rows, per row", fetchall),
        Workload("insert", "INSERT awaited one by one", insert),
        Workload("executemany", "`executemany` of 10,000 rows, per row", executemany),
        Workload("open-select-close", "open, select, close", open_select_close, needs_file=True),
        Workload("beside-thread", "point select beside a CPU-bound thread", point_select_beside_thread),
        Workload("lag-heavy-query", "loop lag p99 during a heavy query", lag_heavy_query),
        Workload("lag-fetchall", "loop lag p99 during `fetchall` of 200,000 rows", lag_fetchall),
        Workload("first-row", "time to the first of 200,000 rows", first_row),
        Workload(
            "memory-iterate", "growth while iterating over 200,000 rows", memory_of_iteration, depends_on_loop=False
        ),
        Workload("idle-connections", "each of 1,000 idle connections", idle_connections, depends_on_loop=False),
    )
}
