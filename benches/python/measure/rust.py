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
DRIVERS = (OURS, SAME_ENGINE, "tokio-rusqlite", "async-sqlite", "spawn-blocking")


@dataclass(frozen=True)
class RustWorkload:
    """One row of the table."""

    title: str
    drivers: tuple[str, ...] = DRIVERS


# The published driver runs the engine where it is polled: it has no hop.
_HOPPING = tuple(name for name in DRIVERS if name != SAME_ENGINE)

WORKLOADS: dict[str, RustWorkload] = {
    "rust-hop": RustWorkload("a call that does nothing, one task", _HOPPING),
    "rust-hop-tasks": RustWorkload("a call that does nothing, 16 tasks", _HOPPING),
    "rust-point-select": RustWorkload("point select, one task"),
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
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Result(**json.loads(ended.stdout))
