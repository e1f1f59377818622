"""The three drivers, each of which plays a program and writes down what its user sees of it, step by step."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import warnings
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import aioturso
import aioturso.lib
from programs import Options, Program, Step, World, settled

CLASSES = frozenset(
    name
    for name in aioturso.lib.__all__
    if isinstance(known := getattr(sqlite3, name, None), type) and issubclass(known, Exception)
)
"""The exceptions of PEP 249, by name."""


@dataclass(frozen=True)
class Observation:
    """What a step gave or raised, and what the connections and cursors show behind it."""

    outcome: Any
    connections: dict[int, Any]
    cursors: dict[int, Any]

    @property
    def raised(self) -> str | None:
        """The name of the class of the exception, if there was one."""
        return self.outcome[1][0] if isinstance(self.outcome, Raised) else None

    @property
    def message(self) -> str:
        """The words of the exception, if there was one."""
        return self.outcome[2] if isinstance(self.outcome, Raised) else ""


@dataclass(frozen=True)
class Transcript:
    """A program as it went on one driver."""

    observations: list[Observation]
    content: dict[str, Any]


class Raised(tuple[Any, ...]):
    """An outcome that is an exception. Two are equal if their classes are; the words are the engine's."""

    def __new__(cls, error: BaseException) -> Raised:
        return super().__new__(cls, ("raised", hierarchy(error), str(error)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Raised) and self[1] == other[1]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[1][0])


def hierarchy(error: BaseException) -> list[str]:
    """The classes of an exception from the first that all drivers can name: those of PEP 249, or Python's own."""
    names = [base.__name__ for base in type(error).__mro__]
    known = [name for name in names if name in CLASSES]
    return known or names


def described(value: Any) -> Any:
    """A value as it is compared: by exact type, and NaN equal to itself."""
    if isinstance(value, (aioturso.lib.Row, sqlite3.Row)):
        return "Row", value.keys(), [described(item) for item in value]
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [described(item) for item in value]
    if isinstance(value, dict):
        return "dict", [(key, described(item)) for key, item in value.items()]
    if isinstance(value, (type(None), bool, int, float, str, bytes, bytearray)):
        return type(value).__name__, repr(value)
    return f"an object of the class {type(value).__name__}"


def looked_at(look: Any) -> Any:
    try:
        return look()
    except Exception as error:
        return Raised(error)


def connection_state(connection: Any) -> Any:
    names = ["in_transaction", "total_changes", "isolation_level", "autocommit"]
    return {name: looked_at(lambda name=name: getattr(connection, name)) for name in names}


def cursor_state(cursor: Any) -> Any:
    names = ["rowcount", "lastrowid", "arraysize", "description"]
    return {name: looked_at(lambda name=name: getattr(cursor, name)) for name in names}


def observed(world: World, outcome: Any) -> Observation:
    connections = {number: connection_state(connection) for number, connection in sorted(world.connections.items())}
    return Observation(outcome, connections, {n: cursor_state(cursor) for n, cursor in sorted(world.cursors.items())})


async def outcome_of(step: Step, world: World) -> Any:
    try:
        value = await step.perform(world)
    except Exception as error:
        return Raised(error)
    return "gave", described(value) if not is_cursor(value) else "a cursor"


def is_cursor(value: Any) -> bool:
    return isinstance(value, (sqlite3.Cursor, aioturso.lib.Cursor, aioturso.Cursor))


class Player:
    """One driver, playing one program."""

    name: str
    Row: Any

    def __init__(self, path: Path | None) -> None:
        self.path = path

    async def connect(self, options: Options) -> Any:
        raise NotImplementedError

    def next(self, cursor: Any) -> Any:
        raise NotImplementedError

    def run(self, coroutine: Coroutine[Any, Any, Transcript]) -> Transcript:
        raise NotImplementedError

    def play(self, program: Program) -> Transcript:
        with warnings.catch_warnings():
            # From 3.12 on sqlite3 warns of names that are bound by position, and does it.
            warnings.simplefilter("ignore", DeprecationWarning)
            return self.run(self._play(program))

    async def _play(self, program: Program) -> Transcript:
        world = World(self, program.options)
        try:
            await world.connection(0)
            observations = []
            for step in program.steps:
                observations.append(observed(world, await outcome_of(step, world)))
            content = await self._content(world)
        finally:
            world.cursors.clear()
            for connection in world.connections.values():
                await settled(connection.close())
        return Transcript(observations, content)

    async def applied(self, _connection: Any) -> None:
        """Waits until what was assigned to a connection or to its cursors holds."""

    async def _content(self, world: World) -> dict[str, Any]:
        if self.path is None:
            return looked_at_database(await rows_of_memory(world))
        for connection in world.connections.values():
            await settled(connection.close())
        return content_of_file(self.path)


def options_of(options: Options) -> dict[str, Any]:
    settings: dict[str, Any] = {"isolation_level": options.isolation_level, "timeout": 0.0}
    if options.autocommit != -1:
        settings["autocommit"] = options.autocommit
    return settings


class BlockingPlayer(Player):
    """A driver with the module's functions and classes as PEP 249 has them."""

    module: ModuleType

    @property
    def database(self) -> str:
        return ":memory:" if self.path is None else str(self.path)

    def next(self, cursor: Any) -> Any:
        return next(cursor)

    def run(self, coroutine: Coroutine[Any, Any, Transcript]) -> Transcript:
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        raise RuntimeError("a blocking driver gave something to wait for")


class StandardPlayer(BlockingPlayer):
    name = "sqlite3"
    module = sqlite3
    Row = sqlite3.Row

    async def connect(self, options: Options) -> Any:
        if self.path is not None and not self.path.exists():
            # The journal that the engine has, so that two connections keep each other out in the same way.
            first = sqlite3.connect(self.database)
            first.execute("PRAGMA journal_mode = WAL")
            first.close()
        return sqlite3.connect(self.database, **options_of(options))


class BlockingOurs(BlockingPlayer):
    name = "aioturso.lib"
    module = aioturso.lib
    Row = aioturso.lib.Row

    async def connect(self, options: Options) -> Any:
        return aioturso.lib.connect(self.database, **options_of(options))


class AsyncOurs(Player):
    name = "aioturso"
    Row = aioturso.Row

    def __init__(self, path: Path | None, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(path)
        self.loop = loop

    async def connect(self, options: Options) -> Any:
        database = ":memory:" if self.path is None else self.path
        settings = options_of(options)
        return await aioturso.connect(database, **settings, iter_chunk_size=options.iter_chunk_size)

    def next(self, cursor: Any) -> Any:
        return cursor.__anext__()

    async def applied(self, connection: Any) -> None:
        # An assignment is queued; what is queued behind it ends behind it.
        with contextlib.suppress(aioturso.ProgrammingError):
            await connection.set_query_timeout(None)

    def run(self, coroutine: Coroutine[Any, Any, Transcript]) -> Transcript:
        return self.loop.run_until_complete(coroutine)


# --- what is in the database at the end ------------------------------------------------------------------------------

TABLES = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"


async def rows_of_memory(world: World) -> dict[str, Any]:
    """What a database in memory holds, asked through its own connection; nothing if that is closed."""
    connection = world.connections[0]
    try:
        connection.row_factory = None
        connection.text_factory = str
        tables = await fetched(connection, TABLES)
    except Exception as error:
        return {"raised": hierarchy(error)}
    return {"sqlite_master": tables} | {name: await fetched(connection, everything_of(name)) for name in names(tables)}


async def fetched(connection: Any, sql: str) -> Any:
    cursor = await settled(connection.execute(sql))
    return await settled(cursor.fetchall())


def content_of_file(path: Path) -> dict[str, Any]:
    """What a database file holds, as SQLite reads it, and whether SQLite finds it sound."""
    connection = sqlite3.connect(path)
    try:
        tables = connection.execute(TABLES).fetchall()
        found = {name: connection.execute(everything_of(name)).fetchall() for name in names(tables)}
        sound = connection.execute("PRAGMA integrity_check").fetchall()
    finally:
        connection.close()
    return looked_at_database({"sqlite_master": tables, "integrity_check": sound} | found)


def everything_of(table: str) -> str:
    quoted = table.replace('"', '""')
    return f'SELECT rowid, * FROM "{quoted}" ORDER BY rowid'


def names(tables: list[tuple[Any, ...]]) -> list[str]:
    return [row[1] for row in tables if row[0] == "table"]


def looked_at_database(found: dict[str, Any]) -> dict[str, Any]:
    return {name: described(rows) for name, rows in found.items()}


def remove_database(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal", "-log", "-tshm"):
        if os.path.exists(f"{path}{suffix}"):
            os.remove(f"{path}{suffix}")
