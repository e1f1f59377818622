"""One cell in one process: `python -m measure.cell '{…}'` prints what it found as the last line."""

import asyncio
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import data, profile, rust, worker
from .blocking import BLOCKING_DRIVERS
from .blocking_workloads import BLOCKING_WORKLOADS, BlockingScene
from .drivers import DRIVERS, AioTursoOtherWorker
from .plan import FOR_ONE_VERSION, Cell
from .timing import Effort, Result, Stopwatch
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
        with asyncio.Runner(loop_factory=_loop_factory(cell.configuration.loop)) as runner:
            return runner.run(_measure(cell, Scene(DRIVERS[cell.driver], path, effort)))


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
    if cell.driver == AioTursoOtherWorker.name:
        os.environ[worker.VARIABLE] = worker.other()
    if cell.driver in FOR_ONE_VERSION:
        # Before the one that is installed; drivers are imported when they are opened.
        sys.path.insert(0, order["for_one_version"])
    if order.get("profile"):
        Stopwatch.profiler = profile.ThreadProfiler()
    result = measure(cell, Effort(**order["effort"]), Path(order["template"]), Path(order["rust"]))
    print(json.dumps({**asdict(result), **_functions()}))


def _functions() -> dict[str, Any]:
    """What the thread of the loop did, if that was asked for."""
    profiler = Stopwatch.profiler
    if profiler is None:
        return {}
    # A lag is no operation, and has none.
    found = profiler.functions(max(1, Stopwatch.profiled_operations))
    return {"functions": [asdict(function) for function in found]}


if __name__ == "__main__":
    main()
