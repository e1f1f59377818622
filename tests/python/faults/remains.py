"""What a process holds: threads, files and memory, before and after."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

HANGING = float(os.environ.get("FAULTS_PATIENCE", "30"))
"""Seconds after which a call counts as hanging: a busy machine is slow. Where a bug is put in on purpose, fewer are enough."""

THOROUGHNESS = float(os.environ.get("FAULTS_THOROUGHNESS", "1"))
"""How much of what is done again and again is done: less is enough for a bug that is put in on purpose."""

SETTLING_TIME = HANGING
"""Seconds that threads and files have to go away."""

GROWTH = 16 << 20
"""Bytes that memory may grow by: the allocator's own affairs, and far less than what a test uses altogether."""


@dataclass(frozen=True)
class Holdings:
    """What this process holds now."""

    threads: int
    files: int
    memory: int

    def within(self, before: Holdings) -> bool:
        return self.threads <= before.threads and self.files <= before.files

    def checked(self, before: Holdings) -> Holdings:
        assert self.threads <= before.threads, f"threads left: {before} before, {self} after"
        assert self.files <= before.files, f"files left open: {before} before, {self} after"
        assert self.memory <= before.memory + GROWTH, f"memory left: {before} before, {self} after"
        return self

    def __str__(self) -> str:
        return f"{self.threads} threads, {self.files} files, {self.memory >> 20} MiB"


def holdings() -> Holdings:
    gc.collect()
    if not sys.platform.startswith("linux"):
        return Holdings(threading.active_count(), 0, 0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = len(os.listdir("/proc/self/fd"))
    return Holdings(len(os.listdir("/proc/self/task")), files, pages * os.sysconf("SC_PAGE_SIZE"))


async def check_nothing_is_left(before: Holdings) -> Holdings:
    """Fails on a thread or a file more than before, once they had the time to go away, and on memory that has grown."""
    deadline = time.monotonic() + SETTLING_TIME
    while not (after := holdings()).within(before) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    return after.checked(before)


def check_nothing_is_left_outside(before: Holdings) -> Holdings:
    """The same where no event loop runs, which has files of its own."""
    deadline = time.monotonic() + SETTLING_TIME
    while not (after := holdings()).within(before) and time.monotonic() < deadline:
        time.sleep(0.01)
    return after.checked(before)
