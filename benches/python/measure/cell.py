"""One cell in one process: `python -m measure.cell '{…}'` prints what it found as the last line."""

import asyncio
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import data, rust
from .blocking import BLOCKING_DRIVERS
from .blocking_workloads import BLOCKING_WORKLOADS, BlockingScene
from .drivers import DRIVERS
from .plan import FOR_ONE_VERSION, Cell
from .timing import Effort, Result
from .workloads import WORKLOADS, Scene


def pin_to_one_core() -> None:
    """Leaves this process the last of the cores that it may run on."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    else:
        raise AssertionError("this platform does not let a process choose its core")


def measure(cell: Cell, effort: Effort, template: Path, rust_program: Path) -> Result:
    """Measures it, here and now."""
    if cell.configuration.cores == "one":
        pin_to_one_core()
    with tempfile.TemporaryDirectory(prefix="aioturso-bench-", ignore_cleanup_errors=True) as folder:
        path = data.copy_template(template, Path(folder)) if cell.configuration.storage == "file" else None
        if cell.workload in rust.WORKLOADS:
            if path is None:
                raise AssertionError("the measurements in Rust read a file")
            return rust.measure(rust_program, cell.workload, cell.driver, path, effort)
        if cell.driver in BLOCKING_DRIVERS:
            scene = BlockingScene(BLOCKING_DRIVERS[cell.driver], path, effort)
            return BLOCKING_WORKLOADS[cell.workload](scene)
        return asyncio.run(
            _measure(cell, Scene(DRIVERS[cell.driver], path, effort)),
            loop_factory=_loop_factory(cell.configuration.loop),
        )


async def _measure(cell: Cell, scene: Scene) -> Result:
    return await WORKLOADS[cell.workload].measure(scene)


def _loop_factory(loop: str) -> Any:
    if loop == "asyncio":
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop


def main() -> None:
    """Reads the order, measures, prints the result."""
    order = json.loads(sys.argv[1])
    cell = Cell.from_json(order["cell"])
    if cell.driver in FOR_ONE_VERSION:
        # Before the one that is installed; drivers are imported when they are opened.
        sys.path.insert(0, order["for_one_version"])
    result = measure(cell, Effort(**order["effort"]), Path(order["template"]), Path(order["rust"]))
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
