"""Whether a wait was a sleep."""

from __future__ import annotations

import time
from pathlib import Path

STATUS = Path("/proc/thread-self/schedstat")


def time_awake() -> float:
    """For how many seconds this thread ran or wanted to. One that spins does so all the while, however little of the processor
    a busy machine gives it. Where the system does not tell, it is for how long it ran."""
    if not STATUS.is_file():
        return time.thread_time()
    running, waiting, _ = map(int, STATUS.read_text().split())
    return (running + waiting) / 1e9
