"""Runs the cells and reports: what `cargo xtask bench` starts once everything is installed."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from . import data, machine, plot, report
from .plan import CONFIGURATIONS, EVERY_COMBINATION, Cell, Selection, UnknownWord, cells
from .results import Results
from .timing import Effort, Result

# A cell that takes longer than this hangs.
LIMIT_SECONDS = 180

FULL = Effort(share=1.0, passes=3)
QUICK = Effort(share=0.25, passes=2)


def main() -> int:
    """The command line."""
    arguments = _arguments()
    try:
        wanted = _select(arguments)
    except UnknownWord as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not wanted:
        print("error: these filters exclude each other, so nothing is left to measure", file=sys.stderr)
        return 2
    if arguments.list:
        for cell in wanted:
            print(cell)
        return 0
    rounds = arguments.rounds or (3 if arguments.quick else 5)
    results = run(wanted, rounds, QUICK if arguments.quick else FULL, arguments)
    publish(results, arguments.output)
    return 1 if results.failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m measure", description=__doc__)
    parser.add_argument("filters", nargs="*")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--rounds", type=int)
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
    ]
    wanted = cells(possible, selection, for_one_version=arguments.for_one_version is not None)
    return [cell for cell in wanted if not only_first or cell.configuration == wanted[0].configuration]


def run(wanted: list[Cell], rounds: int, effort: Effort, arguments: argparse.Namespace) -> Results:
    """Runs each cell once in each round, the rounds one after the other, and writes what is known after each."""
    results = Results(machine.describe(), rounds)
    output: Path = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    done = 0
    with tempfile.TemporaryDirectory(prefix="aioturso-bench-") as folder:
        template = Path(folder) / "template.db"
        data.write_template(template)
        given = {
            "effort": {"share": effort.share, "passes": effort.passes},
            "template": str(template),
            "rust": str(arguments.rust),
            "for_one_version": str(arguments.for_one_version),
        }
        for number in range(1, rounds + 1):
            # There and back: what slows the machine down for a while does not always meet the same driver.
            for cell in wanted if number % 2 else reversed(wanted):
                outcome = _run_cell(cell, given)
                done += 1
                remaining = (time.monotonic() - begin) / done * (len(wanted) * rounds - done)
                if isinstance(outcome, Result):
                    results.add(cell, outcome)
                    said = f"{report.number(outcome.value)} {outcome.unit}"
                else:
                    results.failures[cell] = outcome
                    said = f"FAILED: {outcome}"
                print(
                    f"[{done:>4}/{len(wanted) * rounds}] {_minutes(remaining)} left  round {number}  {cell}  {said}",
                    flush=True,
                )
            results.write(output / "results.json")
    results.machine["load at the end"] = machine.load()
    results.write(output / "results.json")
    return results


def publish(results: Results, output: Path) -> None:
    """Writes the tables and the pictures, and prints how it stands."""
    (output / "report.md").write_text(report.markdown(results), encoding="utf-8")
    written = ["results.json", "report.md"]
    for configuration in results.configurations():
        name = f"{configuration.loop}-{configuration.storage}-{configuration.cores}.svg"
        if plot.write(results, configuration, output / name):
            written.append(name)
    print()
    print(report.markdown(results))
    for line in report.verdicts(results):
        print(line)
    print(f"\nwritten to {output}: {', '.join(written)}")


def _run_cell(cell: Cell, given: dict[str, Any]) -> Result | str:
    order = {"cell": cell.as_json(), **given}
    command = [sys.executable, "-m", "measure.cell", json.dumps(order)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"did not end within {LIMIT_SECONDS} s"
    if ended.returncode != 0:
        said = ended.stderr.strip().splitlines()
        return said[-1] if said else f"ended with {ended.returncode}"
    return Result(**json.loads(ended.stdout.strip().splitlines()[-1]))


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60:>2}:{int(seconds) % 60:02}"


if __name__ == "__main__":
    sys.exit(main())
