"""How much memory this process has."""

import threading
from types import TracebackType

import psutil

_process = psutil.Process()


def resident() -> int:
    """The resident set, in bytes."""
    return int(_process.memory_info().rss)


def threads() -> int:
    """How many threads the process has, those that Python does not know of included."""
    return int(_process.num_threads())


class PeakMeter:
    """Looks at the resident set again and again, from a thread that sleeps in between."""

    PERIOD = 0.002

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._before = 0
        self._peak = 0

    def __enter__(self) -> None:
        self._before = resident()
        self._thread.start()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._peak = max(self._peak, resident())

    def _watch(self) -> None:
        while not self._ended.wait(self.PERIOD):
            self._peak = max(self._peak, resident())

    @property
    def growth(self) -> int:
        """By how many bytes it was larger at most than at the beginning, while it was watched."""
        return self._peak - self._before
