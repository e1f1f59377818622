"""What a bug is that is put into a worker, and whether all of them still belong to what they are about."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PYTHON_THREAD = "python thread"
NATIVE_QUEUE = "native queue"

PYTHON = "Python"
NATIVE = "Rust"
"""What a bug is written in: in the package of the driver, or in the sources of the native queue."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Change:
    """A replacement in one file of the package. What is replaced stands there exactly once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Bug:
    """A bug, and the test of the matrix that has to find it."""

    name: str
    test: str
    changes: tuple[Change, ...]
    ways: str = ""
    """Which of the test's parameters, as `pytest -k` wants it; all of them otherwise."""
    before: tuple[int, int] | None = None
    """The version of Python that heals it by itself."""
    worker: str = PYTHON_THREAD
    """Which worker has it."""
    language: str = PYTHON
    number: int = 0
    """Of one in Rust: by which it is chosen."""

    def files(self, package: Path) -> dict[str, str]:
        """The files of the package that it changes, with the bug in them. Raises `ValueError` where it does not fit."""
        texts: dict[str, str] = {}
        for change in self.changes:
            text = texts.get(change.file) or (package / change.file).read_text()
            count = text.count(change.old)
            if count != 1:
                raise ValueError(
                    f"the bug `{self.name}` does not fit {change.file}: what it replaces stands there {count} times, not "
                    f"once; bring it up to date with the worker:\n{change.old}"
                )
            texts[change.file] = text.replace(change.old, change.new)
        return texts


def bug(
    name: str,
    test: str,
    *changes: tuple[str, str, str],
    ways: str = "",
    before: tuple[int, int] | None = None,
    worker: str = PYTHON_THREAD,
) -> Bug:
    """A bug that consists of these changes."""
    return Bug(name, test, tuple(Change(*change) for change in changes), ways, before, worker)


def rust_bug(name: str, test: str, *changes: tuple[str, str, str], ways: str = "") -> Bug:
    """A bug of the native queue that consists of these changes of its sources."""
    return Bug(
        name, test, tuple(Change(*change) for change in changes), ways, None, NATIVE_QUEUE, NATIVE, next(_numbers)
    )


def tests_of(faults: Path) -> dict[str, Path]:
    """The tests of the matrix, and the file that each stands in."""
    found: dict[str, Path] = {}
    for file in sorted(faults.glob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
                found[node.name] = file
    return found


def misfits(bugs: Iterable[Bug], package: Path, root: Path, faults: Path) -> list[str]:
    """What is wrong: bugs that the package or the sources have outgrown, or whose test is gone, and tests that find none."""
    bugs = list(bugs)
    found: list[str] = []
    for one in bugs:
        try:
            one.files(package if one.language == PYTHON else root)
        except (ValueError, OSError) as error:
            found.append(str(error))
    tests = tests_of(faults)
    found += [f"the bug `{one.name}` names no test: there is no {one.test}" for one in bugs if one.test not in tests]
    tried = {one.test for one in bugs}
    found += [
        f"{test} in {file.name} was never seen to fail: put the bug that it guards against into {Path(__file__).parent}"
        for test, file in tests.items()
        if test not in tried
    ]
    return found
