"""The processes that measure: one for each value."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .plan import BASE, IN_RUST, Cell
from .profile import Function
from .schedule import decides
from .timing import Effort, Result
from .workloads import WORKLOADS

# A cell that takes longer than this hangs.
LIMIT_SECONDS = 180


class Failed(Exception):
    """A cell did not do what it should, and so has no value."""


def effort_for(cell: Cell, effort: Effort) -> Effort:
    """All of it where a bar is to be met, and for what is measured there only; less of it in the other settings, so that a run
    has the time to go through the first more often."""
    is_by_the_way = cell.configuration not in (BASE, IN_RUST) and not decides(cell)
    return effort.lighter if is_by_the_way and WORKLOADS[cell.workload].depends_on_loop else effort


class Processes:
    """Starts `measure.cell` for one cell at a time."""

    def __init__(self, template: Path, rust: Path | None, for_one_version: Path | None, effort: Effort) -> None:
        self._effort = effort
        self._given = {
            "template": str(template),
            "rust": str(rust),
            "for_one_version": str(for_one_version),
        }

    def run(self, cell: Cell) -> Result:
        """What one process finds."""
        return Result(**self._answer({"cell": cell.as_json(), "effort": asdict(effort_for(cell, self._effort))}))

    def profile(self, cell: Cell) -> list[Function]:
        """What the functions of the thread of the loop take, in a process that does nothing else."""
        answer = self._answer({"cell": cell.as_json(), "effort": asdict(self._effort), "profile": True})
        return [Function(**function) for function in answer["functions"]]

    def _answer(self, order: dict[str, Any]) -> dict[str, Any]:
        command = [sys.executable, "-m", "measure.cell", json.dumps({**self._given, **order})]
        folder = Path(__file__).parent.parent
        try:
            ended = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"it did not end within {LIMIT_SECONDS} s") from None
        if ended.returncode != 0:
            said = ended.stderr.strip().splitlines()
            raise Failed(said[-1] if said else f"it ended with {ended.returncode}")
        answer: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
        return answer
