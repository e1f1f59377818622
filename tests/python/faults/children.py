"""Programs in processes of their own, for faults that end a process or that no process survives."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from typing import Any

from remains import HANGING

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
"""A query that never ends by itself."""

CHILD_TIME_LIMIT = 2 * HANGING
"""Seconds after which a child counts as hanging."""

EXIT_SECONDS = HANGING
"""Seconds that the end of a process waits for a worker that does not end by itself."""

PREAMBLE = """
import asyncio, contextvars, os, signal, sys, threading, time
import aioturso
import aioturso.worker

# Much longer than the end of any of these takes, also on a busy machine: whoever takes as long was waited for.
aioturso.worker.EXIT_SECONDS = {exit_seconds!r}

PATH, LOOP, OPTIONS = {path!r}, {loop!r}, {options!r}
ENDLESS, HANGING = {endless!r}, {hanging!r}

def connect(path=PATH, **more):
    return aioturso.connect(path, **OPTIONS, **more)

def run(coroutine):
    if LOOP == "uvloop":
        import uvloop
        return uvloop.run(coroutine)
    return asyncio.run(coroutine)

def say(*words):
    print(*words, flush=True)

async def opened():
    connection = await connect()
    await connection.execute("CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY)")
    await connection.execute("INSERT INTO t VALUES (1)")
    await connection.commit()
    return connection

"""


@dataclass(frozen=True)
class Finished:
    """How a child ended, and how many seconds after it had said `leaving`."""

    status: int
    output: list[str]
    errors: str
    seconds_to_leave: float


@dataclass(frozen=True)
class Children:
    """Makes children that use one worker and one event loop."""

    path: str
    loop: str
    options: dict[str, Any]

    def start(self, program: str, **pipes: Any) -> subprocess.Popen[str]:
        """Starts a program, which finds `connect`, `run`, `say` and `opened` ready to use."""
        values = {"path": self.path, "loop": self.loop, "options": self.options}
        preamble = PREAMBLE.format(**values, endless=ENDLESS, hanging=HANGING, exit_seconds=EXIT_SECONDS)
        return subprocess.Popen(
            [sys.executable, "-c", preamble + textwrap.dedent(program)],
            stdout=subprocess.PIPE,
            text=True,
            **pipes,
        )

    def run(self, program: str) -> Finished:
        """Runs a program to its end, which it announces by `say("leaving", time.time())` if that is to be timed."""
        child = self.start(program, stderr=subprocess.PIPE)
        output, errors = finish(child)
        lines = output.splitlines()
        left = [float(line.split()[1]) for line in lines if line.startswith("leaving ")]
        return Finished(child.returncode, lines, errors, time.time() - left[-1] if left else 0.0)


def finish(child: subprocess.Popen[str]) -> tuple[str, str]:
    """Waits for the end of a child, and gives what it has said since. One that does not end is killed, and fails the test."""
    try:
        with child:
            try:
                return child.communicate(timeout=CHILD_TIME_LIMIT)
            finally:
                child.kill()
    except subprocess.TimeoutExpired as expired:
        # Not waited for by what it has written: children of its own may have its pipes open.
        raise AssertionError(f"the process does not end; it said {expired.output!r}") from None
