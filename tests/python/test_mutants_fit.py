"""The workers with one bug each, on which the fault matrix is tried, are kept in step with the worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import aioturso

RUN = Path(__file__).parent / "faults" / "mutants" / "run.py"


def test_every_bug_fits_the_worker() -> None:
    """Bug: a worker is changed and a bug that is put into it is not, which nobody is told of before the mutants are run."""
    package = Path(aioturso.__file__).parent
    done = subprocess.run([sys.executable, RUN, "--fit", package], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_bug_that_does_not_fit_is_told_at_once(tmp_path: Path) -> None:
    """Bug: the run stops at the first, and so the second is found only when that is mended."""
    for file in Path(aioturso.__file__).parent.glob("*.py"):
        text = "" if file.name in ("worker.py", "rows.py") else file.read_text()
        (tmp_path / file.name).write_text(text)
    done = subprocess.run([sys.executable, RUN, "--fit", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "worker.py" in done.stderr and "rows.py" in done.stderr and "call_queue.py" not in done.stderr
