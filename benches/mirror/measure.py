"""Measures blocking twins and awaitables beside `block_on` and pyo3-async-runtimes: `cargo xtask bench mirror`.

It compiles the crate beside it (release), and prints microseconds a call: the best of several rounds, since whatever disturbs
a round makes it longer. A twin may cost 5 more than the same future run by `block_on` in Rust, an awaitable no more than that
of pyo3-async-runtimes.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROUNDS = 15
QUICK_ROUNDS = 4
CALLS = 2_000

FUTURES = ("ready", "hop")
"""A future that is ready when it is first polled, and one that waits for another thread of the runtime."""

TASKS = (1, 16)
"""How many awaitables wait at once."""


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


def best(call: Callable[[int], Any], rounds: int) -> float:
    def once() -> float:
        begin = time.perf_counter()
        for number in range(CALLS):
            call(number)
        return (time.perf_counter() - begin) / CALLS * 1e6

    return min(once() for _ in range(rounds))


async def best_awaited(call: Callable[[int], Awaitable[Any]], tasks: int, rounds: int) -> float:
    async def once() -> float:
        begin = time.perf_counter()
        if tasks == 1:
            for number in range(CALLS):
                await call(number)
        else:
            for number in range(0, CALLS, tasks):
                await asyncio.gather(*(call(number + task) for task in range(tasks)))
        return (time.perf_counter() - begin) / CALLS * 1e6

    return min([await once() for _ in range(rounds)])


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds of each, not {ROUNDS}")
    parser.add_argument("--list", action="store_true", help="print what would be measured, and stop")
    wanted = parser.parse_args()
    if wanted.list:
        for kind in FUTURES:
            print(f"mirror-twin-{kind}", *(f"mirror-awaited-{kind}-by-{tasks}" for tasks in TASKS), sep="\n")
        return
    rounds = QUICK_ROUNDS if wanted.quick else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        sys.path.insert(0, folder)
        native, peers = importlib.import_module("_native"), importlib.import_module("peers")
        futures = native.make_sync()
        in_rust = [min(peers.block_on(CALLS)[kind] for _ in range(rounds)) * 1e6 for kind in (0, 1)]
        twins_in_rust = [min(peers.twins(CALLS)[kind] for _ in range(rounds)) * 1e6 for kind in (0, 1)]
        for kind, name in enumerate(FUTURES):
            twin = best(getattr(futures, f"{name}_sync"), rounds)
            by_hand = best(getattr(peers, f"{name}_by_hand"), rounds)
            print(
                f"{name:6} twin: {twin:7.2f} from Python, {twins_in_rust[kind]:7.2f} in Rust; block_on: {in_rust[kind]:7.2f} in Rust, "
                f"{by_hand:7.2f} from Python by hand; the twin costs {twin - in_rust[kind]:+.2f} (at most +5)"
            )
        for tasks in TASKS:
            for name in FUTURES:
                ours = asyncio.run(best_awaited(getattr(futures, name), tasks, rounds))
                theirs = asyncio.run(best_awaited(getattr(peers, name), tasks, rounds))
                print(
                    f"{name:6} awaited, {tasks:2} at once: {ours:7.2f}; pyo3-async-runtimes {theirs:7.2f}: "
                    f"{ours / theirs:.2f} of it (at most 1)"
                )


if __name__ == "__main__":
    main()
