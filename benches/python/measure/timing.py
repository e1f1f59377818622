"""How one process measures: passes over the same work, and the median of them."""

import asyncio
import statistics
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType


@dataclass
class Result:
    """What one process found."""

    value: float
    unit: str
    details: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class Effort:
    """How much a process does: the share of a workload's full number of operations, and how many passes over them."""

    share: float
    passes: int

    def operations(self, full: int) -> int:
        """How many operations a pass has."""
        return max(1, round(full * self.share))


class Stopwatch:
    """Times passes over the same work. The first one warms up and does not count."""

    def __init__(self) -> None:
        self._elapsed: list[float] = []
        self._worked: list[float] = []
        self._begun = (0.0, 0.0)

    def start(self) -> None:
        """Begins a pass."""
        self._begun = (time.perf_counter(), time.process_time())

    def stop(self, operations: int) -> None:
        """Ends a pass of so many operations."""
        elapsed, worked = time.perf_counter(), time.process_time()
        self._elapsed.append((elapsed - self._begun[0]) / operations * 1e6)
        self._worked.append((worked - self._begun[1]) / operations * 1e6)

    def result(self) -> Result:
        """Microseconds for one operation, and those that the processors worked for it: in all threads together."""
        return Result(statistics.median(self._elapsed[1:]), "µs", {"cpu": statistics.median(self._worked[1:])})


async def per_operation(
    run: Callable[[], Awaitable[None]],
    operations: int,
    passes: int,
    before: Callable[[], Awaitable[None]] | None = None,
) -> Result:
    """Measures `run`, which does so many operations. `before` is run before each pass and not measured."""
    watch = Stopwatch()
    for _ in range(passes + 1):
        if before is not None:
            await before()
        watch.start()
        await run()
        watch.stop(operations)
    return watch.result()


def per_operation_blocking(
    run: Callable[[], None], operations: int, passes: int, before: Callable[[], None] | None = None
) -> Result:
    """The same for calls that block."""
    watch = Stopwatch()
    for _ in range(passes + 1):
        if before is not None:
            before()
        watch.start()
        run()
        watch.stop(operations)
    return watch.result()


class BusyThread:
    """A thread that runs Python code all the time, and so wants the GIL all the time."""

    # How long a pass beside it lasts at least: some tens of its turns with the GIL, which it gives up after 5 ms.
    PASS_SECONDS = 0.3

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._spin)

    def __enter__(self) -> None:
        self._thread.start()
        # On a busy machine that may take longer than what is measured beside it.
        self._begun.wait()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _spin(self) -> None:
        number = 0
        self._begun.set()
        while not self._ended.is_set():
            for _ in range(1_000):
                number += 1


class LagMeter:
    """Asks an event loop to wake it each millisecond, and notes by how much later it was woken."""

    PERIOD = 0.001

    def __init__(self) -> None:
        self._lags: list[float] = []
        self._wanted = True

    async def run(self) -> None:
        """Notes lags until it is stopped."""
        while self._wanted:
            begin = time.perf_counter()
            await asyncio.sleep(self.PERIOD)
            self._lags.append(time.perf_counter() - begin - self.PERIOD)

    def stop(self) -> None:
        """Ends `run`."""
        self._wanted = False

    def result(self) -> Result:
        """The 99th percentile in milliseconds, with the median and the worst."""
        if len(self._lags) < 100:
            raise AssertionError(f"{len(self._lags)} wake-ups are too few for a percentile: the work ended too early")
        lags = sorted(lag * 1e3 for lag in self._lags)
        worst = lags[-1]
        details = {"median": statistics.median(lags), "worst": worst, "wake-ups": float(len(lags))}
        return Result(lags[int(len(lags) * 0.99)], "ms", details)
