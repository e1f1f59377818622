"""Programs as users write them: what the type checkers pass also runs, and so do the examples of the documentation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TYPED_PROGRAMS = sorted((ROOT / "tests" / "python" / "typed").glob("*.py"))
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "docs" / "threads.md",
    ROOT / "docs" / "transactions.md",
    ROOT / "examples" / "jobs" / "README.md",
    ROOT / "examples" / "journal" / "README.md",
    ROOT / "examples" / "station" / "README.md",
]
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED_LINE = re.compile(r"print\(.*\)  # (.+)$", re.MULTILINE)


def examples() -> list[object]:
    """Every block of Python in the documents, by the document's name and the block's position."""
    found = []
    for document in DOCUMENTS:
        for position, block in enumerate(EXAMPLE.findall(document.read_text(encoding="utf-8")), start=1):
            found.append(pytest.param(block, id=f"{document.relative_to(ROOT).as_posix()}-{position}"))
    return found


def run(arguments: list[str], folder: Path) -> str:
    command = [sys.executable, "-W", "error", *arguments]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    return finished.stdout


@pytest.mark.parametrize("program", TYPED_PROGRAMS, ids=lambda path: path.stem)
def test_typed_program_runs(program: Path, tmp_path: Path) -> None:
    run([str(program), str(tmp_path / "test.file")], tmp_path)


@pytest.mark.parametrize("example", examples())
def test_example_of_the_documentation_runs(example: str, tmp_path: Path) -> None:
    """And prints what its comments say that it prints."""
    output = run(["-c", example], tmp_path)
    for expected in EXPECTED_LINE.findall(example):
        assert expected in output


def test_the_documents_have_examples() -> None:
    for document in DOCUMENTS:
        assert EXAMPLE.search(document.read_text(encoding="utf-8")), document
