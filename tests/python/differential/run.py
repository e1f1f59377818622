"""Random programs in batches: each is played on `sqlite3`, on the blocking driver and on the asyncio driver, and compared."""

from __future__ import annotations

import asyncio
import faulthandler
import itertools
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import hypothesis.configuration
from comparison import Difference, Tally, compare, report
from differences import FROM_BLOCKING, FROM_SQLITE3
from hypothesis import HealthCheck, Phase, given, seed, settings
from players import AsyncOurs, BlockingOurs, StandardPlayer, remove_database
from programs import Program
from strategies import FIRST_STEPS, programs

BATCH = 100
TIME_LIMIT = 60.0
"""Seconds after which a program counts as hanging; the stacks of all threads are printed then, and the process ends."""
RUNNING = "running.txt"
"""The file, in the folder of a run, that holds the program that is played now: for a reader, if it hangs or crashes."""

KNOWS_SQLITE3 = sys.version_info >= (3, 13)
"""Whether this interpreter's `sqlite3` is the one that is compared with: the modules of older versions leave statements open.
Elsewhere the asyncio driver is compared with the blocking one, and that is all."""

EXAMPLES = [known.example for known in FROM_SQLITE3 + FROM_BLOCKING]

hypothesis.configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "hypothesis of aioturso")


@dataclass
class Tallies:
    """What was compared: the blocking driver with `sqlite3`, and the asyncio driver with the blocking one."""

    from_sqlite3: Tally = field(default_factory=Tally)
    from_blocking: Tally = field(default_factory=Tally)

    def add(self, other: Tallies) -> None:
        self.from_sqlite3.add(other.from_sqlite3)
        self.from_blocking.add(other.from_blocking)

    def met(self, difference: Difference) -> int:
        """How often a known difference was met."""
        return self.from_sqlite3.counts[difference.name] + self.from_blocking.counts[difference.name]

    def unmet(self) -> list[str]:
        """The known differences that were not met."""
        return [known.name for known in FROM_SQLITE3 + FROM_BLOCKING if not self.met(known)]

    def summary(self) -> str:
        """How often each known difference was met."""
        lines: list[str] = []
        for title, tally, known in (
            ("aioturso.lib as sqlite3", self.from_sqlite3, FROM_SQLITE3),
            ("aioturso as aioturso.lib", self.from_blocking, FROM_BLOCKING),
        ):
            if not tally.programs:
                continue
            lines.append(f"{title}: {tally.programs} programs, {tally.compared_to_the_end} compared to the end;")
            lines.append("known differences met:")
            lines += [f"{tally.counts[difference.name]:8} {difference.name}" for difference in known]
        return "\n".join(lines)


@dataclass
class Run:
    """What all programs share: the folder of their files, and a loop."""

    folder: Path
    loop: asyncio.AbstractEventLoop
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def difference_in(self, program: Program, tallies: Tallies) -> str | None:
        """Plays a program on all three. What differs and is not known, for a reader; `None` if nothing does."""
        # A program may hang; a batch may be slow, on a machine with other things to do.
        (self.folder / RUNNING).write_text(program.source(), "utf-8", "backslashreplace")
        faulthandler.dump_traceback_later(TIME_LIMIT, exit=True, file=sys.__stderr__)
        try:
            return self._difference_in(program, tallies)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def _difference_in(self, program: Program, tallies: Tallies) -> str | None:
        number = next(self.numbers)
        paths = [self.folder / f"{name}-{number}.db" if program.options.in_file else None for name in ("a", "b", "c")]
        try:
            expected = StandardPlayer(paths[0]).play(program) if KNOWS_SQLITE3 else None
            blocking = BlockingOurs(paths[1]).play(program)
            asynchronous = AsyncOurs(paths[2], self.loop).play(program)
        finally:
            for path in filter(None, paths):
                remove_database(path)
        if expected is not None:
            case = compare(program, expected, blocking, FROM_SQLITE3, tallies.from_sqlite3)
            if case is not None:
                return report(case, ("sqlite3", "aioturso.lib"))
        case = compare(program, blocking, asynchronous, FROM_BLOCKING, tallies.from_blocking)
        return None if case is None else report(case, ("aioturso.lib", "aioturso"))

    def play_batch(self, batch: tuple[int, int], count: int, tallies: Tallies) -> list[str]:
        """Plays the programs of a batch: always the same for its two numbers. What was found, each shortened."""
        # A generator of hypothesis tries a program that it likes more than once.
        found: set[str] = set()

        @seed(batch[0] * 1_000_003 + batch[1])
        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(programs(EXAMPLES))
        def check(program: Program) -> None:
            difference = self.difference_in(program, tallies)
            if difference is not None:
                found.add(self.shortened(program) or f"not always, {difference}")

        check()
        return sorted(found)

    def shortened(self, program: Program) -> str | None:
        """What differs in a program, with the steps left out that it does not need for that; `None` if it differs not always."""
        steps = list(program.steps)
        position = len(steps)
        while position > len(FIRST_STEPS):
            position -= 1
            fewer = steps[:position] + steps[position + 1 :]
            if self.difference_in(replace(program, steps=fewer), Tallies()) is not None:
                steps = fewer
        return self.difference_in(replace(program, steps=steps), Tallies())


@contextmanager
def running(folder: Path | None = None) -> Iterator[Run]:
    """A run on files in that folder, or else in one of its own."""
    with ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(folder_in_memory()))
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        # An assignment that fails in its turn has nobody to tell: see the list of differences.
        loop.set_exception_handler(lambda _loop, _context: None)
        yield Run(folder, loop)


def folder_in_memory() -> tempfile.TemporaryDirectory[str]:
    """A folder of which no disk knows, where there are such."""
    in_memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="differential-", dir=in_memory if in_memory.is_dir() else None)


def batches_of(sequences: int) -> Sequence[tuple[int, int]]:
    """The batches of that many programs: their numbers, and how many programs each has."""
    return [(start // BATCH, min(BATCH, sequences - start)) for start in range(0, sequences, BATCH)]
