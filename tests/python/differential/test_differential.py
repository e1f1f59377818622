"""Random programs on `sqlite3`, on the blocking driver and on the asyncio driver: all must see the same, step by step.

    DIFFERENTIAL_SEQUENCES=20000 pytest tests/python/differential     how many programs are tried
    DIFFERENTIAL_SEED=7 pytest …                                      which; the run prints its own

They are tried in batches. A failure prints the shortest program that hypothesis finds, as Python, and what was seen; the name of the
batch that failed replays it: `DIFFERENTIAL_SEED=… pytest … -k "programs[7-3]"`.
"""

from __future__ import annotations

import asyncio
import faulthandler
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis.configuration
import pytest
from comparison import Tally, compare, report
from differences import FROM_BLOCKING, FROM_SQLITE3
from hypothesis import HealthCheck, Phase, given, seed, settings
from players import AsyncOurs, BlockingOurs, StandardPlayer, remove_database
from programs import Program
from strategies import programs

if sys.version_info < (3, 13):
    pytest.skip(
        "what sqlite3 does is compared with Python 3.13; the modules of older versions leave statements open",
        allow_module_level=True,
    )

SEQUENCES = int(os.environ.get("DIFFERENTIAL_SEQUENCES", "0"))
"""How many random programs are tried. None by default: about one in 5,000 still meets a difference whose predicate is too narrow."""
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "2026"))
BATCH = 100
TIME_LIMIT = 60.0
"""Seconds after which a program counts as hanging; the stacks of all threads are printed then."""
ENOUGH_FOR_EVERY_DIFFERENCE = 20_000
"""From so many programs on, each known difference must have been met by chance, not only by its example."""

hypothesis.configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "hypothesis of aioturso")


@dataclass
class Run:
    """What all batches share."""

    folder: Path
    loop: asyncio.AbstractEventLoop
    from_sqlite3: Tally = field(default_factory=Tally)
    from_blocking: Tally = field(default_factory=Tally)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def check(self, program: Program, from_sqlite3: Tally, from_blocking: Tally) -> None:
        """Plays a program on all three, and fails with it if they differ in a way that is not known."""
        # Of a batch, a program may hang, not the batch be slow, on a machine with other things to do or while it is shrunk.
        faulthandler.dump_traceback_later(TIME_LIMIT, exit=True, file=sys.__stderr__)
        number = next(self.numbers)
        paths = [self.folder / f"{name}-{number}.db" if program.options.in_file else None for name in ("a", "b", "c")]
        try:
            expected = StandardPlayer(paths[0]).play(program)
            blocking = BlockingOurs(paths[1]).play(program)
            asynchronous = AsyncOurs(paths[2], self.loop).play(program)
        finally:
            for path in filter(None, paths):
                remove_database(path)
        case = compare(program, expected, blocking, FROM_SQLITE3, from_sqlite3)
        if case is not None:
            pytest.fail(report(case, ("sqlite3", "aioturso.lib")), pytrace=False)
        case = compare(program, blocking, asynchronous, FROM_BLOCKING, from_blocking)
        if case is not None:
            pytest.fail(report(case, ("aioturso.lib", "aioturso")), pytrace=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    in_memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=in_memory if in_memory.is_dir() else None) as folder:
        loop = asyncio.new_event_loop()
        # An assignment that fails in its turn has nobody to tell: see the list of differences.
        loop.set_exception_handler(lambda _loop, _context: None)
        yield Run(Path(folder), loop)
        loop.close()


def batches() -> list[tuple[int, int]]:
    return [(SEED, number) for number in range(-(-SEQUENCES // BATCH))]


@pytest.mark.parametrize("batch", batches(), ids=lambda batch: f"{batch[0]}-{batch[1]}")
def test_programs(batch: tuple[int, int], run: Run) -> None:
    @seed(batch[0] * 1_000_003 + batch[1])
    @settings(
        max_examples=min(BATCH, SEQUENCES - batch[1] * BATCH),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        print_blob=False,
    )
    @given(programs())
    def check(program: Program) -> None:
        run.check(program, run.from_sqlite3, run.from_blocking)

    try:
        check()
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("difference", FROM_SQLITE3 + FROM_BLOCKING, ids=lambda difference: difference.name)
def test_a_known_difference_shows_in_its_example(difference, run: Run) -> None:  # type: ignore[no-untyped-def]
    """Guards the list: a difference that is gone, or that another one explains before it, has to leave it."""
    from_sqlite3, from_blocking = Tally(), Tally()
    run.check(difference.example, from_sqlite3, from_blocking)
    faulthandler.cancel_dump_traceback_later()
    assert difference.name in from_sqlite3.counts + from_blocking.counts


def test_every_known_difference_was_met(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    if run.from_sqlite3.programs < SEQUENCES:
        pytest.skip("the programs were not tried, or not all")
    with capsys.disabled():
        print(f"\n{run.from_sqlite3.programs} programs, DIFFERENTIAL_SEED={SEED}")
        for title, tally, known in (
            ("aioturso.lib as sqlite3", run.from_sqlite3, FROM_SQLITE3),
            ("aioturso as aioturso.lib", run.from_blocking, FROM_BLOCKING),
        ):
            print(f"{title}: {tally.compared_to_the_end} to the end; known differences met:")
            for difference in known:
                print(f"{tally.counts[difference.name]:8} {difference.name}")
    if run.from_sqlite3.programs >= ENOUGH_FOR_EVERY_DIFFERENCE:
        met = run.from_sqlite3.counts + run.from_blocking.counts
        assert [difference.name for difference in FROM_SQLITE3 + FROM_BLOCKING if not met[difference.name]] == []
