"""Every cell measures something, and none measures what did not happen."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY
from measure import cell, data
from measure.blocking import BLOCKING_DRIVERS, BlockingDriver
from measure.blocking_workloads import BLOCKING_WORKLOADS, BlockingScene
from measure.drivers import AioSqlite, AioTursoOtherWorker
from measure.plan import BASE, Cell, Configuration, Selection, cells
from measure.workloads import WORKLOADS, Scene

# Pinned ones are left out: it is the process of the tests that would be pinned.
CONFIGURATIONS = (BASE, Configuration(storage="memory"), Configuration(loop="uvloop"))
# Its worker is chosen before the package is imported, in a process of its own.
IN_THIS_PROCESS = [
    found
    for found in cells(CONFIGURATIONS, Selection([]), for_one_version=False)
    if found.driver != AioTursoOtherWorker.name
]


@pytest.mark.parametrize("measured", IN_THIS_PROCESS, ids=str)
def test_each_cell_measures_something(measured: Cell, template: Path) -> None:
    """Guards against a driver that a workload does not fit, which a run would tell only after minutes."""
    if measured.configuration.loop == "uvloop":
        pytest.importorskip("uvloop")
    result = cell.measure(measured, TINY, template, Path())
    assert result.unit in {"µs", "ms", "KiB"}
    if result.unit == "µs":
        # Its own thread is a part of the whole; the two clocks are read one after the other.
        assert 0 < result.details["loop"] <= result.details["cpu"] * 1.1 + 50
    # A lag and a growth may be none.
    assert result.value > 0 or result.unit != "µs"


class Careless:
    """A connection, or a cursor, whose rows are not those that were asked for: some are lost, others are not inserted."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)


class CarelessAsyncCursor(Careless):
    """Loses the first row that is read, and the last of many."""

    async def fetchone(self) -> Any:
        await self._wrapped.fetchone()
        return await self._wrapped.fetchone() or (-1, "", 0.0)

    async def fetchmany(self, size: int) -> Any:
        return (await self._wrapped.fetchmany(size))[:-1]

    async def fetchall(self) -> Any:
        return (await self._wrapped.fetchall())[:-1]

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        row = await self._wrapped.fetchone()
        if row is None or row[0] == data.ITEMS:
            raise StopAsyncIteration
        return row


class CarelessAsyncConnection(Careless):
    """Gives careless cursors, and inserts one row less."""

    async def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> Any:
        if sql == data.INSERT_ENTRY and parameters[0] == 1:
            return None
        cursor = await self._wrapped.execute(sql, parameters)
        return cursor if "count(*), coalesce" in sql else CarelessAsyncCursor(cursor)

    async def executemany(self, sql: str, rows: list[data.Row]) -> Any:
        await self._wrapped.executemany(sql, rows[1:] if sql == data.INSERT_ENTRY else rows)


class CarelessDriver(AioSqlite):
    """A peer that would be quick, were it not for the checks."""

    async def open(self, path: Path | str) -> Any:
        return CarelessAsyncConnection(await super().open(path))


@pytest.mark.parametrize("name", WORKLOADS)
def test_no_workload_measures_an_async_driver_that_loses_rows(name: str, template: Path, tmp_path: Path) -> None:
    scene = Scene(CarelessDriver(), data.copy_template(template, tmp_path), TINY)
    measure: Callable[[Scene], Awaitable[object]] = WORKLOADS[name].measure

    async def run() -> None:
        await measure(scene)

    with pytest.raises(AssertionError, match="nothing was measured"):
        asyncio.run(run())


class CarelessCursor(Careless):
    """The same, blocking."""

    def fetchone(self) -> Any:
        self._wrapped.fetchone()
        return self._wrapped.fetchone() or (-1, "", 0.0)

    def fetchmany(self, size: int) -> Any:
        return self._wrapped.fetchmany(size)[:-1]

    def fetchall(self) -> Any:
        return self._wrapped.fetchall()[:-1]

    def __iter__(self) -> Any:
        return iter(self._wrapped.fetchall()[:-1])


class CarelessConnection(Careless):
    """The same, blocking."""

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> Any:
        if sql == data.INSERT_ENTRY and parameters[0] == 1:
            return None
        cursor = self._wrapped.execute(sql, parameters)
        return cursor if "count(*), coalesce" in sql else CarelessCursor(cursor)

    def executemany(self, sql: str, rows: list[data.Row]) -> Any:
        return self._wrapped.executemany(sql, rows[1:] if sql == data.INSERT_ENTRY else rows)


class CarelessBlockingDriver(BlockingDriver):
    """The same, blocking."""

    def open(self, path: Path | str) -> Any:
        return CarelessConnection(super().open(path))


@pytest.mark.parametrize("name", BLOCKING_WORKLOADS)
def test_no_workload_measures_a_blocking_driver_that_loses_rows(name: str, template: Path, tmp_path: Path) -> None:
    driver = CarelessBlockingDriver("careless", "sqlite3", None)
    assert driver.version == BLOCKING_DRIVERS["sqlite3"].version
    scene = BlockingScene(driver, data.copy_template(template, tmp_path), TINY)
    with pytest.raises(AssertionError, match="nothing was measured"):
        BLOCKING_WORKLOADS[name](scene)
