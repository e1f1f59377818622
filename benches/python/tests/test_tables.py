"""From single values to medians, ratios and words."""

from pathlib import Path

import pytest
from measure import docs, plot, report
from measure.comparison import Comparison, compare
from measure.plan import BASE, IN_RUST, Cell, Configuration
from measure.profile import Function
from measure.results import Results
from measure.timing import Result

MACHINE = {
    "date": "2026-11-20 18:50 UTC",
    "commit": "0123456",
    "processor": "a processor, 2 cores",
    "memory": "24 GiB",
    "system": "Linux",
    "Python": "CPython 3.13.0",
    "drivers": "aioturso 0.1.0, turso.aio 0.8.3",
    "worker of aioturso": "python",
    "other worker": "native",
}
ROOT = Path(__file__).parents[3]


def results_of(
    workload: str, values: dict[str, list[float]], configuration: Configuration = BASE, unit: str = "µs"
) -> Results:
    results = Results(MACHINE, 3)
    for driver, found in values.items():
        for value in found:
            cpu = {"cpu": value * 0.75, "loop": value * 0.5, "kernel": value * 0.25, "sleeps": 2.0}
            results.add(Cell(workload, driver, configuration), Result(value, unit, cpu))
    return results


def comparison_of(workload: str, values: dict[str, list[float]], configuration: Configuration = BASE) -> Comparison:
    comparison = compare(results_of(workload, values, configuration), workload, configuration)
    assert comparison is not None
    return comparison


def test_ratios_are_those_of_medians_and_the_best_other_is_the_quickest() -> None:
    """A mean would take the one process in which something else ran for the rule."""
    found = comparison_of(
        "point-select",
        {
            "aioturso": [40, 1_000, 41],
            "turso.aio": [100, 90, 110],
            "aiosqlite": [120, 130, 500],
            "apsw": [205, 205, 205],
        },
    )
    assert [(ratio.other, ratio.largest) for ratio in found.ratios] == [("turso.aio", 0.40), ("aiosqlite", 0.40)]
    assert [ratio.found for ratio in found.ratios] == pytest.approx([0.41, 41 / 130])
    assert found.is_short
    assert found.verdict == "short: 1.02 times the bar of turso.aio"


def test_a_ratio_at_its_bar_is_met() -> None:
    found = comparison_of("point-select", {"aioturso": [40], "turso.aio": [100], "aiosqlite": [100], "apsw": [100]})
    assert found.verdict == "met"
    assert not found.is_short


def test_what_was_not_measured_is_not_met() -> None:
    """The bar of a peer that failed would otherwise be taken for met."""
    found = comparison_of("point-select", {"aioturso": [1], "turso.aio": [100], "apsw": [100]})
    assert found.verdict == "not known: aiosqlite not measured"
    without_the_engine = comparison_of("point-select", {"aioturso": [1], "aiosqlite": [100], "apsw": [100]})
    assert without_the_engine.verdict == "not known: turso.aio not measured"


def test_a_peer_without_fetchmany_is_not_missed_there() -> None:
    found = comparison_of("fetchmany", {"aioturso": [1], "turso.aio": [100], "aiosqlite": [100]})
    assert found.verdict == "met"


def test_executemany_is_compared_with_the_peer_that_its_bar_names() -> None:
    found = comparison_of("executemany", {"aioturso": [1.2], "turso.aio": [4], "aiosqlite": [1], "apsw": [0.1]})
    assert [ratio.other for ratio in found.ratios] == ["turso.aio", "aiosqlite"]
    assert found.verdict == "met"


def test_one_core_has_bars_of_its_own() -> None:
    one_core = Configuration(cores="one")
    values: dict[str, list[float]] = {"aioturso": [38], "turso.aio": [100], "aiosqlite": [10], "apsw": [10]}
    assert comparison_of("point-select", values, one_core).verdict == "short: 1.09 times the bar of turso.aio"
    assert comparison_of("fetchall", values, one_core).verdict == ""


def test_the_lag_of_other_tasks_is_none_below_a_millisecond() -> None:
    values: dict[str, list[float]] = {"async-proxy": [0.2], "turso-crate": [800], "tokio-rusqlite": [0.1]}
    assert comparison_of("rust-lag", values, IN_RUST).verdict == "met"
    assert comparison_of("rust-lag", {**values, "async-proxy": [3]}, IN_RUST).verdict == (
        "short: 3.00 times the bar of 1 ms"
    )


def test_a_cell_that_failed_once_has_no_value() -> None:
    """Its other rounds measured the same broken thing."""
    results = results_of("point-select", {"aioturso": [40], "turso.aio": [100]})
    results.failures[Cell("point-select", "turso.aio", BASE)] = "rows were lost"
    comparison = compare(results, "point-select", BASE)
    assert comparison is not None
    assert [ratio.other for ratio in comparison.ratios] == []
    assert "- point-select turso.aio (asyncio, file, all cores): rows were lost" in report.markdown(results)


def test_a_line_of_the_table_has_ratios_bars_and_words() -> None:
    results = results_of(
        "point-select",
        {"aioturso": [40], "turso.aio": [100], "aiosqlite": [1_234], "apsw": [160], "other-worker": [30]},
    )
    table = report.tables(results, "##")
    assert (
        "| workload | unit | aioturso | turso.aio | aiosqlite | apsw | aioturso, native worker | times turso.aio"
        in table
    )
    assert (
        "| point select, one task | µs | **40** | 100 | 1,234 | 160 | 30 "
        "| 0.4 of turso.aio (at most 0.4) | 0.25 of apsw (at most 0.4) | met |"
    ) in table


def test_a_number_has_three_digits_that_say_something() -> None:
    """`8e-05` in a table of microseconds is read as eight."""
    assert [report.number(value) for value in (12_345.6, 123.4, 1.2345, 0.01234, 0.00008, 0.0, None)] == [
        "12,346",
        "123",
        "1.23",
        "0.0123",
        "0",
        "0",
        "-",
    ]


def test_the_time_that_no_thread_runs_is_what_is_left() -> None:
    stages = report.where_the_time_goes(results_of("point-select", {"aioturso": [40], "aioturso.lib": [4]}), "##")
    # All, loop, other threads, kernel, none, sleeps, blocking.
    assert "| point select, one task | 40 | 20 | 10 | 10 | 10 | 2 | 4 |" in stages


def test_what_is_written_can_be_read_again(tmp_path: Path) -> None:
    results = results_of("point-select", {"aioturso": [40, 50], "turso.aio": [100]})
    results.failures[Cell("insert", "apsw", BASE)] = "it hung"
    results.functions["point-select"] = [Function("worker.put", 2.0, 0.5)]
    results.write(tmp_path / "results.json")
    assert Results.read(tmp_path / "results.json") == results


def test_a_picture_names_what_it_shows(tmp_path: Path) -> None:
    picture = tmp_path / "picture.svg"
    results = results_of("point-select", {"aioturso": [40, 50], "turso.aio": [100], "aiosqlite": [90], "apsw": [95]})
    assert plot.write(results, BASE, picture)
    text = picture.read_text(encoding="utf-8")
    assert "point select, one task" in text
    assert "times turso.aio" in text
    assert not plot.write(results, IN_RUST, picture)


def test_documents_have_a_place_for_what_is_measured() -> None:
    """It would otherwise be told after the run."""
    docs.check(ROOT)


def test_documents_are_written_between_the_markers(tmp_path: Path) -> None:
    results = results_of("point-select", {"aioturso": [90], "turso.aio": [100], "aiosqlite": [100], "apsw": [100]})
    (tmp_path / "docs").mkdir()
    for name, markers in docs.MARKERS.items():
        places = [f"<!-- measured: {marker} -->\nold\n<!-- end of {marker} -->\n" for marker in markers]
        (tmp_path / name).write_text("before\n" + "".join(places) + "after\n", encoding="utf-8")
    picture = tmp_path / "picture.svg"
    picture.write_text("<svg/>", encoding="utf-8")
    for _ in range(2):
        docs.update(results, tmp_path, [picture])
    text = (tmp_path / docs.README).read_text(encoding="utf-8")
    assert text.startswith(
        "before\n<!-- measured: in brief -->\n`cargo xtask bench`, 2026-11-20, at 0123456: a processor"
    )
    assert "old" not in text
    assert text.endswith("<!-- end of in brief -->\nafter\n")
    assert text.count("| point select, one task |") == 1
    assert "Short of its bar: point select, one task (2.25 times the bar of turso.aio, 2.25 times the bar of" in text
    assert (tmp_path / docs.PICTURES / "picture.svg").is_file()


def test_the_cost_of_the_stable_abi_is_written_where_it_is_told(tmp_path: Path) -> None:
    """And the tables of a whole run stay as they are."""
    results = results_of("fetchall", {"aioturso.lib": [1.06, 1.06, 9], "aioturso.lib-cp": [1, 0.5, 1]})
    (tmp_path / "docs").mkdir()
    (tmp_path / docs.DOCUMENT).write_text(
        "<!-- measured: stable ABI -->\n<!-- end of stable ABI -->\n", encoding="utf-8"
    )
    assert docs.update(results, tmp_path, []) == [tmp_path / docs.DOCUMENT]
    text = (tmp_path / docs.DOCUMENT).read_text(encoding="utf-8")
    assert "the stable ABI costs 6% at most" in text
    assert "| `fetchall` of 10,000 rows, per row | 0.795 | 0.75 | 1.06 |" in text


def test_memory_stands_in_the_short_table_of_the_base_alone() -> None:
    """It has no bar, and is asked for all the same."""
    values: dict[str, list[float]] = {"aioturso": [50], "turso.aio": [100]}
    line = "| each of 1,000 idle connections | µs | **50** | 100 | 0.5 of turso.aio | - |  |"
    assert line in docs.in_brief(results_of("idle-connections", values))
    in_memory = Configuration(storage="memory")
    assert "idle connections" not in docs.in_brief(results_of("idle-connections", values, in_memory))


def test_a_document_without_a_place_is_named() -> None:
    with pytest.raises(docs.MissingMarker, match=r"README.md has no place for it: write `<!-- measured: in brief -->`"):
        docs.replace("no marker", "in brief", "table", "README.md")
