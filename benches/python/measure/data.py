"""The rows that all drivers read, and the sums by which it is known that they did."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

Row = tuple[int, str, float]

ITEMS = 10_000
LARGE = 200_000

CREATE_ITEM = "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, score REAL)"
CREATE_LARGE = "CREATE TABLE large (id INTEGER PRIMARY KEY, name TEXT, score REAL)"
CREATE_ENTRY = "CREATE TABLE entry (id INTEGER PRIMARY KEY, name TEXT, score REAL)"

INSERT_ITEM = "INSERT INTO item VALUES (?, ?, ?)"
INSERT_LARGE = "INSERT INTO large VALUES (?, ?, ?)"
INSERT_ENTRY = "INSERT INTO entry VALUES (?, ?, ?)"

SELECT_POINT = "SELECT id, name, score FROM item WHERE id = ?"
SELECT_ITEMS = "SELECT id, name, score FROM item"
SELECT_LARGE = "SELECT id, name, score FROM large"

# Some tenths of a second for SQLite and for Turso; one row comes out of it, so that only the engine works.
HEAVY = "SELECT count(*) FROM item AS a, item AS b WHERE b.id <= 800 AND (a.id + b.id) % 7 = 0"
HEAVY_RESULT = 1_142_856


def rows(count: int, first: int = 1) -> Iterator[Row]:
    """So many rows, each of which can be told from its id."""
    return (row(number) for number in range(first, first + count))


def row(number: int) -> Row:
    """The row of that id."""
    return (number, f"item number {number}", number * 0.5)


def sum_of_ids(count: int) -> int:
    """What the ids of the first so many rows make together."""
    return count * (count + 1) // 2


def check(what: str, found: object, expected: object) -> None:
    """Refuses a measurement of something that did not happen."""
    if found != expected:
        raise AssertionError(f"{what}: {found!r} came back where {expected!r} was expected; nothing was measured")


def write_template(path: Path) -> None:
    """Writes the database that each cell on a file gets a copy of."""
    connection = sqlite3.connect(path)
    # Turso writes in this mode only, so the others do, too.
    connection.execute("PRAGMA journal_mode = WAL")
    for statement in (CREATE_ITEM, CREATE_LARGE, CREATE_ENTRY):
        connection.execute(statement)
    connection.executemany(INSERT_ITEM, rows(ITEMS))
    connection.executemany(INSERT_LARGE, rows(LARGE))
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def copy_template(template: Path, folder: Path) -> Path:
    """A copy for one process, which may write into it."""
    return Path(shutil.copyfile(template, folder / "measured.db"))
