"""What was measured, on what."""

import datetime
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import psutil

from . import worker
from .blocking import BLOCKING_DRIVERS
from .drivers import DRIVERS, AioTursoOtherWorker
from .plan import FOR_ONE_VERSION


def describe() -> dict[str, str]:
    """The machine and the versions, as lines of a table."""
    count = psutil.cpu_count() or 1
    facts = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "processor": f"{_processor()}, {count} core{'s' if count > 1 else ''}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "drivers": ", ".join(
            f"{name} {driver.version}"
            for name, driver in DRIVERS.items()
            if name not in (*FOR_ONE_VERSION, AioTursoOtherWorker.name)
        ),
        "blocking drivers": ", ".join(
            f"{name} {driver.version}" for name, driver in BLOCKING_DRIVERS.items() if name not in FOR_ONE_VERSION
        ),
        "worker of aioturso": worker.chosen(),
        "other worker": worker.other(),
        "load at the beginning": load(),
    }
    if sys.platform != "win32":
        facts["uvloop"] = version("uvloop")
    return facts


def load() -> str:
    """How busy the machine is: the average over the last minute, of all processes together."""
    return f"{psutil.getloadavg()[0]:.1f}"


def can_pin() -> bool:
    """Whether a process may choose its core here, and there is more than one to choose from."""
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _commit() -> str:
    here = Path(__file__).parent
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=here, capture_output=True, text=True, check=False
    )
    return described.stdout.strip() or "unknown"
