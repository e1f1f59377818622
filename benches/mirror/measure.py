"""Measures blocking twins and awaitables beside `block_on` and pyo3-async-runtimes: `cargo xtask bench mirror`.

It compiles the crate beside it (release), and prints microseconds a call: the best of many short rounds, since whatever disturbs
a round makes it longer. The rounds of what is compared take turns, so that a busy moment hits one as it hits the other; on a
busy machine long rounds, one thing after the other, said of a twin that it cost 10 more one time and 6 the next, and it was 1.
A twin may cost 5 more than the same future run by `block_on` in Rust, an awaitable no more than that of pyo3-async-runtimes.
A last table has the milliseconds from Ctrl-C to the `KeyboardInterrupt` of a twin that waits: 100 at most.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROUNDS = 300
QUICK_ROUNDS = 60
CALLS = 256
"""In each round; so few that some rounds pass undisturbed."""

FUTURES = ("ready", "hop")
"""A future that is ready when it is first polled, and one that waits for another thread of the runtime."""

TASKS = (1, 16)
"""How many awaitables wait at once."""

INTERRUPTS = 20
SECONDS_BEFORE_THEM = 0.1
SECONDS_APART = 0.0137
"""Each Ctrl-C comes so much later after the beginning of its twin than the one before: a twin looks after signals at intervals,
and they shall come at each moment between two looks."""

MAY_TAKE = 100
"""Milliseconds in which Ctrl-C has to end a twin."""


def build(folder: Path) -> None:
    """Compiles the module and puts it where it can be imported, under the names of both of its halves."""
    command = ["cargo", "build", "--release", "--message-format", "short"]
    subprocess.run(command, cwd=HERE, check=True)
    target = (
        subprocess.run(
            ["cargo", "metadata", "--no-deps", "--format-version", "1"],
            cwd=HERE,
            check=True,
            capture_output=True,
            text=True,
        )
        .stdout.split('"target_directory":"')[1]
        .split('"')[0]
    )
    name = {"darwin": "libmirror_bench.dylib", "win32": "mirror_bench.dll"}.get(sys.platform, "libmirror_bench.so")
    end = ".pyd" if sys.platform == "win32" else ".abi3.so"
    for module in ("_native", "peers"):
        shutil.copy(Path(target) / "release" / name, folder / f"{module}{end}")


def seconds(call: Callable[[int], Any]) -> float:
    """Seconds that one call takes."""
    begin = time.perf_counter()
    for number in range(CALLS):
        call(number)
    return (time.perf_counter() - begin) / CALLS


def seconds_in_rust(measured: Callable[[int], tuple[float, float]], kind: int) -> float:
    """The same, of calls that Rust makes."""
    return measured(CALLS)[kind]


async def awaited_seconds(call: Callable[[int], Awaitable[Any]], tasks: int) -> float:
    """Seconds that one takes, of so many that wait at once."""
    begin = time.perf_counter()
    if tasks == 1:
        for number in range(CALLS):
            await call(number)
    else:
        for number in range(0, CALLS, tasks):
            await asyncio.gather(*(call(number + task) for task in range(tasks)))
    return (time.perf_counter() - begin) / CALLS


def best(rounds: int, *measures: Callable[[], float]) -> list[float]:
    """The best of each, in microseconds."""
    taken = [[measure() for measure in measures] for _ in range(rounds)]
    return [min(times) * 1e6 for times in zip(*taken, strict=True)]


async def best_awaited(rounds: int, tasks: int, *calls: Callable[[int], Awaitable[Any]]) -> list[float]:
    """The best of each, in microseconds."""
    taken = [[await awaited_seconds(call, tasks) for call in calls] for _ in range(rounds)]
    return [min(times) * 1e6 for times in zip(*taken, strict=True)]


def interrupted(twin: Callable[[], None], after: float) -> float:
    """Milliseconds from Ctrl-C, which comes so many seconds after the beginning of a twin, to the end of the twin."""
    sent: list[float] = []

    def interrupt() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(after, interrupt)
    timer.start()
    try:
        twin()
    except KeyboardInterrupt:
        ended = time.perf_counter()
    else:
        raise RuntimeError("the twin ended before Ctrl-C came")
    finally:
        timer.join()
    return (ended - sent[0]) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds of each, not {ROUNDS}")
    parser.add_argument("--list", action="store_true", help="print what would be measured, and stop")
    wanted = parser.parse_args()
    if wanted.list:
        for name in FUTURES:
            print(f"mirror-twin-{name}", *(f"mirror-awaited-{name}-by-{tasks}" for tasks in TASKS), sep="\n")
        print("mirror-twin-interrupted")
        return
    rounds = QUICK_ROUNDS if wanted.quick else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        sys.path.insert(0, folder)
        native, peers = importlib.import_module("_native"), importlib.import_module("peers")
        futures = native.make_sync()
        print("| future | `block_on` in Rust | twin in Rust | by hand in Python | twin in Python | costs | may cost |")
        print("|---|---|---|---|---|---|---|")
        for kind, name in enumerate(FUTURES):
            in_rust, twin_in_rust, by_hand, twin = best(
                rounds,
                partial(seconds_in_rust, peers.block_on, kind),
                partial(seconds_in_rust, peers.twins, kind),
                partial(seconds, getattr(peers, f"{name}_by_hand")),
                partial(seconds, getattr(futures, f"{name}_sync")),
            )
            print(
                f"| {name} | {in_rust:.2f} | {twin_in_rust:.2f} | {by_hand:.2f} | {twin:.2f} | {twin - in_rust:+.2f} | +5 |"
            )
        print("\n| future | at once | pyo3-async-runtimes | awaitable | of it | may be |\n|---|---|---|---|---|---|")
        for name in FUTURES:
            for tasks in TASKS:
                pair = best_awaited(rounds, tasks, getattr(peers, name), getattr(futures, name))
                theirs, ours = asyncio.run(pair)
                print(f"| {name} | {tasks} | {theirs:.2f} | {ours:.2f} | {ours / theirs:.2f} | 1 |")
        waits = [interrupted(futures.never_sync, SECONDS_BEFORE_THEM + n * SECONDS_APART) for n in range(INTERRUPTS)]
        print("\n| Ctrl-C during a twin | median, ms | worst, ms | may take, ms |\n|---|---|---|---|")
        print(f"| {INTERRUPTS} times | {statistics.median(waits):.1f} | {max(waits):.1f} | {MAY_TAKE} |")


if __name__ == "__main__":
    main()
