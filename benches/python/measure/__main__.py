"""Runs the cells and reports: what `cargo xtask bench` starts once everything is installed."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from . import data, docs, machine, plot, report
from .comparison import family
from .plan import BASE, CONFIGURATIONS, EVERY_COMBINATION, Cell, Selection, UnknownWord, cells
from .processes import Failed, Processes
from .results import Results
from .schedule import Limits, Schedule
from .timing import Effort

FULL = Effort(share=1.0, passes=3)
QUICK = Effort(share=0.25, passes=2)

# How many processes measure a cell that decides whether a bar is met; the others are measured by half as many.
ROUNDS = 5
QUICK_ROUNDS = 3


def main() -> int:
    """The command line."""
    arguments = _arguments()
    results_file: Path = arguments.output / "results.json"
    if arguments.as_measured:
        if not results_file.is_file():
            print(f"error: {results_file} is not there: measure first", file=sys.stderr)
            return 2
        return publish(Results.read(results_file), arguments.output, arguments.docs)
    try:
        wanted = _select(arguments)
        if arguments.docs:
            docs.check(arguments.docs)
    except (UnknownWord, docs.MissingMarker) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not wanted:
        print("error: these filters exclude each other, so nothing is left to measure", file=sys.stderr)
        return 2
    if arguments.list:
        for cell in wanted:
            print(cell)
        return 0
    effort = QUICK if arguments.quick else FULL
    limits = Limits(arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS), arguments.minutes)
    arguments.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="aioturso-bench-") as folder:
        template = Path(folder) / "template.db"
        data.write_template(template)
        processes = Processes(template, arguments.rust, arguments.for_one_version, effort)
        results = Results(machine.describe(), limits.rounds)
        if not arguments.profile:
            run(wanted, limits, processes, results, results_file)
        is_whole = not arguments.filters and not arguments.quick
        if arguments.profile or is_whole:
            profile(wanted, processes, results, only_short=not arguments.profile)
        results.machine["load at the end"] = machine.load()
        if arguments.profile:
            print(report.where_the_time_goes(results, "##"))
            return 1 if results.failures else 0
        results.write(results_file)
    return publish(results, arguments.output, arguments.docs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m measure", description=__doc__)
    parser.add_argument("filters", nargs="*")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--minutes", type=float, help="begin no round that would not end in time")
    parser.add_argument("--profile", action="store_true", help="say where the time goes, instead of comparing")
    parser.add_argument("--as-measured", action="store_true", help="report what the last run found")
    parser.add_argument("--docs", type=Path, help="the root of the documents to put the tables into")
    parser.add_argument("--every-combination", action="store_true")
    parser.add_argument(
        "--rust", type=Path, help="the program of benches/rust; without it, nothing in Rust is measured"
    )
    parser.add_argument(
        "--for-one-version", type=Path, help="where the package is that was built for this Python alone"
    )
    parser.add_argument("--output", type=Path, required=True, help="the folder for what is written")
    return parser.parse_args()


def _select(arguments: argparse.Namespace) -> list[Cell]:
    selection = Selection(arguments.filters)
    # With --quick: the first one that has what was asked for, unless configurations were asked for by name.
    only_first = arguments.quick and not selection.configurations
    configurations = EVERY_COMBINATION if arguments.every_combination else CONFIGURATIONS
    can_pin = machine.can_pin()
    if not can_pin:
        print("not measured on one core: this platform does not let a process choose its core, or has only one")
    possible = [
        configuration
        for configuration in configurations
        if (configuration.loop != "uvloop" or sys.platform != "win32")
        and (configuration.loop != "tokio" or arguments.rust is not None)
        and (configuration.cores != "one" or can_pin)
        # Functions are looked at in the loop whose own are written in Python.
        and (configuration == BASE or not arguments.profile)
    ]
    wanted = cells(possible, selection, for_one_version=arguments.for_one_version is not None)
    return [cell for cell in wanted if not only_first or cell.configuration == wanted[0].configuration]


def run(wanted: list[Cell], limits: Limits, processes: Processes, results: Results, file: Path) -> None:
    """Runs the cells, round by round, and writes what is known after each."""
    bound = f", {limits.minutes:g} minutes at most" if limits.minutes is not None else ""
    print(f"{len(wanted)} cells, in {limits.rounds} rounds at most{bound}", flush=True)
    schedule = Schedule(wanted, limits)
    begin = time.monotonic()
    round_begun = 0
    for number, cell in schedule:
        if number != round_begun:
            results.write(file)
            round_begun = number
        try:
            result = processes.run(cell)
            results.add(cell, result)
            said = f"{report.number(result.value)} {result.unit}"
        except Failed as error:
            results.failures[cell] = str(error)
            said = f"FAILED: {error}"
        passed, left = _minutes(time.monotonic() - begin), _minutes(schedule.remaining())
        print(f"[{passed}, {left} left] round {number}  {cell}  {said}", flush=True)
    results.write(file)


def profile(wanted: list[Cell], processes: Processes, results: Results, *, only_short: bool) -> None:
    """Looks at the functions of ours in the base: where it is short of its bar, or wherever it was asked for."""
    short = {comparison.workload for comparison in report.short_rows(results, BASE)}
    ours = [cell for cell in wanted if cell.configuration == BASE and cell.driver == family(BASE).ours]
    for cell in ours:
        if only_short and cell.workload not in short:
            continue
        try:
            if not only_short:
                results.add(cell, processes.run(cell))
                floor = Cell(cell.workload, "aioturso.lib", BASE)
                if floor in wanted:
                    results.add(floor, processes.run(floor))
            results.functions[cell.workload] = processes.profile(cell)
            print(f"looked at {cell}", flush=True)
        except Failed as error:
            results.failures[cell] = str(error)


def publish(results: Results, output: Path, root: Path | None) -> int:
    """Writes the tables and the pictures, prints how it stands, and puts it into the documents if that was asked for."""
    (output / "report.md").write_text(report.markdown(results), encoding="utf-8")
    pictures: list[Path] = []
    for configuration in results.configurations():
        picture = output / f"{configuration.loop}-{configuration.storage}-{configuration.cores}.svg"
        if plot.write(results, configuration, picture):
            pictures.append(picture)
    print()
    print(report.markdown(results))
    for line in report.verdicts(results):
        print(line)
    names = ["results.json", "report.md", *(picture.name for picture in pictures)]
    print(f"\nwritten to {output}: {', '.join(names)}")
    if root is not None:
        try:
            written = docs.update(results, root, pictures)
        except docs.MissingMarker as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        print(f"written to {root}: {', '.join(str(path.relative_to(root)) for path in written)}")
    return 1 if results.failures else 0


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60:>2}:{int(seconds) % 60:02}"


if __name__ == "__main__":
    sys.exit(main())
