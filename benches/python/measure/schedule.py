"""In which order cells are measured, and how often: interleaved rounds, as many as there is time for."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .bars import bar_of
from .comparison import family
from .plan import JUDGED, Cell


@dataclass(frozen=True)
class Limits:
    """How often each cell is measured at most, and for how long all of them together."""

    rounds: int
    minutes: float | None = None


def decides(cell: Cell) -> bool:
    """Whether the cell is in a ratio that has to meet a bar."""
    if cell.configuration not in JUDGED:
        return False
    drivers = family(cell.configuration)
    compared = (drivers.ours, drivers.same_engine, *drivers.others)
    return cell.driver in compared and bar_of(cell.workload, cell.configuration) is not None


class Schedule:
    """Yields cells to measure, round by round.

    Every second round is for the cells that decide whether a bar is met, the others are for all. Every second one goes through
    its cells from the back: what slows the machine down for a while does not always meet the same driver. A round is begun
    only if it is likely to end in time, by what its cells took before; the first one always is.
    """

    def __init__(self, cells: Sequence[Cell], limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._cells = cells
        self._deciding = [cell for cell in cells if decides(cell)]
        self._limits = limits
        self._clock = clock
        self._begin = clock()
        self._seconds: dict[Cell, float] = {}
        # What is still to be done in this round, the next one last, and in the rounds after it.
        self._round: list[Cell] = []
        self._later: list[Sequence[Cell]] = []

    def __iter__(self) -> Iterator[tuple[int, Cell]]:
        for number in range(1, self._limits.rounds + 1):
            chosen = self._affordable(number)
            if chosen is None:
                return
            self._round = list(chosen if number % 2 == 0 else reversed(chosen))
            self._later = [self._wanted(later) for later in range(number + 1, self._limits.rounds + 1)]
            while self._round:
                cell = self._round[-1]
                begin = self._clock()
                yield number, cell
                self._seconds[cell] = self._clock() - begin
                self._round.pop()

    def remaining(self) -> float:
        """Seconds that are left, by estimate."""
        # The one that was yielded last is done when somebody asks.
        this_round = self._cost(self._round[:-1])
        rest = this_round + sum(self._cost(cells) for cells in self._later)
        if self._limits.minutes is None:
            return rest
        return max(this_round, min(rest, self._limits.minutes * 60 - (self._clock() - self._begin)))

    def _wanted(self, number: int) -> Sequence[Cell]:
        is_for_all = number % 2 == 1 or not self._deciding
        return self._cells if is_for_all else self._deciding

    def _affordable(self, number: int) -> Sequence[Cell] | None:
        """The cells of a round: all that it wants, or those that decide, or none."""
        wanted = self._wanted(number)
        if number == 1 or self._limits.minutes is None:
            return wanted
        left = self._limits.minutes * 60 - (self._clock() - self._begin)
        return next((cells for cells in (wanted, self._deciding) if cells and self._cost(cells) <= left), None)

    def _cost(self, cells: Iterable[Cell]) -> float:
        """What the cells took last time; for those that had none yet, as much as the others on average."""
        known = self._seconds.values()
        average = sum(known) / len(known) if known else 1.0
        return sum(self._seconds.get(cell, average) for cell in cells)
