"""The measurements in Rust, which a program of their own makes: `benches/rust`."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .timing import Effort, Result

# The proxies that this repository generates, libraries that do the same for SQLite, the driver that the makers of the
# engine publish, and what one writes without a library.
OURS = "async-proxy"
SAME_ENGINE = "turso-crate"
# The engine alone, without a driver and in the caller's thread, is what no driver of it can be faster than.
ENGINE = "engine"
DRIVERS = (OURS, SAME_ENGINE, "tokio-rusqlite", "async-sqlite", "spawn-blocking", ENGINE)


@dataclass(frozen=True)
class RustWorkload:
    """One row of the table."""

    title: str
    drivers: tuple[str, ...] = DRIVERS


# The published driver runs the engine where it is polled: it has no hop.
_HOPPING = tuple(name for name in DRIVERS if name not in (SAME_ENGINE, ENGINE))

WORKLOADS: dict[str, RustWorkload] = {
    "rust-hop": RustWorkload("a call that does nothing, one task", _HOPPING),
    "rust-hop-tasks": RustWorkload("a call that does nothing, 16 tasks", _HOPPING),
    "rust-point-select": RustWorkload("point select, one task"),
    "rust-executemany": RustWorkload("10,000 rows by one statement, per row"),
    "rust-lag": RustWorkload("executor lag p99 during a heavy query"),
}


def measure(program: Path, workload: str, driver: str, database: Path, effort: Effort) -> Result:
    """Runs the program for one cell."""
    command = [
        str(program),
        workload,
        driver,
        *("--database", str(database)),
        *("--share", str(effort.share)),
        *("--passes", str(effort.passes)),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        said = ended.stderr.strip().replace("\n", "; ")
        raise RuntimeError(said or f"{program.name} ended with {ended.returncode}")
    return Result(**json.loads(ended.stdout))
