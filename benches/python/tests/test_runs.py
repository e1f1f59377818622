"""What is measured in which order, for how long, and what a failure does to a run."""

import argparse
import threading
from pathlib import Path

import pytest
from conftest import TINY
from measure import __main__ as program
from measure.plan import BASE, CONFIGURATIONS, Cell, Configuration, Selection, UnknownWord, cells
from measure.processes import Failed, Processes, effort_for
from measure.profile import ThreadProfiler
from measure.results import Results
from measure.schedule import Limits, Schedule, decides
from measure.timing import Effort

MEMORY = Configuration(storage="memory")
DECIDING = [Cell("point-select", driver, BASE) for driver in ("aioturso", "turso.aio")]
OTHERS = [Cell("point-select", "sqlite3", BASE), Cell("first-row", "aioturso", BASE)]


class Clock:
    """Goes only when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def rounds_of(limits: Limits, seconds: float) -> list[list[Cell]]:
    """The cells of each round, if each takes so long."""
    clock = Clock()
    rounds: dict[int, list[Cell]] = {}
    for number, cell in Schedule([*DECIDING, *OTHERS], limits, clock):
        clock.seconds += seconds
        rounds.setdefault(number, []).append(cell)
    return list(rounds.values())


def test_every_second_round_is_for_what_decides_and_goes_through_it_from_the_back() -> None:
    every = [*DECIDING, *OTHERS]
    assert rounds_of(Limits(4), 1) == [every, DECIDING[::-1], every, DECIDING[::-1]]


def test_no_round_is_begun_that_would_not_end_in_time() -> None:
    """A run of twenty minutes must not take an hour on a slow machine."""
    # 4 minutes, 2 more, then 4 would be too many, and 2 are just enough.
    every = [*DECIDING, *OTHERS]
    assert rounds_of(Limits(5, minutes=8), 60) == [every, DECIDING[::-1], DECIDING]


def test_the_first_round_is_measured_in_any_case() -> None:
    assert rounds_of(Limits(5, minutes=1), 60) == [[*DECIDING, *OTHERS]]


def test_what_is_left_is_what_the_cells_took_before() -> None:
    clock = Clock()
    schedule = Schedule([*DECIDING, *OTHERS], Limits(2), clock)
    left: list[float] = []
    for _number, _cell in schedule:
        clock.seconds += 10
        left.append(schedule.remaining())
    # Before any has ended, a second each is a guess; then two of four have been measured, and so on.
    assert left[1:] == [40.0, 30.0, 20.0, 10.0, 0.0]


def test_the_cells_that_decide_are_those_of_a_bar() -> None:
    assert all(decides(cell) for cell in DECIDING)
    assert not any(decides(cell) for cell in OTHERS)
    assert not decides(Cell("fetchall", "aioturso", Configuration(cores="one")))
    assert not decides(Cell("fetchall", "aioturso", MEMORY))
    assert decides(Cell("rust-hop", "tokio-rusqlite", Configuration(loop="tokio")))


def test_a_thousand_connections_are_a_thousand_in_every_setting() -> None:
    """Less work where no bar is to be met must not change what a row is called after."""
    full = Effort(share=1.0, passes=3)
    for cell in cells(CONFIGURATIONS, Selection(["idle-connections", "memory-iterate"]), for_one_version=False):
        assert effort_for(cell, full) == full
    for cell in DECIDING + OTHERS:
        assert effort_for(cell, full) == full
    assert effort_for(Cell("rust-point-select", "engine", Configuration(loop="tokio")), full) == full
    assert effort_for(Cell("insert", "aioturso", MEMORY), full) == Effort(share=0.5, passes=2)


def test_the_plan_has_every_workload_peer_and_setting() -> None:
    """The list of what must be measured, so that nothing falls out of it unseen."""
    plan = cells(CONFIGURATIONS, Selection([]), for_one_version=False)
    base = {cell.workload for cell in plan if cell.configuration == BASE}
    assert base == {
        "point-select",
        "point-select-tasks",
        "point-select-connections",
        "iterate",
        "fetchmany",
        "fetchone",
        "fetchall",
        "insert",
        "executemany",
        "open-select-close",
        "beside-thread",
        "lag-heavy-query",
        "lag-fetchall",
        "first-row",
        "memory-iterate",
        "idle-connections",
    }
    for workload in base:
        drivers = {cell.driver for cell in plan if cell.workload == workload and cell.configuration == BASE}
        # APSW has no `fetchmany`.
        peers = {"turso.aio", "aiosqlite", "apsw"} - ({"apsw"} if workload == "fetchmany" else set[str]())
        assert peers | {"aioturso", "other-worker"} <= drivers
    for configuration in (Configuration(loop="uvloop"), MEMORY, Configuration(cores="one")):
        found = {cell.workload for cell in plan if cell.configuration == configuration}
        assert base - found <= {"open-select-close", "memory-iterate", "idle-connections"}
    rust = {(cell.workload, cell.driver) for cell in plan if cell.configuration.loop == "tokio"}
    for workload in ("rust-hop", "rust-hop-tasks"):
        assert {(workload, driver) for driver in ("async-proxy", "tokio-rusqlite", "async-sqlite")} <= rust
    assert ("rust-lag", "turso-crate") in rust
    floor = {cell.driver for cell in plan if cell.workload == "point-select" and cell.configuration == BASE}
    assert {"aioturso.lib", "turso", "sqlite3"} <= floor


def test_words_of_one_kind_add_up_and_those_of_different_kinds_narrow_down() -> None:
    found = cells(CONFIGURATIONS, Selection(["insert", "fetchall", "apsw", "memory"]), for_one_version=False)
    assert {cell.workload for cell in found} == {"insert", "fetchall", "lag-fetchall"} - {"lag-fetchall"}
    assert {cell.driver for cell in found} == {"apsw"}
    assert {cell.configuration for cell in found} == {MEMORY}
    with pytest.raises(UnknownWord, match="`nothing` selects nothing"):
        Selection(["nothing"])


def test_a_process_answers_and_one_that_fails_says_why(template: Path, tmp_path: Path) -> None:
    """The process measures what the file of the plan has, and so full-size data: it must refuse this small database."""
    point_select = Cell("point-select", "sqlite3", BASE)
    assert Processes(template, None, None, TINY).run(Cell("idle-connections", "sqlite3", MEMORY)).unit == "KiB"
    with pytest.raises(Failed, match="No such file"):
        Processes(tmp_path / "not there", None, None, TINY).run(point_select)
    with pytest.raises(Failed, match="nothing was measured"):
        Processes(template, None, None, TINY).run(Cell("iterate", "sqlite3", BASE))


def test_the_functions_of_the_loop_are_looked_at(template: Path) -> None:
    found = Processes(template, None, None, TINY).profile(Cell("insert", "aioturso", BASE))
    assert found
    assert sum(function.share for function in found) <= 1.001
    assert not any("epoll" in function.name for function in found)


def count_to(number: int) -> int:
    count = 0
    while count < number:
        count += 1
    return count


def count_elsewhere(ended: threading.Event) -> None:
    while not ended.is_set():
        pass


def test_a_profile_is_of_one_thread_and_counts_for_each_operation() -> None:
    """From Python 3.12 on, `cProfile` takes the functions of all threads for those of one."""
    profiler, ended = ThreadProfiler(), threading.Event()
    elsewhere = threading.Thread(target=count_elsewhere, args=(ended,))
    elsewhere.start()
    try:
        profiler.enable()
        for _ in range(6):
            count_to(100_000)
        profiler.disable()
    finally:
        ended.set()
        elsewhere.join()
    found = {function.name: function for function in profiler.functions(operations=3)}
    assert found["test_runs.count_to"].calls == 2
    assert found["test_runs.count_to"].share > 0.5
    assert not any("elsewhere" in name or "is_set" in name for name in found)


def test_a_run_goes_on_after_a_failure_and_ends_with_it(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = Results({"other worker": "native"}, 1)
    wanted = [Cell("iterate", "sqlite3", BASE), Cell("idle-connections", "sqlite3", MEMORY)]
    file = tmp_path / "results.json"
    program.run(wanted, Limits(1), Processes(template, None, None, TINY), results, file)
    assert list(results.failures) == wanted[:1]
    assert list(results.found) == wanted[1:]
    assert program.publish(results, tmp_path, None) == 1
    assert "FAILED: AssertionError: the rows iterated over" in capsys.readouterr().out
    assert Results.read(file) == results


def test_profiling_looks_at_the_base_alone() -> None:
    arguments = argparse.Namespace(
        filters=["insert"], quick=False, every_combination=False, rust=None, for_one_version=None, profile=True
    )
    selected = program._select(arguments)  # pyright: ignore[reportPrivateUsage]
    assert {cell.configuration for cell in selected} == {BASE}
