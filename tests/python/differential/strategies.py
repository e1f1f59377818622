"""Which programs are tried: a small world, so that steps get into each other's way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from hypothesis import strategies as st
from programs import (
    CONNECTIONS,
    CURSORS,
    CloseConnection,
    CloseCursor,
    Commit,
    ConnectionExecute,
    Execute,
    ExecuteMany,
    ExecuteScript,
    FetchAll,
    FetchMany,
    FetchOne,
    Iterate,
    NewCursor,
    Options,
    Program,
    Reopen,
    Rollback,
    SetArraysize,
    SetAutocommit,
    SetIsolationLevel,
    SetRowFactory,
    SetTextFactory,
    Source,
    Step,
    WithBlock,
)
from statements import BROKEN, DEFINITIONS, MANY, QUERIES, SCRIPTS, TRANSACTIONS, WRITES, Statement
from values import (
    REFUSED,
    UNUSUAL,
    USUAL,
    Defaults,
    IteratorOfMine,
    NotIterable,
    SequenceOfMine,
    SequenceThatBreaks,
)

ResultT = TypeVar("ResultT")


def weighted(*weights: tuple[int, st.SearchStrategy[ResultT]]) -> st.SearchStrategy[ResultT]:
    """One of several, each as often as its number says. (`one_of` merges what it is given twice.)"""
    population = [strategy for weight, strategy in weights for _ in range(weight)]
    return st.integers(0, len(population) - 1).flatmap(population.__getitem__)


usual = st.sampled_from(USUAL)
values = weighted((4, usual), (1, st.sampled_from(UNUSUAL)))
any_value = weighted((15, values), (1, st.sampled_from(REFUSED)))


@st.composite
def parameters_for(draw: st.DrawFn, statement: Statement, mistakes: bool = True) -> Any:
    """What is bound to a statement's parameters: mostly what fits."""
    one = any_value if mistakes else values
    if statement.names:
        mapping = {name: draw(one) for name in statement.names}
        kind = draw(st.sampled_from(["exact"] * 6 + ["more", "less", "default", "positional", "odd key"] * mistakes))
        if kind == "more":
            return mapping | {"other": draw(one)}
        if kind == "less":
            mapping.pop(draw(st.sampled_from(statement.names)))
        elif kind == "default":
            return Defaults({statement.names[0]: mapping[statement.names[0]]})
        elif kind == "positional":
            return tuple(mapping.values())
        elif kind == "odd key":
            return {1: 2} | mapping
        return mapping
    items = [draw(one) for _ in range(statement.count)]
    kind = draw(st.sampled_from(["tuple"] * 8 + ["list"] * 2 + ["more", "less", "named", "sequence", "odd"] * mistakes))
    if kind == "list":
        return items
    if kind == "more":
        return (*items, draw(one))
    if kind == "less":
        return tuple(items[:-1])
    if kind == "named":
        return {str(position + 1): item for position, item in enumerate(items)}
    if kind == "sequence":
        return SequenceOfMine(*items)
    if kind == "odd":
        return draw(
            st.sampled_from([5, "text", b"bytes", {1}, NotIterable(), IteratorOfMine(), SequenceThatBreaks(*items)])
        )
    return tuple(items)


@st.composite
def with_parameters(draw: st.DrawFn, statements: st.SearchStrategy[Statement]) -> tuple[Any, Any]:
    statement = draw(statements)
    return statement.sql, draw(parameters_for(statement))


queries = st.sampled_from(QUERIES)
writes = st.sampled_from(WRITES)
definitions = st.sampled_from(DEFINITIONS)
transactions = st.sampled_from(TRANSACTIONS)
broken = st.sampled_from(BROKEN)
statements = with_parameters(weighted((8, queries), (10, writes), (4, definitions), (4, transactions), (2, broken)))
block_statements = with_parameters(weighted((4, writes), (2, queries), (1, broken)))

cursors = st.integers(0, CURSORS - 1)
levels = st.sampled_from([None, "", "DEFERRED", "IMMEDIATE", "exclusive", "bogus", 1])
row_factories = st.sampled_from(["None", "Row", "as_dictionary", "as_last_value", "that_refuses_two"])


@st.composite
def sources(draw: st.DrawFn, statement: Statement) -> Source:
    usual_items = st.lists(parameters_for(statement, mistakes=False), max_size=4)
    items = draw(weighted((3, usual_items), (1, st.lists(parameters_for(statement), max_size=4))))
    fails_after = draw(weighted((5, st.none()), (1, st.integers(0, len(items)))))
    return Source(tuple(items), draw(st.booleans()), fails_after)


@st.composite
def executemany(draw: st.DrawFn) -> Step:
    statement = draw(weighted((8, st.sampled_from(MANY)), (3, writes), (1, queries), (1, broken)))
    return ExecuteMany(draw(cursors), statement.sql, draw(sources(statement)))


@st.composite
def scripts(draw: st.DrawFn) -> Step:
    statements = draw(st.lists(st.sampled_from(SCRIPTS), max_size=4))
    return ExecuteScript(draw(cursors), draw(st.sampled_from(["; ", ";\n", ";; ", "; -- between\n"])).join(statements))


def steps(connections: int) -> st.SearchStrategy[Step]:
    """A step, on one of so many connections."""
    connection = st.integers(0, connections - 1)
    execute = st.builds(lambda cursor, both: Execute(cursor, *both), cursors, statements)
    short_form = st.builds(
        lambda cursor, both, on: ConnectionExecute(cursor, *both, on), cursors, statements, connection
    )
    fetches = st.one_of(
        st.builds(FetchOne, cursors),
        st.builds(FetchMany, cursors, st.sampled_from([None, None, 0, 1, 2, 3, 10])),
        st.builds(FetchAll, cursors),
        st.builds(Iterate, cursors, st.sampled_from([0, 1, 2, 3, None])),
    )
    ends = st.one_of(st.builds(Commit, connection), st.builds(Rollback, connection))
    seldom = [
        st.builds(NewCursor, cursors, connection),
        st.builds(lambda both, fails, on: WithBlock(*both, fails, on), block_statements, st.booleans(), connection),
        st.builds(SetIsolationLevel, levels, connection),
        st.builds(SetArraysize, cursors, st.sampled_from([1, 2, 3, 0])),
        st.builds(SetRowFactory, row_factories, st.one_of(st.none(), cursors), connection),
        st.builds(SetTextFactory, st.sampled_from(["str", "bytes", "bytearray", "len"]), connection),
        st.builds(Reopen, connection),
        st.builds(SetAutocommit, st.sampled_from([True, False, -1, -1, 2, "bogus"]), connection),
    ]
    closes = st.one_of(st.builds(CloseCursor, cursors), st.builds(CloseConnection, connection))
    return weighted(
        (24, st.one_of(execute, short_form)),
        (5, executemany()),
        (4, scripts()),
        (16, fetches),
        (4, ends),
        (6, st.one_of(seldom)),
        # What comes behind these is mostly refused.
        (1, closes),
    )


autocommit_modes = st.sampled_from([-1, -1, -1, True, False])

FIRST_STEPS = [
    ExecuteScript(
        0,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE, b NOT NULL DEFAULT 'none', c CHECK (c < 100)); "
        "CREATE TABLE u (x INTEGER, y TEXT, z REAL)",
    ),
    Execute(0, "INSERT INTO t (id, a) VALUES (1, 1), (2, 2), (3, 'three')"),
    Commit(),
]
"""What all programs begin with."""


def program_steps(connections: int) -> st.SearchStrategy[list[Step]]:
    one = steps(connections)
    return st.one_of(st.lists(one, min_size=1, max_size=8), st.lists(one, min_size=8, max_size=24))


@st.composite
def free_programs(draw: st.DrawFn) -> Program:
    """Programs of which nothing is known."""
    options = Options(
        in_file=draw(weighted((1, st.just(False)), (2, st.just(True)))),
        isolation_level=draw(st.sampled_from(["", "", "DEFERRED", "IMMEDIATE", "EXCLUSIVE", None])),
        autocommit=draw(autocommit_modes),
        iter_chunk_size=draw(st.sampled_from([64, 1, 2])),
    )
    connections = draw(st.integers(1, CONNECTIONS)) if options.in_file else 1
    return Program(options, [*FIRST_STEPS, *draw(program_steps(connections))])


@st.composite
def programs_near(draw: st.DrawFn, examples: Sequence[Program]) -> Program:
    """An example with other steps strewn into it, so that what is seldom met by chance is met often, and in company."""
    example = draw(st.sampled_from(examples))
    connections = CONNECTIONS if example.options.in_file else 1
    strewn = list(example.steps)
    for step in draw(st.lists(steps(connections), min_size=1, max_size=6)):
        strewn.insert(draw(st.integers(len(FIRST_STEPS), len(strewn))), step)
    return Program(replace(example.options, iter_chunk_size=draw(st.sampled_from([64, 1, 2]))), strewn)


def programs(examples: Sequence[Program]) -> st.SearchStrategy[Program]:
    """All programs that are tried; some of them near the examples."""
    return weighted((5, free_programs()), (1, programs_near(examples)))
