"""Rows on their way from the native module: chunks, factories, the class `Row`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import Any

import aioturso.lib
import pytest

FIVE = "SELECT value FROM generate_series(1, 5)"


@pytest.fixture
def connection() -> Iterator[aioturso.lib.Connection]:
    connection = aioturso.lib.connect(":memory:")
    yield connection
    connection.close()


def test_a_chunk_ends_at_the_number_of_rows_and_says_when_there_are_no_more(
    connection: aioturso.lib.Connection,
) -> None:
    cursor = connection.execute(FIVE)
    assert cursor._read_rows(2) == ([(1,), (2,)], False, None)
    assert cursor._read_rows(10) == ([(3,), (4,), (5,)], True, None)
    assert cursor._read_rows(10) == ([], True, None)


def test_a_chunk_ends_at_a_number_of_bytes(connection: aioturso.lib.Connection) -> None:
    cursor = connection.execute("SELECT zeroblob(400000) FROM generate_series(1, 10)")
    rows, exhausted, error = cursor._read_rows(10)
    assert (len(rows), exhausted, error) == (3, False, None)
    total = len(rows)
    while not exhausted:
        rows, exhausted, error = cursor._read_rows(10)
        assert error is None
        total += len(rows)
    assert total == 10


def test_a_chunk_of_slow_rows_ends_at_a_time(connection: aioturso.lib.Connection) -> None:
    cursor = connection.execute("SELECT length(hex(zeroblob(1000000 + value))) FROM generate_series(1, 1000)")
    begin = time.monotonic()
    rows, exhausted, _ = cursor._read_rows(1000)
    assert 1 <= len(rows) < 1000
    assert not exhausted
    assert time.monotonic() - begin < 5
    cursor.close()


def test_the_rows_before_an_error_come_before_it(connection: aioturso.lib.Connection) -> None:
    connection.execute("CREATE TABLE t (v)")
    connection.executemany("INSERT INTO t VALUES (?)", [("[1]",), ("[2]",), ("[",)])
    cursor = connection.execute("SELECT json(v) FROM t")
    rows, exhausted, error = cursor._read_rows(10)
    assert (rows, exhausted) == ([("[1]",), ("[2]",)][: len(rows)], False)
    assert isinstance(error, aioturso.lib.OperationalError)


class Fussy:
    """A row factory that refuses one row."""

    def __init__(self, refused: int, exception: BaseException) -> None:
        self.refused = refused
        self.exception = exception

    def __call__(self, cursor: object, row: tuple[Any, ...]) -> int:
        if row[0] == self.refused:
            raise self.exception
        return int(row[0])


@pytest.mark.parametrize("exception", [ValueError("3"), StopIteration(), KeyboardInterrupt()], ids=repr)
def test_no_row_is_lost_behind_one_whose_factory_raises(
    connection: aioturso.lib.Connection, exception: BaseException
) -> None:
    connection.row_factory = Fussy(3, exception)
    cursor = connection.execute(FIVE)
    rows, exhausted, error = cursor._read_rows(10)
    assert (rows, exhausted, error) == ([1, 2], False, exception)
    assert cursor._read_rows(1) == ([4], False, None)
    assert cursor.fetchone() == 5
    assert cursor.fetchone() is None


def test_rows_behind_a_refused_one_stay_for_every_reader(connection: aioturso.lib.Connection) -> None:
    def begun() -> Any:
        cursor = connection.execute(FIVE)
        cursor.row_factory = Fussy(2, ValueError("2"))
        with pytest.raises(ValueError, match="2"):
            cursor.fetchall()
        return cursor

    assert begun().fetchall() == [3, 4, 5]
    assert begun().fetchmany(2) == [3, 4]
    assert list(begun()) == [3, 4, 5]
    cursor = begun()
    assert cursor.execute(FIVE).fetchone() == 1, "rows of the old result set came with the new one"


def test_a_cursor_takes_its_factory_from_the_connection_when_it_is_made(connection: aioturso.lib.Connection) -> None:
    before = connection.cursor()
    connection.row_factory = lambda cursor, row: (type(cursor).__name__, *row)
    assert before.row_factory is None
    assert connection.execute("SELECT 1").fetchone() == ("Cursor", 1)
    assert before.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    ("factory", "read"),
    [(str, "ü"), (bytes, b"\xc3\xbc"), (bytearray, bytearray(b"\xc3\xbc")), (lambda text: len(text), 2)],
    ids=["str", "bytes", "bytearray", "callable"],
)
def test_text_is_made_by_the_text_factory(connection: aioturso.lib.Connection, factory: Any, read: Any) -> None:
    cursor = connection.cursor()
    connection.text_factory = factory
    assert connection.text_factory is factory
    assert cursor.execute("SELECT 'ü', x'00'").fetchone() == (read, b"\0")
    connection.row_factory = aioturso.lib.Row
    assert connection.execute("SELECT 'ü' AS t").fetchone()["t"] == read


def rows_of(module: Any) -> tuple[Any, Any, Any]:
    connection = module.connect(":memory:")
    cursor = connection.cursor()
    cursor.row_factory = module.Row
    first, second = cursor.execute("SELECT 1 AS a, 'x' AS B, 3 AS a UNION ALL SELECT 2, 'y', 4 ORDER BY 1").fetchall()
    other = cursor.execute("SELECT 1 AS c, 'x' AS d, 3 AS e").fetchone()
    connection.close()
    return first, second, other


def outcome(question: Any, row: Any) -> Any:
    try:
        return question(row)
    except Exception as error:
        return type(error).__name__, str(error)


QUESTIONS: dict[str, Any] = {
    "by position": lambda row: (row[0], row[-1], row[True]),
    "by name": lambda row: (row["a"], row["A"], row["b"], row["B"]),
    "by slice": lambda row: (row[0:2], row[::-1], row[5:]),
    "behind the end": lambda row: row[3],
    "before the start": lambda row: row[-4],
    "an absent name": lambda row: row["absent"],
    "a name with a letter that is not ASCII": lambda row: row["Ä"],
    "a float": lambda row: row[1.0],
    "a huge index": lambda row: row[2**1000],
    "keys": lambda row: row.keys(),
    "length": lambda row: len(row),
    "as a list": lambda row: list(row),
    "as a tuple": lambda row: tuple(row),
    "as a dictionary": lambda row: dict(zip(row.keys(), row, strict=True)),
    "reversed": lambda row: list(reversed(row)),
    "contains": lambda row: ("x" in row, "y" in row),
    "is a sequence": lambda row: isinstance(row, Sequence),
    "equals its tuple": lambda row: row == tuple(row),
    "is less": lambda row: row < row,
    "is set": lambda row: row.__setitem__(0, 1),
    "has an attribute": lambda row: row.a,
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_row_answers_as_that_of_sqlite3(name: str) -> None:
    expected = outcome(QUESTIONS[name], rows_of(sqlite3)[0])
    seen = outcome(QUESTIONS[name], rows_of(aioturso.lib)[0])
    if isinstance(expected, tuple) and expected and str(expected[0]).endswith("Error"):
        # The name of the class in a message differs, the exception does not.
        assert seen[0] == expected[0]
        assert seen[1].replace("aioturso.lib", "sqlite3") == expected[1]
    else:
        assert seen == expected


def test_rows_are_equal_by_values_and_names_and_hash_likewise() -> None:
    first, second, other = rows_of(aioturso.lib)
    same = rows_of(aioturso.lib)[0]
    assert first == same
    assert hash(first) == hash(same)
    assert first != second
    assert first != other, "the names do not count"
    assert len({first, same, second}) == 2


def test_a_row_is_made_of_a_cursor_and_a_tuple(connection: aioturso.lib.Connection) -> None:
    class Named(aioturso.lib.Row):
        def __getattr__(self, name: str) -> Any:
            return self[name]

    connection.row_factory = Named
    row = connection.execute("SELECT 7 AS seven").fetchone()
    assert type(row) is Named
    assert row.seven == 7
    cursor = connection.execute("SELECT 1 AS one")
    assert aioturso.lib.Row(cursor, (5,))["ONE"] == 5
    with pytest.raises(TypeError):
        aioturso.lib.Row(cursor, [5])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_an_error_without_rows_before_it_stands_behind_none(connection: aioturso.lib.Connection) -> None:
    cursor = connection.execute(FIVE)
    cursor.row_factory = Fussy(1, ValueError("1"))
    rows, exhausted, error = cursor._read_rows(3)
    assert (rows, exhausted, str(error)) == ([], False, "1")
    cursor.row_factory = None
    # As `sqlite3` does, the driver reads one row ahead, so that the error of the second row comes in place of the first.
    cursor.execute("SELECT CASE value WHEN 3 THEN json('[') ELSE value END FROM generate_series(2, 4)")
    rows, exhausted, error = cursor._read_rows(3)
    assert (rows, exhausted) == ([], False)
    assert isinstance(error, aioturso.lib.OperationalError)
