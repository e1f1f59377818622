"""How one process measures: passes over the same work, and the median of them."""

import asyncio
import math
import statistics
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType

from .profile import ThreadProfiler


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

    @property
    def lighter(self) -> "Effort":
        """For what is measured by the way."""
        return Effort(self.share / 2, max(1, self.passes - 1))


@dataclass(frozen=True)
class Clocks:
    """What a process has used up to a moment, in microseconds, and how often one of its threads went to sleep."""

    elapsed: float
    cpu: float
    loop: float
    kernel: float
    sleeps: float

    @classmethod
    def now(cls) -> "Clocks":
        """Read in the thread of the event loop, which is the one whose work `loop` is."""
        kernel = sleeps = 0.0
        if sys.platform != "win32":
            import resource

            used = resource.getrusage(resource.RUSAGE_SELF)
            kernel, sleeps = used.ru_stime, float(used.ru_nvcsw)
        cpu, loop = time.process_time(), time.thread_time()
        # Last: a pass begins with it.
        return cls(time.perf_counter() * 1e6, cpu * 1e6, loop * 1e6, kernel * 1e6, sleeps)

    def since(self, begin: "Clocks", operations: int) -> "Clocks":
        """What each of so many operations used."""
        return Clocks(
            (self.elapsed - begin.elapsed) / operations,
            (self.cpu - begin.cpu) / operations,
            (self.loop - begin.loop) / operations,
            (self.kernel - begin.kernel) / operations,
            (self.sleeps - begin.sleeps) / operations,
        )


class Stopwatch:
    """Times passes over the same work. The first one warms up and does not count."""

    # With one, the functions of the event loop's thread are timed, too: `cargo xtask bench --profile`.
    profiler: ThreadProfiler | None = None
    profiled_operations = 0

    def __init__(self) -> None:
        self._passes: list[Clocks] = []
        self._begun = Clocks.now()
        self._has_warmed_up = False

    def start(self) -> None:
        """Begins a pass."""
        self._begun = Clocks.now()
        if self._has_warmed_up and self.profiler is not None:
            self.profiler.enable()

    def stop(self, operations: int) -> None:
        """Ends a pass of so many operations."""
        if self._has_warmed_up and self.profiler is not None:
            self.profiler.disable()
            Stopwatch.profiled_operations += operations
        ended = Clocks.now()
        if self._has_warmed_up:
            self._passes.append(ended.since(self._begun, operations))
        self._has_warmed_up = True

    def result(self) -> Result:
        """Microseconds for one operation, those that the processors worked for it (in all threads, in that of the loop, in
        the kernel), and how often a thread went to sleep."""
        details = {
            "cpu": statistics.median(clocks.cpu for clocks in self._passes),
            "loop": statistics.median(clocks.loop for clocks in self._passes),
            "kernel": statistics.median(clocks.kernel for clocks in self._passes),
            "sleeps": statistics.median(clocks.sleeps for clocks in self._passes),
        }
        return Result(statistics.median(clocks.elapsed for clocks in self._passes), "µs", details)


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
    # So many wake-ups, of which twenty are later than the percentile: with four it was a matter of luck which driver met the
    # hiccups of the machine.
    ENOUGH = 2_000
    # So many it must have.
    LEAST = 100

    def __init__(self) -> None:
        self._lags: list[float] = []
        self._end = math.inf

    def start(self) -> None:
        """Has `run` begin, or begin again behind a stop."""
        self._end = math.inf

    async def run(self) -> None:
        """Notes lags until it is stopped."""
        while True:
            due = time.perf_counter() + self.PERIOD
            await asyncio.sleep(self.PERIOD)
            # What is due behind the end tells of the loop's timer alone, which an idle loop rounds up to a millisecond.
            if due <= self._end or not self._lags:
                self._lags.append(time.perf_counter() - due)
            if self._end < math.inf:
                return

    @property
    def wake_ups(self) -> int:
        """How many lags are noted."""
        return len(self._lags)

    def stop(self) -> None:
        """Ends `run`."""
        self._end = time.perf_counter()

    def result(self) -> Result:
        """The 99th percentile in milliseconds, with the median and the worst."""
        if len(self._lags) < self.LEAST:
            raise AssertionError(f"{len(self._lags)} wake-ups are too few for a percentile: the work ended too early")
        lags = sorted(lag * 1e3 for lag in self._lags)
        worst = lags[-1]
        details = {"median": statistics.median(lags), "worst": worst, "wake-ups": float(len(lags))}
        return Result(lags[int(len(lags) * 0.99)], "ms", details)
