"""The long run: very many random programs, on several processes.

    python tests/python/differential/long_run.py --sequences 20000 --seed 2026 --processes 2

It prints what differs and is not known, then how often each known difference was met, and fails if anything is unknown, or if a known
difference was never met.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import sys
import time
import warnings
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from run import KNOWS_SQLITE3, RUNNING, Tallies, batches_of, folder_in_memory, running


def played(folder: Path, seed: int, number: int, count: int) -> tuple[list[str], Tallies]:
    """One batch."""
    warnings.simplefilter("error")
    tallies = Tallies()
    own = folder / str(number)
    own.mkdir()
    with running(own) as run:
        found = run.play_batch((seed, number), count, tallies)
    (own / RUNNING).unlink()
    return found, tallies


def play_all(folder: Path, options: argparse.Namespace) -> tuple[list[str], Tallies]:
    """All batches; prints what is found as it is found."""
    tallies, all_found = Tallies(), []
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.processes, context) as pool:
        futures = {
            pool.submit(played, folder, options.seed, number, count): number
            for number, count in batches_of(options.sequences)
        }
        for future in concurrent.futures.as_completed(futures):
            found, of_batch = future.result()
            tallies.add(of_batch)
            for text in found:
                print(f"--- in batch {options.seed}-{futures[future]}:\n{text}\n", flush=True)
            all_found += found
    return all_found, tallies


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=20_000, help="how many programs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=2026, help="which (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count(), help="(default: %(default)s)")
    options = parser.parse_args()
    if not KNOWS_SQLITE3:
        parser.error("sqlite3 is compared with Python 3.13: run this with that, or a later one")

    began = time.monotonic()
    with folder_in_memory() as name:
        folder = Path(name)
        try:
            found, tallies = play_all(folder, options)
        except BrokenProcessPool:
            for running_one in sorted(folder.glob(f"*/{RUNNING}")):
                print(f"--- batch {running_one.parent.name} ended in this program, or with another's:\n")
                print(running_one.read_text("utf-8"), flush=True)
            raise
    seconds = time.monotonic() - began
    print(f"{options.sequences} programs of seed {options.seed} in {seconds:.0f} s; {len(found)} not as known")
    print(tallies.summary())
    unmet = tallies.unmet()
    for difference in unmet:
        print(f"never met, so no longer true, or too rare: {difference}")
    return 1 if found or unmet else 0


if __name__ == "__main__":
    sys.exit(main())
