"""Runs the matrix over workers with one bug each. One that survives fails the run: `python run.py [name ...]`.

The package that is installed is copied, the bug is put in, and the part of the matrix that guards against it is run on
the copy. A test that fails, and a run that hangs, is what is wanted. First the same tests run on a copy without a bug;
and before anything is run, all bugs have to fit the package. `python run.py --fit FOLDER` looks for nothing else, in the
package in that folder.
"""

from __future__ import annotations

import argparse
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

from bugs import BUGS, Bug, misfits

FAULTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(FAULTS))
from workers import ENVIRONMENTS  # noqa: E402

AT_ONCE = (os.cpu_count() or 1) + 1
TIME_LIMIT = 40.0
"""Seconds after which a run hangs. Without a bug, each takes a few."""

PATIENCE = "5"
"""Seconds after which a call hangs in a test that is about to fail."""

WORKER = "python thread"
"""The bugs are in Python: it is the worker in Python that has them."""

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


def check_fit(bugs: list[Bug], package: Path) -> None:
    """Ends the program if a bug does not fit the package any more; it tells all of them."""
    if outgrown := misfits(bugs, package):
        sys.exit("\n".join([*outgrown, f"{len(outgrown)} of {len(bugs)} bugs do not fit"]))


def run_tests(package_folder: Path, tests: str, time_limit: float) -> tuple[int | None, str]:
    """The exit status of pytest, or `None` if it hangs, and what it said last."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "--no-header",
        "--tb=line",
        "--soak-seconds=6",
        "--worker",
        WORKER,
    ]
    command += ["-c", str(FAULTS.parent / "pytest.ini"), "-k", tests, str(FAULTS)]
    environment = {**os.environ, **ENVIRONMENTS[WORKER], "PYTHONPATH": str(package_folder)}
    if time_limit == TIME_LIMIT:
        environment["FAULTS_PATIENCE"] = PATIENCE
    # In a session of its own, so that what hangs is ended with all of its children.
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=time_limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return None, output
    return process.returncode, output


def try_bug(package: Path, bug: Bug) -> Verdict:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copy_package(package, Path(folder), bug)
        status, output = run_tests(Path(folder), bug.tests, TIME_LIMIT)
    seconds = time.monotonic() - began
    if status is None:
        return Verdict(bug.name, True, "it hangs", seconds)
    failures = [line for line in output.splitlines() if line.startswith(("FAILED ", "ERROR ")) and "::" in line]
    # Without any, it is Python that failed, before there were tests.
    if status == FAILED and failures:
        return Verdict(bug.name, True, failures[0].partition("::")[2].partition(" - ")[0], seconds)
    if status < 0:
        return Verdict(bug.name, True, f"killed by signal {-status}", seconds)
    return Verdict(
        bug.name, False, "SURVIVED" if status == PASSED else f"pytest says {status}: {output[-300:]}", seconds
    )


def check_without_bug(package: Path, bugs: list[Bug]) -> None:
    """The tests pass where there is no bug: otherwise it would say nothing that they fail where there is one."""
    with tempfile.TemporaryDirectory() as folder:
        copy_package(package, Path(folder), None)
        status, output = run_tests(Path(folder), " or ".join(sorted({f"({bug.tests})" for bug in bugs})), 600)
    if status != PASSED:
        sys.exit(f"the tests do not pass on the worker as it is:\n{output}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the fault matrix over workers with one bug each.")
    parser.add_argument("names", nargs="*", metavar="WORD", help="only bugs that have the word in their name")
    parser.add_argument(
        "--fit", type=Path, metavar="FOLDER", help="only look whether all fit the package in that folder"
    )
    arguments = parser.parse_args()
    if arguments.fit is not None:
        check_fit(BUGS, arguments.fit)
        print(f"{len(BUGS)} bugs fit {arguments.fit}")
        return 0
    package = installed_package()
    check_fit(BUGS, package)
    chosen = [bug for bug in BUGS if not arguments.names or any(name in bug.name for name in arguments.names)]
    bugs = [bug for bug in chosen if bug.before is None or sys.version_info < bug.before]
    for bug in chosen:
        if bug not in bugs:
            print(f"left out        {bug.name}: this Python heals it by itself")
    check_without_bug(package, bugs)
    verdicts: list[Verdict] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for verdict in pool.map(functools.partial(try_bug, package), bugs):
            verdicts.append(verdict)
            word = "killed" if verdict.killed else "ALIVE"
            print(f"{word:8}{verdict.seconds:5.1f} s  {verdict.bug}: {verdict.how}", flush=True)
    alive = [verdict.bug for verdict in verdicts if not verdict.killed]
    print(
        f"{len(verdicts) - len(alive)} of {len(verdicts)} bugs found; "
        + (f"alive: {', '.join(alive)}" if alive else "none survived")
    )
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
