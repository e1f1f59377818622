"""The fault matrix: each fault on each worker and each event loop, and the table of what came out."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Generator, Iterator
from pathlib import Path
from typing import Any

import aioturso
import pytest
from children import Children
from workers import ENVIRONMENTS, WORKERS

HEAD = ("fault", "worker", "loop", "result", "measured")

Connect = Callable[..., aioturso.Connection[Any]]
Note = Callable[[str], None]
Run = Callable[[Coroutine[Any, Any, Any]], Any]
Measure = Callable[[Callable[[], object]], object]
CountCallbacks = Callable[[Coroutine[Any, Any, Any], list[Measure]], Any]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--soak-seconds", type=float, default=6.0, help="how long each soak lasts (ten minutes: 600)")
    group.addoption("--worker", choices=list(WORKERS), help="the only worker to be tried; every one otherwise")
    group.addoption(
        "--matrix", type=Path, help="where to write the rows, with tabs between columns, instead of printing them"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "worker_name" in metafunc.fixturenames:
        only = metafunc.config.getoption("--worker")
        metafunc.parametrize("worker_name", WORKERS if only is None else [only])


@pytest.fixture(autouse=True)
def environment_of_worker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    case: Any = getattr(request.node, "callspec", None)
    name = None if case is None else case.params.get("worker_name")
    for variable, value in ENVIRONMENTS.get(name, {}).items():
        monkeypatch.setenv(variable, value)


@pytest.fixture
def connect(worker_name: str) -> Connect:
    """`aioturso.connect` with the worker that the test is about."""
    return functools.partial(aioturso.connect, **WORKERS[worker_name])


@pytest.fixture
def children(worker_name: str, event_loop_name: str, path: str) -> Children:
    """Makes processes with the worker and the event loop that the test is about."""
    return Children(path, event_loop_name, WORKERS[worker_name])


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """Puts what was counted or measured into the matrix."""
    return lambda text: record_property("measured", text)


@pytest.fixture
def soak_seconds(pytestconfig: pytest.Config) -> float:
    return float(pytestconfig.getoption("--soak-seconds"))


@pytest.fixture
def run(event_loop_name: str) -> Run:
    """Runs a coroutine in a loop of its own, which is closed then, whatever is under way."""

    def run_and_close(coroutine: Coroutine[Any, Any, Any]) -> Any:
        if event_loop_name == "uvloop":
            import uvloop

            loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        else:
            loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(coroutine)
        finally:
            loop.close()

    # What a kind of loop sets up once in a process is not left by the test.
    run_and_close(asyncio.sleep(0))
    return run_and_close


@pytest.fixture
def count_callbacks(event_loop_name: str) -> CountCallbacks:
    """Runs a coroutine in a loop that has every callback of a descriptor be called by the last in the list, if there is one."""

    def run_and_close(coroutine: Coroutine[Any, Any, Any], measuring: list[Measure]) -> Any:
        if event_loop_name == "uvloop":
            import uvloop

            base: Any = uvloop.Loop
        else:
            base = asyncio.SelectorEventLoop

        class Counting(base):  # type: ignore[misc]
            def add_reader(self, descriptor: Any, callback: Callable[..., object], *arguments: object) -> object:
                def called() -> None:
                    call = functools.partial(callback, *arguments)
                    if measuring:
                        measuring[-1](call)
                    else:
                        call()

                return super().add_reader(descriptor, called)

        loop = Counting()
        try:
            return loop.run_until_complete(coroutine)
        finally:
            loop.close()

    return run_and_close


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report: Any = yield
    case: Any = getattr(item, "callspec", None)
    parameters: dict[str, str] = {} if case is None else case.params
    worker, loop = parameters.get("worker_name", "-"), parameters.get("event_loop_name", "-")
    name, _, details = item.name.removesuffix("]").partition("[")
    others = [detail for detail in details.split("-") if detail and detail not in (worker, loop)]
    fault = name.removeprefix("test_").replace("_", " ")
    report.fault = (f"{fault}: {', '.join(others)}" if others else fault, worker, loop)
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = list(_rows(terminalreporter.stats))
    if not rows:
        return
    target: Path | None = config.getoption("--matrix")
    if target is not None:
        target.write_text("".join("\t".join(" ".join(column.split()) for column in row) + "\n" for row in rows))
        return
    terminalreporter.section("fault matrix")
    widths = [max(len(row[column]) for row in [HEAD, *rows]) for column in range(len(HEAD))]
    for row in [HEAD, *rows]:
        terminalreporter.write_line("  ".join(map(str.ljust, row, widths)).rstrip())
    counts = {result: sum(row[3] == result for row in rows) for result in dict.fromkeys(row[3] for row in rows)}
    terminalreporter.write_line(", ".join(f"{count} {result}" for result, count in counts.items()))


def _rows(stats: dict[str, list[Any]]) -> Iterator[tuple[str, ...]]:
    """One row for each test: the worst of what was reported for its set-up, its body and its end."""
    words = {"passed": "ok", "failed": "FAILED", "error": "FAILED", "skipped": "skipped", "xfailed": "known"}
    found: dict[str, tuple[str, ...]] = {}
    for outcome, word in words.items():
        for report in stats.get(outcome, []):
            if hasattr(report, "fault") and (report.nodeid not in found or word == "FAILED"):
                measured = "; ".join(str(value) for name, value in report.user_properties if name == "measured")
                if outcome == "skipped":
                    measured = str(report.longrepr[2]).removeprefix("Skipped: ")
                found[report.nodeid] = (*report.fault, word, measured)
    return iter(found.values())
