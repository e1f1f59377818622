"""Programs of a user of a driver: a list of steps on connections and cursors, each of which can be run on any of the drivers
and printed as Python.

A step is run by `perform`, on a `World` that knows of which driver its connections are. The same coroutine serves both
colours: what a blocking driver returns is there already, what the asyncio driver returns is awaited.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from values import source_of

CURSORS = 3
"""How many cursors a program has at most, counted through over its connections."""

CONNECTIONS = 2


class Cutoff(Exception):
    """What a source of parameters raises in the middle, and the body of a `with` block."""


@dataclass(frozen=True)
class Options:
    """How the connections of a program are opened."""

    in_file: bool = False
    isolation_level: str | None = ""
    autocommit: bool | int = -1
    iter_chunk_size: int = 64
    """Of the asyncio side alone: how many rows it reads ahead."""


class Driver(Protocol):
    """What a world must know of the driver under its connections."""

    Row: Any

    async def connect(self, options: Options) -> Any: ...

    def next(self, cursor: Any) -> Any: ...

    async def applied(self, connection: Any) -> None: ...


@dataclass
class World:
    """The connections and cursors of a running program."""

    driver: Driver
    options: Options
    connections: dict[int, Any] = field(default_factory=dict)
    cursors: dict[int, Any] = field(default_factory=dict)

    async def connection(self, number: int) -> Any:
        if number not in self.connections:
            self.connections[number] = await self.driver.connect(self.options)
        return self.connections[number]

    async def cursor(self, number: int) -> Any:
        """The cursor of that number; made by its connection, the first one, if it is not there yet."""
        if number not in self.cursors:
            connection = await self.connection(0)
            self.cursors[number] = await settled(connection.cursor())
        return self.cursors[number]


async def settled(value: Any) -> Any:
    """What a call gave, or what it is going to give."""
    if not inspect.isawaitable(value):
        return value
    try:
        return await value
    finally:
        # An error has this frame behind it, and would keep the call, which has the error, and with them a cursor.
        del value


class Step:
    """One step of a program."""

    async def perform(self, world: World) -> Any:
        """Runs it and gives what the driver gave."""
        raise NotImplementedError

    def source(self) -> str:
        """It as a line of Python."""
        raise NotImplementedError


# --- on a connection -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Commit(Step):
    connection: int = 0

    async def perform(self, world: World) -> Any:
        return await settled((await world.connection(self.connection)).commit())

    def source(self) -> str:
        return f"connection{self.connection}.commit()"


@dataclass(frozen=True)
class Rollback(Step):
    connection: int = 0

    async def perform(self, world: World) -> Any:
        return await settled((await world.connection(self.connection)).rollback())

    def source(self) -> str:
        return f"connection{self.connection}.rollback()"


@dataclass(frozen=True)
class CloseConnection(Step):
    connection: int = 0

    async def perform(self, world: World) -> Any:
        return await settled((await world.connection(self.connection)).close())

    def source(self) -> str:
        return f"connection{self.connection}.close()"


@dataclass(frozen=True)
class Reopen(Step):
    """Closes a connection, which takes what is not committed with it, and opens it anew. Its cursors stay what they are."""

    connection: int = 0

    async def perform(self, world: World) -> Any:
        await settled((await world.connection(self.connection)).close())
        del world.connections[self.connection]
        await world.connection(self.connection)

    def source(self) -> str:
        return f"connection{self.connection}.close(); connection{self.connection} = connect()"


@dataclass(frozen=True)
class SetIsolationLevel(Step):
    level: Any
    connection: int = 0

    async def perform(self, world: World) -> Any:
        connection = await world.connection(self.connection)
        connection.isolation_level = self.level
        await world.driver.applied(connection)

    def source(self) -> str:
        return f"connection{self.connection}.isolation_level = {self.level!r}"


@dataclass(frozen=True)
class SetAutocommit(Step):
    autocommit: Any
    connection: int = 0

    async def perform(self, world: World) -> Any:
        connection = await world.connection(self.connection)
        connection.autocommit = self.autocommit
        await world.driver.applied(connection)

    def source(self) -> str:
        return f"connection{self.connection}.autocommit = {self.autocommit!r}"


@dataclass(frozen=True)
class NewCursor(Step):
    """Makes a cursor, in the place of the one that had its number, which is dropped without a close."""

    cursor: int
    connection: int = 0

    async def perform(self, world: World) -> Any:
        world.cursors[self.cursor] = await settled((await world.connection(self.connection)).cursor())

    def source(self) -> str:
        return f"cursor{self.cursor} = connection{self.connection}.cursor()"


@dataclass(frozen=True)
class ConnectionExecute(Step):
    """The short form that makes the cursor."""

    cursor: int
    sql: Any
    parameters: Any = ()
    connection: int = 0

    async def perform(self, world: World) -> Any:
        connection = await world.connection(self.connection)
        world.cursors[self.cursor] = await settled(connection.execute(self.sql, self.parameters))

    def source(self) -> str:
        arguments = arguments_of(self.sql, self.parameters)
        return f"cursor{self.cursor} = connection{self.connection}.execute({arguments})"


@dataclass(frozen=True)
class WithBlock(Step):
    """`with connection:` around one statement, and around an error if `fails`. The asyncio side has no such block (its own
    closes), so there what the block does at its end is called."""

    sql: Any
    parameters: Any = ()
    fails: bool = False
    connection: int = 0

    async def perform(self, world: World) -> Any:
        connection = await world.connection(self.connection)
        if hasattr(connection, "__exit__"):
            with connection:
                connection.execute(self.sql, self.parameters)
                if self.fails:
                    raise Cutoff
            return
        try:
            await settled(connection.execute(self.sql, self.parameters))
            if self.fails:
                raise Cutoff
        except BaseException:
            await settled(connection.rollback())
            raise
        await settled(connection.commit())

    def source(self) -> str:
        arguments = arguments_of(self.sql, self.parameters)
        body = f"connection{self.connection}.execute({arguments})" + ("; raise Cutoff" if self.fails else "")
        return f"with connection{self.connection}: {body}"


# --- on a cursor -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Execute(Step):
    cursor: int
    sql: Any
    parameters: Any = ()

    async def perform(self, world: World) -> Any:
        cursor = await world.cursor(self.cursor)
        given = await settled(cursor.execute(self.sql, self.parameters))
        return given is cursor

    def source(self) -> str:
        return f"cursor{self.cursor}.execute({arguments_of(self.sql, self.parameters)})"


@dataclass(frozen=True)
class Source:
    """What `executemany` takes its parameters from: a list, or an iterator, that may fail in the middle."""

    items: Sequence[Any]
    as_iterator: bool = False
    fails_after: int | None = None

    def make(self) -> Any:
        if not self.as_iterator and self.fails_after is None:
            return list(self.items)
        return self._generate()

    def _generate(self) -> Iterator[Any]:
        for position, item in enumerate(self.items):
            if position == self.fails_after:
                raise Cutoff
            yield item
        if self.fails_after is not None:
            raise Cutoff

    def source(self) -> str:
        items = "[" + ", ".join(map(source_of, self.items)) + "]"
        if self.fails_after is not None:
            return f"raising({items}, after={self.fails_after})"
        return f"iter({items})" if self.as_iterator else items


@dataclass(frozen=True)
class ExecuteMany(Step):
    cursor: int
    sql: Any
    parameters: Source

    async def perform(self, world: World) -> Any:
        cursor = await world.cursor(self.cursor)
        given = await settled(cursor.executemany(self.sql, self.parameters.make()))
        return given is cursor

    def source(self) -> str:
        return f"cursor{self.cursor}.executemany({source_of(self.sql)}, {self.parameters.source()})"


@dataclass(frozen=True)
class ExecuteScript(Step):
    cursor: int
    script: Any

    async def perform(self, world: World) -> Any:
        cursor = await world.cursor(self.cursor)
        given = await settled(cursor.executescript(self.script))
        return given is cursor

    def source(self) -> str:
        return f"cursor{self.cursor}.executescript({source_of(self.script)})"


@dataclass(frozen=True)
class FetchOne(Step):
    cursor: int

    async def perform(self, world: World) -> Any:
        return await settled((await world.cursor(self.cursor)).fetchone())

    def source(self) -> str:
        return f"cursor{self.cursor}.fetchone()"


@dataclass(frozen=True)
class FetchMany(Step):
    cursor: int
    size: int | None = None

    async def perform(self, world: World) -> Any:
        cursor = await world.cursor(self.cursor)
        return await settled(cursor.fetchmany() if self.size is None else cursor.fetchmany(self.size))

    def source(self) -> str:
        return f"cursor{self.cursor}.fetchmany({'' if self.size is None else self.size})"


@dataclass(frozen=True)
class FetchAll(Step):
    cursor: int

    async def perform(self, world: World) -> Any:
        return await settled((await world.cursor(self.cursor)).fetchall())

    def source(self) -> str:
        return f"cursor{self.cursor}.fetchall()"


@dataclass(frozen=True)
class Iterate(Step):
    """A loop over a cursor that is broken off after some rows, or runs to the end."""

    cursor: int
    rows: int | None = None

    async def perform(self, world: World) -> Any:
        cursor = await world.cursor(self.cursor)
        given = []
        while self.rows is None or len(given) < self.rows:
            try:
                given.append(await settled(world.driver.next(cursor)))
            except (StopIteration, StopAsyncIteration):
                return [*given, "the end"]
        return given

    def source(self) -> str:
        if self.rows is None:
            return f"list(cursor{self.cursor})"
        return f"list(islice(cursor{self.cursor}, {self.rows}))"


FETCHES = (FetchOne, FetchMany, FetchAll, Iterate)


@dataclass(frozen=True)
class SetArraysize(Step):
    cursor: int
    arraysize: int

    async def perform(self, world: World) -> Any:
        cursor = await world.cursor(self.cursor)
        cursor.arraysize = self.arraysize
        await world.driver.applied(cursor.connection)

    def source(self) -> str:
        return f"cursor{self.cursor}.arraysize = {self.arraysize}"


def as_dictionary(cursor: Any, row: tuple[Any, ...]) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


def as_last_value(_cursor: Any, row: tuple[Any, ...]) -> Any:
    return row[-1]


def that_refuses_two(_cursor: Any, row: tuple[Any, ...]) -> Any:
    if row[0] == 2:
        raise Cutoff
    return row


ROW_FACTORIES: Mapping[str, Callable[[Any, tuple[Any, ...]], Any] | None] = {
    "None": None,
    "as_dictionary": as_dictionary,
    "as_last_value": as_last_value,
    "that_refuses_two": that_refuses_two,
}


@dataclass(frozen=True)
class SetRowFactory(Step):
    """On a connection, or on a cursor if one is given."""

    factory: str
    cursor: int | None = None
    connection: int = 0

    async def perform(self, world: World) -> Any:
        factory = world.driver.Row if self.factory == "Row" else ROW_FACTORIES[self.factory]
        if self.cursor is None:
            owner = connection = await world.connection(self.connection)
        else:
            owner = await world.cursor(self.cursor)
            connection = owner.connection
        owner.row_factory = factory
        await world.driver.applied(connection)

    def source(self) -> str:
        whose = f"connection{self.connection}" if self.cursor is None else f"cursor{self.cursor}"
        return f"{whose}.row_factory = {self.factory}"


TEXT_FACTORIES: Mapping[str, Callable[[bytes], Any]] = {"str": str, "bytes": bytes, "bytearray": bytearray, "len": len}


@dataclass(frozen=True)
class SetTextFactory(Step):
    factory: str
    connection: int = 0

    async def perform(self, world: World) -> Any:
        connection = await world.connection(self.connection)
        connection.text_factory = TEXT_FACTORIES[self.factory]
        await world.driver.applied(connection)

    def source(self) -> str:
        return f"connection{self.connection}.text_factory = {self.factory}"


@dataclass(frozen=True)
class CloseCursor(Step):
    cursor: int

    async def perform(self, world: World) -> Any:
        return await settled((await world.cursor(self.cursor)).close())

    def source(self) -> str:
        return f"cursor{self.cursor}.close()"


@dataclass(frozen=True)
class Program:
    """What one sequence does, from the first connect to the end."""

    options: Options
    steps: Sequence[Step]

    def source(self) -> str:
        """It as Python that a reader can paste behind the imports."""
        options = self.options
        path = '"test.db"' if options.in_file else '":memory:"'
        settings = f"isolation_level={options.isolation_level!r}"
        if options.autocommit != -1:
            settings += f", autocommit={options.autocommit!r}"
        lines = [f"connect = partial(module.connect, {path}, {settings})  # iter_chunk_size={options.iter_chunk_size}"]
        return "\n".join([*lines, *(step.source() for step in self.steps)])

    def __repr__(self) -> str:
        return f"Program({self.options!r}, {list(self.steps)!r})"


def arguments_of(sql: Any, parameters: Any) -> str:
    return source_of(sql) if parameters == () else f"{source_of(sql)}, {source_of(parameters)}"


def sql_of(step: Step | None) -> str:
    """A step's SQL in capitals; empty for a step without."""
    sql = getattr(step, "sql", getattr(step, "script", ""))
    return sql.upper() if isinstance(sql, str) else ""
