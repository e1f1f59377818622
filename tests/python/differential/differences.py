"""What differs, one entry each. The list is in the docs as a table; `test_documentation.py` keeps the two in step.

A difference is used up where it explains a step of a program that was tried; one that is never used fails the run, because
then it is no longer true.
"""

from __future__ import annotations

from comparison import Difference
from emptied import has_emptied_its_database
from explanations import (
    began_with_a_savepoint,
    does_not_fit_a_schema_changed_by_another,
    fails_for_no_row,
    half_read_returning,
    inserts_behind_a_window_function,
    is_about_what_is_closed,
    is_refused_beside_a_window_function,
    many_returning,
    misses_a_snapshot,
    or_fail_is_not_counted,
    ran_a_script,
    reads_what_has_changed,
    repeats_an_older_error,
    returns_rows,
    sql_that_is_not_unicode,
    stored_minus_zero,
    took_a_snapshot_for_no_table,
    total_changes_with_returning,
    waits_for_nothing,
    was_closed_beside_a_half_read_cursor,
    was_ended_by_reading_ahead,
    was_read_ahead,
    was_rolled_back_while_it_read,
)
from programs import (
    CloseConnection,
    CloseCursor,
    Commit,
    ConnectionExecute,
    Execute,
    ExecuteMany,
    ExecuteScript,
    FetchAll,
    Options,
    Program,
    Reopen,
    Rollback,
    SetArraysize,
    SetAutocommit,
    SetIsolationLevel,
    SetTextFactory,
    Source,
    Step,
)
from strategies import FIRST_STEPS


def program(*steps: Step, options: Options | None = None) -> Program:
    """A program behind the steps that every program begins with."""
    return Program(options or Options(), [*FIRST_STEPS, *steps])


COUNTING = "SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5"

FROM_SQLITE3: list[Difference] = [
    Difference(
        name="What is closed refuses assignments, and keeps its last values",
        whose="driver",
        reason="What is closed is gone, with all that it held: nothing is left that could be assigned to. So an assignment "
        "(`arraysize` of a cursor, `isolation_level` of a connection) raises `ProgrammingError`, as every other use does, on "
        "the asyncio side too; `sqlite3` lets most of them pass, to no effect. A cursor that is closed keeps its last `rowcount`, where `sqlite3` sets -1 when it is "
        "used again, and closing it once more raises nothing although its connection is closed too.",
        explains=is_about_what_is_closed,
        fields=frozenset({"outcome", "arraysize", "rowcount", "isolation_level", "autocommit"}),
        reproduction="test_what_is_closed_refuses_assignments",
        example=program(CloseCursor(0), SetArraysize(0, 2)),
    ),
    Difference(
        name="An error is told once",
        whose="sqlite3",
        reason="When a value can't be bound, or a statement is nothing but a comment, `sqlite3` asks SQLite for its last "
        "error, and raises again what a statement before has raised.",
        explains=repeats_an_older_error,
        reproduction="test_sqlite3_raises_an_older_error_again",
        example=program(Execute(0, "-- nothing"), Execute(1, "COMMIT"), Execute(0, "-- nothing")),
    ),
    Difference(
        name="executemany drops the rows of RETURNING",
        whose="sqlite3",
        reason='`sqlite3` does so for the last set of values only; for any other it fails (`InterfaceError`, "another row '
        'available"), and it leaves the last one running.',
        explains=many_returning,
        reproduction="test_sqlite3_fails_in_executemany_with_returning",
        example=program(ExecuteMany(0, "INSERT INTO u (x) VALUES (?) RETURNING x", Source(((1,), (2,))))),
    ),
    Difference(
        name="RETURNING runs to its end at execute",
        whose="driver",
        reason="`sqlite3` keeps such a statement running until its last row is read: `total_changes` grows then, and until "
        "then `commit` fails, and so may others. Here the changes are done when `execute` returns, so that nobody who "
        "stops reading, is cancelled or commits leaves a change half done.",
        explains=total_changes_with_returning,
        fields=frozenset({"total_changes"}),
        reproduction="test_returning_runs_to_its_end_at_execute",
        example=program(Execute(0, "INSERT INTO u (x) VALUES (1), (2) RETURNING x")),
    ),
    Difference(
        name="RETURNING does not keep its transaction open",
        whose="driver",
        reason="The same, seen from `commit`, from the end of the connection, and from other connections.",
        explains=half_read_returning,
        reproduction="test_returning_runs_to_its_end_at_execute",
        example=program(Execute(0, "INSERT INTO u (x) VALUES (1), (2) RETURNING x"), Commit()),
    ),
    Difference(
        name="A renamed table is written without quotes",
        whose="engine",
        reason="`ALTER TABLE … RENAME TO` writes the new name into the table's SQL in `sqlite_schema` as it is; SQLite puts "
        "it in quotes.",
        explains=lambda case: case.step is None and any("RENAME TO" in sql for sql in case.sql_before),
        reproduction="a_renamed_table_is_written_without_quotes",
        example=program(Execute(0, "ALTER TABLE u RENAME TO renamed")),
    ),
    Difference(
        name="Rows before the error of INSERT OR FAIL are not counted inside a transaction",
        whose="engine",
        reason="They are inserted, but `total_changes` leaves them out.",
        explains=or_fail_is_not_counted,
        fields=frozenset({"outcome", "total_changes"}),
        reproduction="rows_before_the_error_of_or_fail_are_not_counted",
        example=program(Execute(0, "INSERT OR FAIL INTO t (id) VALUES (20), (1), (22)")),
    ),
    Difference(
        name="IF EXISTS and IF NOT EXISTS wait for the lock of writers",
        whose="engine",
        reason="`CREATE TABLE IF NOT EXISTS` and `DROP TABLE IF EXISTS` do so also if nothing is to be done, and keep it to the "
        "end of their transaction (`what_takes_the_lock_of_writers_for_nothing_keeps_it_in_a_transaction`).",
        explains=waits_for_nothing,
        reproduction="a_table_that_is_there_is_not_made_without_the_lock_of_writers",
        example=program(
            Execute(0, "BEGIN IMMEDIATE"),
            ConnectionExecute(1, "CREATE TABLE IF NOT EXISTS t (id)", connection=1),
            options=Options(in_file=True),
        ),
    ),
    Difference(
        name="A savepoint outside of a transaction takes its snapshot at once",
        whose="engine",
        reason="SQLite's begins to read with the first statement behind it, as that of `BEGIN` does on both. What another "
        'connection writes in between is not seen here, and whoever writes then is refused ("database is locked: another '
        'connection has changed what this transaction read").',
        explains=began_with_a_savepoint,
        reproduction="a_savepoint_takes_its_snapshot_at_once",
        example=program(
            ConnectionExecute(1, "SAVEPOINT s", connection=1),
            Execute(0, "INSERT INTO u (x) VALUES (1)"),
            ConnectionExecute(2, "INSERT INTO u (x) VALUES (2)", connection=1),
            options=Options(in_file=True, isolation_level=None),
        ),
    ),
    Difference(
        name="A query of no table may take a snapshot in a transaction",
        whose="engine",
        reason="It does so where it keeps rows for itself: `WITH RECURSIVE`, a window function. SQLite's transaction has read "
        "nothing then. What another connection writes behind that is seen here as behind a savepoint.",
        explains=took_a_snapshot_for_no_table,
        reproduction="a_query_of_no_table_takes_a_snapshot_in_a_transaction",
        example=program(
            ConnectionExecute(1, "BEGIN", connection=1),
            ConnectionExecute(1, f"WITH RECURSIVE n (x) AS ({COUNTING}) SELECT x FROM n", connection=1),
            Execute(0, "INSERT INTO u (x) VALUES (1)"),
            ConnectionExecute(1, "INSERT INTO u (x) VALUES (2)", connection=1),
            options=Options(in_file=True, isolation_level=None),
        ),
    ),
    Difference(
        name="Behind a window function the row that ON CONFLICT inserts may not become lastrowid",
        whose="engine",
        reason="The engine takes the number of the last row that it keeps for the function for the last rowid. Where an "
        "`INSERT` with `ON CONFLICT` leaves that as it is, it has updated a row and inserted none, as far as can be told, and "
        "`lastrowid` stays what it was before; one that has inserted the row of that very number can't be told from it.",
        explains=inserts_behind_a_window_function,
        fields=frozenset({"lastrowid"}),
        reproduction="a_window_function_changes_the_last_rowid",
        example=program(
            Execute(0, "INSERT INTO t (id, a) VALUES (-1, 'a')"),
            Execute(1, "SELECT sum(id) OVER (ORDER BY id) FROM t"),
            Execute(0, "INSERT INTO t (id, a) VALUES (4, 'b') ON CONFLICT (id) DO UPDATE SET a = excluded.a"),
        ),
    ),
    Difference(
        name="What another connection did to the schema is seen when a statement is prepared",
        whose="engine",
        reason="SQLite prepares by the schema that it knows, and looks whether that is still true at the first step: an error "
        'of the parameters comes before "no such table".',
        explains=does_not_fit_a_schema_changed_by_another,
        reproduction="a_schema_changed_by_another_connection_is_seen_at_prepare",
        example=program(
            ConnectionExecute(1, "ALTER TABLE u RENAME TO renamed", connection=1),
            Execute(0, "SELECT * FROM u", (1,)),
            options=Options(in_file=True),
        ),
    ),
    Difference(
        name="A function of constants is called also if there is no row",
        whose="engine",
        reason="It is called before the rows are looked for, and its error is that of the statement; SQLite calls it with the first "
        "row.",
        explains=fails_for_no_row,
        reproduction="a_function_of_constants_is_called_also_if_there_is_no_row",
        example=program(Execute(0, "UPDATE t SET b = json('{') WHERE id = ?", (7,))),
    ),
    Difference(
        name="A table with AUTOINCREMENT has no quote in its name",
        whose="engine",
        reason='`CREATE TABLE "a""b" (id INTEGER PRIMARY KEY AUTOINCREMENT)` is a syntax error; without `AUTOINCREMENT` it is none.',
        explains=lambda case: "AUTOINCREMENT" in case.sql and "syntax error" in case.seen.message,
        reproduction="a_quote_in_the_name_of_a_table_with_autoincrement_is_a_syntax_error",
        example=program(Execute(0, 'CREATE TABLE "e""f" (id INTEGER PRIMARY KEY AUTOINCREMENT)')),
    ),
    Difference(
        name="A query that is half read does not outlive a rollback",
        whose="engine",
        reason="The engine would end its rows too early, or panic. So its cursor is told when the transaction is rolled back "
        '(`OperationalError`, "abort due to ROLLBACK"). So it is behind a statement that fails and '
        "that the engine undoes by a savepoint of its own, an `UPDATE` of several rows, say "
        "(`a_statement_that_is_undone_in_a_transaction_ends_the_queries_that_are_half_read`). Behind a failed `OR ROLLBACK` the "
        "rows may still end too early. SQLite goes on.",
        explains=was_rolled_back_while_it_read,
        reproduction="a_rollback_ends_the_queries_that_are_half_read",
        example=program(
            Execute(0, "SELECT id FROM t ORDER BY id"),
            Execute(1, "INSERT INTO u (x) VALUES (1)"),
            Rollback(),
            FetchAll(0),
        ),
    ),
    Difference(
        name="What a half-read query shows of later changes depends on how it runs",
        whose="engine",
        reason="SQLite promises nothing here either. Where it reads both sides of a `UNION` as it goes, say, the engine has "
        "read them before the first row.",
        explains=reads_what_has_changed,
        reproduction="a_union_has_read_its_rows_before_the_first",
        example=program(
            Execute(0, "SELECT id FROM t UNION SELECT x FROM u ORDER BY 1"),
            Execute(1, "INSERT INTO t (a) VALUES (?)", (5,)),
            FetchAll(0),
        ),
    ),
    Difference(
        name="A query with a window function is read to its end at execute",
        whose="engine",
        reason="The engine takes such a query for a statement that writes, because it writes down rows for the function, and "
        "may panic when it is ended early. So its rows are read when it is executed, and it is in nobody's way behind that; "
        "SQLite drops no table while it is half read.",
        explains=is_refused_beside_a_window_function,
        reproduction="a_query_with_a_window_function_counts_as_a_write",
        example=program(
            Execute(0, "SELECT row_number() OVER (ORDER BY id), id FROM t"),
            Execute(1, "DROP TABLE u"),
        ),
    ),
    Difference(
        name="SQL that is not Unicode is refused before anything else",
        whose="driver",
        reason="A lone surrogate in the SQL is a `UnicodeEncodeError` on both; `sqlite3` forgets the last statement before it "
        "looks at the next. Here an argument that can't be converted never reaches the cursor, which stays as it is: the same "
        "rule for every call, and the only one that holds where calls wait in a queue.",
        explains=sql_that_is_not_unicode,
        fields=frozenset({"description", "outcome", "rowcount"}),
        reproduction="test_sql_that_is_not_unicode_leaves_the_cursor_as_it_is",
        example=program(Execute(0, "SELECT '\ud800'")),
    ),
    Difference(
        name="Minus zero keeps its sign in a column of type REAL",
        whose="engine",
        reason="SQLite stores a whole number there as an integer, which has no minus zero.",
        explains=stored_minus_zero,
        reproduction="minus_zero_keeps_its_sign_in_a_column_of_reals",
        example=program(Execute(0, "INSERT INTO u (z) VALUES (?)", (-0.0,))),
    ),
    Difference(
        name="A half-read statement does not always hold its snapshot",
        whose="engine",
        reason="When another connection has written since, SQLite lets a connection write only when all that it reads is at "
        'its end ("database is locked"). The engine lets it write if what is half read is a `PRAGMA`, or if the driver has read '
        "the rest of its rows: before a commit that may write the log back, behind which the engine would give no further ones. "
        'Where it can\'t, the queries that are half read end with `OperationalError`, "the query lost the rest of its rows": a row '
        "of some MB makes the engine write the log back unforeseen, more than 64 MB would have to be read for all half-read queries "
        "together, or another connection writes or checkpoints at that very moment. A later query sees what was committed since.",
        explains=misses_a_snapshot,
        reproduction="a_half_read_pragma_holds_no_snapshot",
        example=program(
            Execute(0, "PRAGMA table_info(u)"),
            ConnectionExecute(1, "INSERT INTO u (x) VALUES (1)", connection=1),
            Execute(2, "INSERT INTO u (x) VALUES (2)"),
            options=Options(in_file=True, isolation_level=None),
        ),
    ),
    Difference(
        name="A closed connection lets go of its file, also if a cursor of it is half read",
        whose="sqlite3",
        reason="In `sqlite3` such a cursor keeps the connection's transaction and its locks behind `close`, until it is "
        "dropped: another connection finds the database locked.",
        explains=was_closed_beside_a_half_read_cursor,
        reproduction="test_a_closed_connection_lets_go_of_its_file",
        example=program(
            Execute(0, "INSERT INTO u (x) VALUES (1)"),
            Execute(1, "SELECT id FROM t ORDER BY id"),
            Reopen(),
            ConnectionExecute(2, "INSERT INTO u (x) VALUES (2)"),
            options=Options(in_file=True),
        ),
    ),
    Difference(
        name="A savepoint does not empty the database",
        whose="sqlite3",
        reason="SQLite takes a database for empty when a connection that has read nothing yet opens a savepoint, is refused "
        "`BEGIN IMMEDIATE` or `BEGIN EXCLUSIVE` in it, and rolls back to it: its tables are gone, and a commit makes that last "
        "(seen in 3.40.1, without Python too).",
        explains=has_emptied_its_database,
        reproduction="test_sqlite_takes_a_database_for_empty_behind_a_savepoint",
        example=program(
            ConnectionExecute(1, "SAVEPOINT s", connection=1),
            ConnectionExecute(1, "BEGIN IMMEDIATE", connection=1),
            ConnectionExecute(1, "ROLLBACK TO s", connection=1),
            ConnectionExecute(1, "INSERT INTO u (x) VALUES (1)", connection=1),
            options=Options(in_file=True, isolation_level=None),
        ),
    ),
]

FROM_BLOCKING: list[Difference] = [
    Difference(
        name="What is closed refuses assignments, and keeps its last values (asyncio)",
        whose="driver",
        reason="Every use of a closed asyncio connection raises, assignments of whatever kind too; a cursor can be closed "
        "although its connection is closed already, so that `async with` ends.",
        explains=is_about_what_is_closed,
        fields=frozenset({"outcome", "arraysize", "rowcount", "isolation_level", "autocommit", "description"}),
        reproduction="test_what_is_closed_refuses_assignments",
        example=program(CloseConnection(), SetTextFactory("bytes")),
    ),
    Difference(
        name="An assignment that fails when it is applied raises nothing",
        whose="driver",
        reason="On the asyncio side an assignment is checked at once and applied in its turn; if the `COMMIT` or `BEGIN` that "
        "comes with it fails then, nobody is there to catch it.",
        explains=lambda case: isinstance(case.step, (SetIsolationLevel, SetAutocommit)),
        fields=frozenset({"outcome", "isolation_level", "autocommit"}),
        reproduction="test_an_assignment_on_the_asyncio_side_is_applied_in_its_turn",
        example=program(
            Execute(0, "ROLLBACK"),
            SetIsolationLevel(None),
            options=Options(autocommit=False),
        ),
    ),
    Difference(
        name="The rowcount of RETURNING is known at once",
        whose="driver",
        reason="The rows are read ahead, and `rowcount` is set when the last of them is.",
        explains=lambda case: returns_rows(case),
        fields=frozenset({"rowcount"}),
        reproduction="test_reading_ahead",
        example=program(Execute(0, "INSERT INTO u (x) VALUES (1) RETURNING x")),
    ),
    Difference(
        name="A script drops what is left of the cursor's rows",
        whose="driver",
        reason="On the asyncio side a script begins anew; on the others it leaves the rows of the statement before it.",
        explains=ran_a_script,
        reproduction="test_reading_ahead",
        example=program(Execute(0, "SELECT id FROM t ORDER BY id"), ExecuteScript(0, ""), FetchAll(0)),
    ),
    Difference(
        name="Rows are what they were when they were read ahead",
        whose="driver",
        reason="The asyncio side reads a chunk of rows with each trip to its thread (`iter_chunk_size`, 64 at first; up to 4 times as "
        "many where it is read on). What changes behind that does not show in them. A `row_factory` that is set later makes those "
        "that are read behind it, but for rows that another one has made, if that is neither `None` nor `Row`.",
        explains=was_read_ahead,
        fields=frozenset({"outcome"}),
        reproduction="test_reading_ahead",
        example=program(
            Execute(0, "SELECT id FROM t ORDER BY id"), Execute(1, "DELETE FROM t WHERE id = 3"), FetchAll(0)
        ),
    ),
    Difference(
        name="A query that was read ahead to its end is no longer in the way",
        whose="driver",
        reason="The table that it read can be dropped.",
        explains=was_ended_by_reading_ahead,
        reproduction="test_reading_ahead",
        example=program(Execute(0, "SELECT id FROM t ORDER BY id"), Execute(1, "DROP TABLE t")),
    ),
]
