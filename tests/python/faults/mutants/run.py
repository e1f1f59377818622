"""Runs the matrix over workers with one bug each. One that survives fails the run: `python run.py [name ...]`.

The package that is installed is copied, the bug is put in, and the part of the matrix that guards against it is run on
the copy. A test that fails, and a run that hangs, is what is wanted. First the same tests run on a copy without a bug;
and before anything is run, all bugs have to fit the package. `python run.py --fit FOLDER` looks for nothing else, in the
package in that folder.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import native_build
from bug import NATIVE, PYTHON, Bug, misfits, tests_of
from bugs import BUGS

FAULTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(FAULTS))
from workers import ENVIRONMENTS  # noqa: E402

AT_ONCE = (os.cpu_count() or 1) + 2
TIME_LIMIT = 40.0
"""Seconds after which a run hangs. Without a bug, each takes a few."""

PATIENCE = "5"
"""Seconds after which a call hangs in a test that is about to fail."""

CHANCES = 3
"""Some bugs are races: a test has so many chances to lose one."""

THOROUGHNESS = "0.3"
"""How much of what the matrix does again and again is done here."""

LOOP = "asyncio"
"""The loop that the bugs are tried on. That the worker without one is right on the others is what the matrix shows."""

PASSED, FAILED = 0, 1
"""The exit statuses of pytest that say that tests ran."""


@dataclass(frozen=True)
class Verdict:
    bug: str
    killed: bool
    how: str
    seconds: float


def installed_package() -> Path:
    specification = importlib.util.find_spec("aioturso")
    if specification is None or specification.origin is None:
        sys.exit("aioturso is not installed here: install it, or run `cargo xtask test python-mutants`")
    return Path(specification.origin).parent


def copy_package(source: Path, target: Path, bug: Bug | None) -> None:
    """Copies the package, with the bug in it."""

    def copy(file: str, place: str) -> None:
        if Path(file).suffix in (".so", ".pyd"):
            Path(place).symlink_to(file)
        else:
            shutil.copy(file, place)

    package = target / source.name
    shutil.copytree(source, package, copy_function=copy, ignore=shutil.ignore_patterns("__pycache__"))
    for file, text in bug.files(source).items() if bug is not None else ():
        (package / file).write_text(text)


def check_fit(package: Path) -> None:
    """Ends the program if bugs, tests and the package do not belong together any more; it tells all that is wrong."""
    if wrong := misfits(BUGS, package, native_build.ROOT, FAULTS):
        sys.exit("\n".join([*wrong, f"{len(wrong)} bugs and tests do not fit"]))


def run_tests(
    package_folder: Path, tests: list[str], ways: str, worker: str, time_limit: float, number: int = 0
) -> tuple[int | None, str]:
    """The exit status of pytest, or `None` if it hangs, and what it said last."""
    files = tests_of(FAULTS)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=line", "--soak-seconds=6"]
    command += [
        "--worker",
        worker,
        "-c",
        str(FAULTS.parent / "pytest.ini"),
        "-k",
        f"{LOOP} and ({ways})" if ways else LOOP,
    ]
    command += [f"{files[test]}::{test}" for test in tests]
    environment = {**os.environ, **ENVIRONMENTS[worker], "PYTHONPATH": str(package_folder)}
    environment["FAULTS_THOROUGHNESS"] = THOROUGHNESS
    environment[native_build.VARIABLE] = str(number)
    if time_limit == TIME_LIMIT:
        environment["FAULTS_PATIENCE"] = PATIENCE
    # In a session of its own, so that what hangs is ended with all of its children; and with a folder of its own, for pytest puts
    # one beside those of the latest runs otherwise, and fails where another one clears these away at the same time.
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        subprocess.Popen(
            [*command, "--basetemp", str(Path(folder) / "tests")],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        status: int | None = None
        try:
            output, _ = process.communicate(timeout=time_limit)
            status = process.returncode
        except subprocess.TimeoutExpired:
            end_session(process.pid)
            output, _ = process.communicate()
        # A bug may leave children of children.
        end_session(process.pid)
    return status, output


def end_session(leader: int) -> None:
    """Ends all the processes that this one has started, and itself."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def try_bug(package: Path, bug: Bug) -> Verdict:
    began = time.monotonic()
    status, output = None, ""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if bug.language == PYTHON:
            copy_package(package, place, bug)
        else:
            # It has all of them, and is told which.
            place = package
        for _ in range(CHANCES):
            status, output = run_tests(place, [bug.test], bug.ways, bug.worker, TIME_LIMIT, bug.number)
            if status != PASSED:
                break
    seconds = time.monotonic() - began
    if status is None:
        return Verdict(bug.name, True, f"{bug.test} hangs", seconds)
    failures = [line for line in output.splitlines() if line.startswith(("FAILED ", "ERROR ")) and "::" in line]
    # Without any, it is Python that failed, before there were tests.
    if status == FAILED and failures:
        return Verdict(bug.name, True, failures[0].partition("::")[2].partition(" - ")[0], seconds)
    if status < 0:
        return Verdict(bug.name, True, f"{bug.test} is killed by signal {-status}", seconds)
    return Verdict(
        bug.name,
        False,
        f"SURVIVED {bug.test}" if status == PASSED else f"pytest says {status}: {output[-300:]}",
        seconds,
    )


def check_without_bug(package: Path, bugs: list[Bug]) -> None:
    """The tests pass where there is no bug: otherwise it would say nothing that they fail where there is one."""
    began = time.monotonic()
    parts: list[tuple[list[str], str, str]] = []
    for worker in sorted({bug.worker for bug in bugs}):
        own = [bug for bug in bugs if bug.worker == worker]
        whole = sorted({bug.test for bug in own if not bug.ways})
        parts += [(tests, "", worker) for tests in (whole[first::AT_ONCE] for first in range(AT_ONCE)) if tests]
        rest = sorted({(bug.test, bug.ways) for bug in own if bug.test not in whole})
        parts += [([test], ways, worker) for test, ways in rest]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for status, output in pool.map(lambda part: run_tests(package, *part, 600), parts):
            if status != PASSED:
                sys.exit(f"the tests do not pass on the worker as it is:\n{output}")
    print(f"passed  {time.monotonic() - began:5.1f} s  without a bug, all of the tests", flush=True)


def try_all(package: Path, without_bug: Path, bugs: list[Bug]) -> list[Verdict]:
    """What becomes of each, after its test was seen to pass without it."""
    verdicts: list[Verdict] = []
    if not bugs:
        return verdicts
    check_without_bug(without_bug, bugs)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for verdict in pool.map(functools.partial(try_bug, package), bugs):
            verdicts.append(verdict)
            word = "killed" if verdict.killed else "ALIVE"
            print(f"{word:8}{verdict.seconds:5.1f} s  {verdict.bug}: {verdict.how}", flush=True)
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the fault matrix over workers with one bug each.")
    parser.add_argument(
        "names", nargs="*", metavar="WORD", help="only bugs that have the word in their name, or are in that language"
    )
    parser.add_argument(
        "--fit", type=Path, metavar="FOLDER", help="only look whether all fit the package in that folder"
    )
    parser.add_argument(
        "--build",
        type=Path,
        metavar="FOLDER",
        default=native_build.ROOT / "target" / "mutants" / "native",
        help="where the native queue is built with its bugs",
    )
    arguments = parser.parse_args()
    if arguments.fit is not None:
        check_fit(arguments.fit)
        print(f"{len(BUGS)} bugs fit {arguments.fit}")
        return 0
    package = installed_package()
    check_fit(package)
    chosen = [
        bug
        for bug in BUGS
        if not arguments.names or any(name in f"{bug.name} ({bug.language})" for name in arguments.names)
    ]
    bugs = [bug for bug in chosen if bug.before is None or sys.version_info < bug.before]
    for bug in chosen:
        if bug not in bugs:
            print(f"left out        {bug.name}: this Python heals it by itself")
    in_python = [bug for bug in bugs if bug.language == PYTHON]
    in_rust = [bug for bug in bugs if bug.language == NATIVE]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as beside:
        copy_package(package, Path(folder), None)
        of_the_queue = [bug for bug in BUGS if bug.language == NATIVE]
        # Meanwhile the others are tried.
        building = beside.submit(native_build.build, of_the_queue, arguments.build) if in_rust else None
        verdicts = try_all(package, Path(folder), in_python)
        if building is not None:
            probe = building.result()
            verdicts += try_all(probe, probe, in_rust)
    alive = [verdict.bug for verdict in verdicts if not verdict.killed]
    print(
        f"{len(verdicts) - len(alive)} of {len(verdicts)} bugs found; "
        + (f"alive: {', '.join(alive)}" if alive else "none survived")
    )
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
