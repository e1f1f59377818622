"""Which cursors are half read at a point of a program, as its transcript tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from players import Observation, Transcript
from programs import (
    CloseConnection,
    CloseCursor,
    ConnectionExecute,
    Execute,
    ExecuteMany,
    FetchAll,
    FetchMany,
    FetchOne,
    Iterate,
    NewCursor,
    Program,
    Reopen,
    Step,
    sql_of,
)

REFUSED_AT_ONCE = ("TypeError", "UnicodeEncodeError")
"""What is raised for SQL that is none, before anything is done to the cursor (by some of the drivers)."""


@dataclass(frozen=True)
class Reading:
    """A result set of which rows may remain."""

    sql: str
    """In capitals."""
    began: int
    """The step that ran the statement."""


def half_read(program: Program, transcript: Transcript, index: int) -> dict[int, Reading]:
    """By cursor, what may still have rows before the step of that index. Too much rather than too little: whether the row
    that was read last was the last one is not known before the next read."""
    reading: dict[int, Reading] = {}
    connection_of: dict[int, int] = {}
    for position, (step, observation) in enumerate(zip(program.steps[:index], transcript.observations, strict=False)):
        note(reading, connection_of, position, step, observation)
    return reading


def connections_of(program: Program, transcript: Transcript) -> list[int]:
    """The connection that each step works on."""
    numbers: list[int] = []
    connection_of: dict[int, int] = {}
    for step, observation in zip(program.steps, transcript.observations, strict=True):
        number = getattr(step, "connection", None)
        if number is None:
            number = connection_of.get(getattr(step, "cursor", -1), 0)
        # A closed connection makes none: the cursor of that number stays what it was.
        elif isinstance(step, (NewCursor, ConnectionExecute)) and observation.raised is None:
            connection_of[step.cursor] = number
        numbers.append(number)
    return numbers


def note(
    reading: dict[int, Reading], connection_of: dict[int, int], position: int, step: Step, observation: Observation
) -> None:
    match step:
        case Execute(cursor=cursor) | ConnectionExecute(cursor=cursor) if observation.raised not in REFUSED_AT_ONCE:
            if isinstance(step, ConnectionExecute):
                if observation.raised is not None:
                    return
                connection_of[cursor] = step.connection
            reading.pop(cursor, None)
            state = observation.cursors.get(cursor)
            if observation.raised is None and state is not None and state["description"] is not None:
                reading[cursor] = Reading(str(step.sql).upper(), position)
        case NewCursor(cursor=cursor) if observation.raised is None:
            connection_of[cursor] = step.connection
            reading.pop(cursor, None)
        case ExecuteMany(cursor=cursor) if observation.raised not in REFUSED_AT_ONCE:
            reading.pop(cursor, None)
            # sqlite3 leaves the last of them running.
            if "RETURNING" in sql_of(step):
                reading[cursor] = Reading(sql_of(step), position)
        case CloseCursor(cursor=cursor) | FetchAll(cursor=cursor):
            reading.pop(cursor, None)
        case FetchOne(cursor=cursor) | FetchMany(cursor=cursor) | Iterate(cursor=cursor):
            if observation.raised is not None or is_at_its_end(step, observation.outcome):
                reading.pop(cursor, None)
        case CloseConnection(connection=connection) | Reopen(connection=connection):
            for cursor in [cursor for cursor in reading if connection_of.get(cursor, 0) == connection]:
                del reading[cursor]


def is_at_its_end(step: Step, outcome: Any) -> bool:
    match step, outcome:
        case FetchOne(), (_, ("NoneType", _)):
            return True
        case FetchMany(size=size), (_, ("list", rows)):
            return size == 0 or len(rows) < (size or 1)
        case Iterate(), (_, ("list", rows)):
            return ("str", "'the end'") in rows
    return False
