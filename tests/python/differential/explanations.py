"""What tells whether a known difference explains what two drivers show differently behind a step."""

from __future__ import annotations

import re

from comparison import Case
from players import Observation
from programs import (
    FETCHES,
    CloseConnection,
    Commit,
    ConnectionExecute,
    Execute,
    ExecuteMany,
    ExecuteScript,
    Reopen,
    Rollback,
    SetRowFactory,
    WithBlock,
    sql_of,
)
from reading import REFUSED_AT_ONCE, Reading, connections_of


def is_about_what_is_closed(case: Case) -> bool:
    return "closed" in case.expected.message or "closed" in case.seen.message


def repeats_an_older_error(case: Case) -> bool:
    """Whether sqlite3 raised what it had raised before, word by word, and the driver did not."""
    if case.step is None or case.expected.message == case.seen.message:
        return False
    # What SQLite calls rows and their end, and are no errors.
    if case.expected.message in ("another row available", "no more rows available"):
        return True
    older = [observation.message for observation in case.expected_transcript.observations[: case.index]]
    return case.expected.message in filter(None, older)


def waits_for_nothing(case: Case) -> bool:
    """Whether a statement waits for the lock that `IF [NOT] EXISTS` takes, or that it has taken in a transaction."""
    return "locked" in case.seen.message and any(re.search("IF (NOT )?EXISTS", sql) for sql in case.sql_before)


def began_with_a_savepoint(case: Case) -> bool:
    """Whether a connection beside another one reads or writes in a transaction that may have begun with a savepoint, or finds the
    lock of writers free that SQLite has taken in one."""
    if len(case.expected.connections) < 2 or not any("SAVEPOINT" in sql for sql in case.sql_before):
        return False
    is_refused = "another connection has changed" in case.seen.message
    both_work = case.expected.raised is None and case.seen.raised is None
    return is_refused or both_work or (case.expected.message == "database is locked" and did_not_take_the_lock(case))


def did_not_take_the_lock(case: Case) -> bool:
    """Whether a `BEGIN IMMEDIATE` inside of a transaction was refused for its snapshot; where the snapshot is no hindrance, it takes
    the lock of writers before it is refused as a second `BEGIN`."""
    both = zip(case.sql_before, case.expected_transcript.observations, case.seen_transcript.observations, strict=False)
    return any(
        sql.startswith(("BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"))
        and "within a transaction" in expected.message
        and "another connection has changed" in seen.message
        for sql, expected, seen in both
    )


def took_a_snapshot_for_no_table(case: Case) -> bool:
    """Whether a transaction beside another connection reads or writes behind a query of no table that keeps rows for itself."""
    if len(case.expected.connections) < 2 or not any("WITH RECURSIVE" in sql for sql in case.sql_before):
        return False
    is_refused = "another connection has changed" in case.seen.message
    is_read = case.expected.raised is None and case.seen.raised is None and case.fields == {"outcome"}
    return is_refused or is_read or knows_another_schema(case)


def inserts_behind_a_window_function(case: Case) -> bool:
    """Whether an `INSERT` that may update instead has run behind a query with a window function."""
    windows = [index for index, sql in enumerate(case.sql_before) if "OVER (" in sql]
    return bool(windows) and any("ON CONFLICT" in sql for sql in case.sql_before[windows[0] :])


def or_fail_is_not_counted(case: Case) -> bool:
    """Whether the changes of `OR FAIL` differ: what the connection shows, or a query of them."""
    if case.fields == {"total_changes"}:
        return "OR FAIL" in case.sql
    reading = reading_of(case)
    asks = reading is not None and "TOTAL_CHANGES()" in reading.sql
    return asks and case.fields == {"outcome"} and any("OR FAIL" in sql for sql in case.sql_before)


def does_not_fit_a_schema_changed_by_another(case: Case) -> bool:
    """Whether a statement does not fit the schema, in a program that changed that on another connection."""
    return does_not_fit(case.seen) and changed_schema_beside(case)


def knows_another_schema(case: Case) -> bool:
    """Whether one side knows what another connection did to the schema, and the other does not yet."""
    is_shown = does_not_fit(case.expected) or does_not_fit(case.seen) or "description" in case.fields
    return is_shown and changed_schema_beside(case)


def does_not_fit(observation: Observation) -> bool:
    """Whether a statement is refused for what is not in the schema, or is in it already."""
    message = observation.message.lower()
    return message.startswith("no such") or any(
        words in message for words in ("has no column", "values were supplied", "values for", "already exists")
    )


def changed_schema_beside(case: Case) -> bool:
    """Whether another connection than the step's has changed the schema before it."""
    if case.step is None:
        return False
    numbers = connections_of(case.program, case.expected_transcript)
    earlier = zip(numbers, case.sql_before[:-1], strict=False)
    return any(number != numbers[case.index] and changes_schema(sql) for number, sql in earlier)


def changes_schema(sql: str) -> bool:
    return any(word in sql for word in ("ALTER", "CREATE", "DROP"))


def returns_rows(case: Case) -> bool:
    return "RETURNING" in case.sql


def many_returning(case: Case) -> bool:
    """Whether the step is an `executemany` with RETURNING, or reads from one."""
    reading = reading_of(case)
    step = case.step if reading is None else case.program.steps[reading.began]
    return isinstance(step, ExecuteMany) and "RETURNING" in sql_of(step)


def half_read_returning(case: Case) -> bool:
    """Whether sqlite3 has a statement with RETURNING that may not be at its end, of whatever connection, or had one that a
    connection was closed on."""
    return returns_rows(case) or any("RETURNING" in reading.sql for reading in case.ever_half_read)


def total_changes_with_returning(case: Case) -> bool:
    return case.fields == {"total_changes"} and half_read_returning(case)


def reading_of(case: Case) -> Reading | None:
    """What the cursor of a step that fetches was reading."""
    return case.half_read.get(case.step.cursor) if isinstance(case.step, FETCHES) else None


def was_rolled_back_while_it_read(case: Case) -> bool:
    """Whether a statement failed, or a transaction was rolled back, since the cursor began to read."""
    reading = reading_of(case)
    if reading is not None:
        return was_rolled_back_since(case, reading)
    # What SQLite goes on reading is still in the way.
    was_in_the_way = case.expected.message == "database table is locked" and "DROP" in case.sql
    return was_in_the_way and any(was_rolled_back_since(case, reading) for reading in case.half_read.values())


def was_rolled_back_since(case: Case, reading: Reading) -> bool:
    return any(
        isinstance(case.program.steps[index], (Rollback, WithBlock))
        or case.expected_transcript.observations[index].raised is not None
        or "ROLLBACK" in sql_of(case.program.steps[index])
        for index in range(reading.began + 1, case.index)
    )


def fails_for_no_row(case: Case) -> bool:
    """Whether a function of constants has failed in a statement that comes to no row in SQLite, in a step that does no more."""
    has_constants = "JSON('{') WHERE" in case.sql
    return has_constants and "malformed JSON" in case.seen.message and case.expected.raised != case.seen.raised


def is_refused_beside_a_window_function(case: Case) -> bool:
    """Whether sqlite3 drops nothing because a query with a window function is half read."""
    was_in_the_way = case.expected.message == "database table is locked" and "DROP" in case.sql
    return was_in_the_way and any("OVER (" in reading.sql for reading in case.half_read.values())


def stored_minus_zero(case: Case) -> bool:
    return "'-0.0'" in str(case.changes) and "'0.0'" in str(case.changes)


def sql_that_is_not_unicode(case: Case) -> bool:
    """Whether the step is such SQL, or reads on in what was there before it."""
    if isinstance(case.step, FETCHES):
        cursor = case.step.cursor
        refused = [
            index
            for index, observation in enumerate(case.expected_transcript.observations[: case.index])
            if observation.raised == "UnicodeEncodeError"
        ]
        return any(getattr(case.program.steps[index], "cursor", None) == cursor for index in refused)
    return case.expected.raised == case.seen.raised == "UnicodeEncodeError" or "\ud800" in case.sql.lower()


def reads_what_has_changed(case: Case) -> bool:
    """Whether a query that puts rows together was half read while something else was done."""
    reading = reading_of(case)
    if reading is None or case.expected.raised is not None or case.seen.raised is not None:
        return False
    puts_together = re.search("UNION|JOIN|DISTINCT|GROUP BY|OVER|COUNT|EXISTS|MAX", reading.sql) is not None
    return puts_together and did_something_since(case, reading)


def misses_a_snapshot(case: Case) -> bool:
    """Whether a connection beside another one was half read, and reads or writes what it could not in SQLite."""
    if len(case.expected.connections) < 2 or not case.ever_half_read:
        return False
    return "locked" in case.expected.message or isinstance(case.step, FETCHES) or knows_another_schema(case)


def was_closed_beside_a_half_read_cursor(case: Case) -> bool:
    return "locked" in case.expected.message and any(
        isinstance(step, (CloseConnection, Reopen)) and case.half_read_before(index)
        for index, step in enumerate(case.program.steps[: case.index])
    )


def was_read_ahead(case: Case) -> bool:
    """Whether the step fetches rows that the asyncio side may have read before another step changed them, or made other
    objects of them, or ended the transaction."""
    reading = reading_of(case)
    if reading is None:
        return reads_behind_a_cut(case)
    return did_something_since(case, reading)


def did_something_since(case: Case, reading: Reading) -> bool:
    """Whether anything else than a fetch was done since a cursor began to read that its rows do not show."""
    between = range(reading.began + 1, case.index)
    steps = case.program.steps
    has_known_factories = all(
        step.factory in ("None", "Row") for step in steps[: case.index] if isinstance(step, SetRowFactory)
    )
    shown = (*FETCHES, SetRowFactory) if has_known_factories else FETCHES
    return any(not isinstance(steps[index], shown) and not was_refused(case, index) for index in between)


def was_refused(case: Case, index: int) -> bool:
    """Whether the one statement of a step was none, and nothing was done."""
    is_one = isinstance(case.program.steps[index], (Execute, ConnectionExecute))
    return is_one and case.expected_transcript.observations[index].raised in REFUSED_AT_ONCE


def reads_behind_a_cut(case: Case) -> bool:
    """Whether the step fetches from a cursor that was cut off by a rollback on the blocking side."""
    if not isinstance(case.step, FETCHES):
        return False
    cursor = case.step.cursor
    earlier = zip(case.program.steps[: case.index], case.expected_transcript.observations, strict=False)
    for step, observation in reversed(list(earlier)):
        # What fails on the connection has made no cursor in the place of this one.
        has_made_none = isinstance(step, ConnectionExecute) and observation.raised is not None
        if getattr(step, "cursor", None) == cursor and not has_made_none:
            if not isinstance(step, FETCHES):
                return False
            if "ROLLBACK" in observation.message:
                return True
    return False


def was_ended_by_reading_ahead(case: Case) -> bool:
    """Whether a query that is half read on the blocking side, and read to its end on the other, makes the difference."""
    return bool(case.half_read) or was_read_ahead(case) or began_beside_what_was_half_read(case)


def began_beside_what_was_half_read(case: Case) -> bool:
    """Whether a transaction is open, beside another connection, that began while a query was half read: that leaves it the
    snapshot that it has read from, and one that was read to its end before leaves none."""
    if len(case.expected.connections) < 2 or case.index == 0:
        return False
    before = case.expected_transcript.observations[case.index - 1].connections
    open_ones = [number for number, shown in before.items() if shown.get("in_transaction") is True]
    return any(case.half_read_before(beginning_of_transaction(case, number)) for number in open_ones)


def beginning_of_transaction(case: Case, connection: int) -> int:
    """The step that began the transaction that is open on a connection before the step."""
    observations = case.expected_transcript.observations
    for index in reversed(range(1, case.index)):
        was_open = observations[index - 1].connections.get(connection, {}).get("in_transaction") is True
        # With autocommit off the end of one is the beginning of the next.
        if not was_open or isinstance(case.program.steps[index], (Commit, Rollback, WithBlock)):
            return index
    return 0


def ran_a_script(case: Case) -> bool:
    """Whether a script was run on the cursor while it was half read."""
    reading = reading_of(case)
    if reading is None:
        return False
    between = case.program.steps[reading.began + 1 : case.index]
    return any(isinstance(step, ExecuteScript) and step.cursor == case.step.cursor for step in between)
