"""Where the time of the event loop's thread goes, by function.

Not by `cProfile`: from Python 3.12 on it sees all threads and takes them for one.
"""

import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

# Functions that take less than this share say nothing.
LEAST_SHARE = 0.02
MOST_FUNCTIONS = 12

# Waiting for others is no work of this thread: `epoll.poll`, `kqueue.control`, `select`.
WAITING = {"epoll.poll", "kqueue.control", "devpoll.poll", "poll.poll", "select.select"}


@dataclass(frozen=True)
class Function:
    """A function in the thread of the loop, without those that it calls. A coroutine counts as called when it goes on."""

    name: str
    calls: float
    share: float


class ThreadProfiler:
    """Times the functions of the thread that enables it. What it takes itself is left out."""

    def __init__(self) -> None:
        self._nanoseconds: Counter[CodeType | str] = Counter()
        self._calls: Counter[CodeType | str] = Counter()
        self._since = 0

    def enable(self) -> None:
        """From now on."""
        self._since = time.perf_counter_ns()
        sys.setprofile(self._note)

    def disable(self) -> None:
        """Until now."""
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        """Between two events one function has run: which one, the second of them tells."""
        passed = time.perf_counter_ns() - self._since
        function: CodeType | str = frame.f_code
        if event == "call":
            self._calls[function] += 1
            # Whoever called it.
            function = frame.f_back.f_code if frame.f_back else function
        elif event == "c_call":
            self._calls[_name_of_builtin(argument)] += 1
        elif event in ("c_return", "c_exception"):
            function = _name_of_builtin(argument)
        self._nanoseconds[function] += passed
        self._since = time.perf_counter_ns()

    def functions(self, operations: int) -> list[Function]:
        """Those that take most of the time in which the thread works, with what each operation of the workload does of them."""
        working = {_name(code): value for code, value in self._nanoseconds.items() if _name(code) not in WAITING}
        calls: Counter[str] = Counter()
        for code, number in self._calls.items():
            calls[_name(code)] += number
        whole = sum(working.values()) or 1
        found = [Function(name, calls[name] / operations, value / whole) for name, value in working.items()]
        found.sort(key=lambda function: function.share, reverse=True)
        return [function for function in found[:MOST_FUNCTIONS] if function.share >= LEAST_SHARE]


def _name(code: CodeType | str) -> str:
    return code if isinstance(code, str) else f"{Path(code.co_filename).stem}.{code.co_qualname}"


def _name_of_builtin(function: Any) -> str:
    owner = getattr(function, "__self__", None)
    # A module, if it is a plain function.
    of = getattr(owner, "__name__", None) or type(owner).__name__
    return f"{of}.{function.__name__}"
