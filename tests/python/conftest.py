"""How the tests run: each coroutine on every event loop, and each test ends with nothing left behind.

There is no plugin for asyncio here on purpose: the loop of a test is made, watched and closed in the few lines below, so
that an exception which only reaches the loop's handler (an `InvalidStateError` in a callback, say) fails the test too.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

TIME_LIMIT = 4 * float(os.environ.get("FAULTS_PATIENCE", "30"))
"""Seconds that a coroutine may take before it counts as hanging: many times what any takes, for a busy machine is slow."""

SETTLING_TIME = 5.0
"""Seconds that threads and files have to go away after a test."""

LOOPS = ["asyncio"] if sys.platform == "win32" else ["asyncio", "uvloop"]


def make_event_loop(name: str) -> asyncio.AbstractEventLoop:
    if name == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if inspect.iscoroutinefunction(metafunc.function):
        metafunc.fixturenames.append("event_loop_name")
        metafunc.parametrize("event_loop_name", LOOPS)
    elif "event_loop_name" in metafunc.fixturenames:
        metafunc.parametrize("event_loop_name", LOOPS)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    time_limit = TIME_LIMIT + arguments.get("soak_seconds", 0.0)
    run_in_new_loop(pyfuncitem.obj(**arguments), pyfuncitem.callspec.params["event_loop_name"], time_limit)
    return True


def run_in_new_loop(coroutine: Coroutine[Any, Any, None], loop_name: str, time_limit: float = TIME_LIMIT) -> None:
    """Runs a coroutine to its end in a loop of its own, and fails on whatever the loop's handler was told."""
    loop = make_event_loop(loop_name)
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: complaints.append(context))
    try:
        loop.run_until_complete(asyncio.wait_for(coroutine, time_limit))
        gc.collect()
        loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
    if complaints:
        pytest.fail("the event loop's exception handler was called: " + "; ".join(map(repr, complaints)))


@pytest.fixture
def run_in_loop(event_loop_name: str) -> Callable[[Coroutine[Any, Any, None]], None]:
    """For a test that is not a coroutine itself: runs one, in a new loop each time."""
    return lambda coroutine: run_in_new_loop(coroutine, event_loop_name)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where a database may be made."""
    return str(tmp_path / "test.db")


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path: Path) -> Iterator[None]:
    """After each test no thread runs that did not run before, and no file of the test's folder is open."""
    before = threads()
    yield
    gc.collect()
    deadline = time.monotonic() + SETTLING_TIME
    while (left := remains(before, tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert not left, f"left behind by the test: {left}"


def remains(threads_before: dict[str, str], folder: Path) -> list[str]:
    new_threads = [f"thread {name}" for key, name in threads().items() if key not in threads_before]
    return new_threads + [f"open file {path}" for path in open_files() if path.is_relative_to(folder)]


def threads() -> dict[str, str]:
    """Every thread of the process by its id; native ones, which Python does not know, where the system tells."""
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        return {str(thread.ident): thread.name for thread in threading.enumerate()}
    found = {}
    for task in tasks.iterdir():
        try:
            found[task.name] = (task / "comm").read_text().strip()
        except OSError:
            continue  # It ended while we looked.
    return found


def open_files() -> list[Path]:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        return []
    found = []
    for descriptor in descriptors.iterdir():
        try:
            found.append(Path(os.readlink(descriptor)))
        except OSError:
            continue  # The one with which the folder was read.
    return found
