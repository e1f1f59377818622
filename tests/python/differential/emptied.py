"""When SQLite has emptied its database: a fault of SQLite's own, which no program may be compared behind.

A connection that has read nothing of its file yet does not know whether that is empty. A savepoint, and a `BEGIN IMMEDIATE` that
is refused in it, but has taken the lock of writers by then, make SQLite write down that it is; `ROLLBACK TO` then brings that back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from comparison import Case
from players import Observation
from programs import CloseConnection, Reopen, Rollback, Step, WithBlock, sql_of
from reading import connections_of

READS = re.compile(r"\b(FROM|INTO|UPDATE|TABLE|INDEX|VIEW|USER_VERSION|TABLE_INFO)\b")
"""What a statement has that SQLite reads the schema for."""
READ_NOTHING = ("syntax error", "incomplete input", "unrecognized token")
"""How SQLite refuses what it has read no schema for."""


@dataclass
class State:
    """How far a connection has come."""

    has_read: bool = False
    in_savepoint: bool = False
    has_lock: bool = False
    is_empty: bool = False


def has_emptied_its_database(case: Case) -> bool:
    """Whether SQLite takes the database for empty before the step, on one connection, or on all once that has committed."""
    states: dict[int, State] = {}
    was_in_transaction: dict[int, bool] = {}
    begins_at_once = case.program.options.autocommit is False
    observations = case.expected_transcript.observations
    numbers = connections_of(case.program, case.expected_transcript)
    for step, observation, number in list(zip(case.program.steps, observations, numbers, strict=True))[: case.index]:
        state = states.setdefault(number, State())
        note(state, step, observation, was_in_transaction.get(number, begins_at_once))
        was_in_transaction = {
            other: shown.get("in_transaction") is True for other, shown in observation.connections.items()
        }
        if not was_in_transaction.get(number, False):
            if state.is_empty and not rolls_back(step, observation):
                return True
            states[number] = State(has_read=state.has_read and not isinstance(step, Reopen))
    return any(state.is_empty for state in states.values())


def rolls_back(step: Step, observation: Observation) -> bool:
    """Whether a step behind which no transaction is open has undone what was done in it."""
    if isinstance(step, WithBlock):
        return observation.raised is not None
    return "ROLLBACK" in sql_of(step) or isinstance(step, (Rollback, CloseConnection, Reopen))


def note(state: State, step: Step, observation: Observation, was_in_transaction: bool) -> None:
    """What a step changes."""
    sql = sql_of(step)
    if "BEGIN IMMEDIATE" in sql or "BEGIN EXCLUSIVE" in sql:
        is_refused = "within a transaction" in observation.message
        state.has_lock |= state.in_savepoint and not state.has_read and is_refused
    elif "ROLLBACK TO" in sql:
        state.is_empty |= state.has_lock and observation.raised is None
    elif sql.startswith("SAVEPOINT"):
        state.in_savepoint |= not was_in_transaction
    elif READS.search(sql) and not any(words in observation.message for words in READ_NOTHING):
        state.has_read = True
