"""Random programs on `sqlite3`, on the blocking driver and on the asyncio driver: all must see the same, step by step.

    DIFFERENTIAL_SEQUENCES=5000 pytest tests/python/differential     how many programs are tried
    DIFFERENTIAL_SEED=7 pytest …                                     which; the name of each batch has the seed

Before Python 3.13 the asyncio driver is compared with the blocking one alone.

They are tried in batches. A failure prints the program, shortened, as Python, and what was seen; the name of the batch that failed
replays it: `DIFFERENTIAL_SEED=… pytest … -k "programs[7-3]"`. Very many programs are tried by `long_run.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from differences import FROM_BLOCKING, FROM_SQLITE3, program
from programs import CloseConnection, Execute, ExecuteScript, Iterate, NewCursor, Options
from run import KNOWS_SQLITE3, Run, Tallies, batches_of, running

SEQUENCES = int(os.environ.get("DIFFERENTIAL_SEQUENCES", "1000"))
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "2026"))
COMPARED = (FROM_SQLITE3 if KNOWS_SQLITE3 else []) + FROM_BLOCKING


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with running() as run:
        yield run


@pytest.fixture(scope="module")
def tallies() -> Tallies:
    """What all batches have met."""
    return Tallies()


@pytest.mark.parametrize(("number", "count"), batches_of(SEQUENCES), ids=lambda number: f"{SEED}-{number}")
def test_programs(number: int, count: int, run: Run, tallies: Tallies) -> None:
    found = run.play_batch((SEED, number), count, tallies)
    if found:
        pytest.fail("\n\n".join(found), pytrace=False)


@pytest.mark.parametrize("difference", COMPARED, ids=lambda difference: difference.name)
def test_a_known_difference_shows_in_its_example(difference, run: Run) -> None:  # type: ignore[no-untyped-def]
    """Guards the list: a difference that is gone, or that another one explains before it, has to leave it."""
    in_example = Tallies()
    assert run.difference_in(difference.example, in_example) is None
    assert in_example.met(difference)


def test_a_cursor_that_is_not_made_leaves_the_one_of_before(run: Run) -> None:
    """Bug: a closed connection refuses to make a cursor, the one of that number stays, half read as it is, and no known difference
    is found in what is read from it."""
    steps = [
        Execute(1, "SELECT id FROM t ORDER BY id"),
        CloseConnection(1),
        NewCursor(1, 1),
        ExecuteScript(1, "gibberish"),
        Iterate(1),
    ]
    assert run.difference_in(program(*steps, options=Options(in_file=True)), Tallies()) is None


def test_the_known_differences_that_were_met(tallies: Tallies, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints them. That each is met by chance is what the long run asks; here its example does."""
    if not tallies.from_blocking.programs:
        pytest.skip("no programs were tried")
    with capsys.disabled():
        print(f"\nDIFFERENTIAL_SEED={SEED}\n{tallies.summary()}")
