"""What a run has found so far, in memory and as a file."""

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .plan import Cell, Configuration
from .profile import Function
from .timing import Result


@dataclass
class Results:
    """All rounds of all cells."""

    machine: dict[str, str]
    rounds: int
    found: dict[Cell, list[Result]] = field(default_factory=dict[Cell, list[Result]])
    failures: dict[Cell, str] = field(default_factory=dict[Cell, str])
    # Of aioturso in the base, for the workloads that were looked at.
    functions: dict[str, list[Function]] = field(default_factory=dict[str, list[Function]])

    def add(self, cell: Cell, result: Result) -> None:
        """Notes what one process found."""
        self.found.setdefault(cell, []).append(result)

    def configurations(self) -> list[Configuration]:
        """Those that have results, in the order of the plan."""
        return list(dict.fromkeys(cell.configuration for cell in self.found))

    def median(self, workload: str, driver: str, configuration: Configuration) -> float | None:
        """The median over the rounds; `None` if the cell was not measured, or did not do what it should."""
        values = self.values(workload, driver, configuration)
        return statistics.median(values) if values else None

    def values(self, workload: str, driver: str, configuration: Configuration) -> list[float]:
        """What each round found."""
        cell = Cell(workload, driver, configuration)
        if cell in self.failures:
            return []
        return [result.value for result in self.found.get(cell, [])]

    def detail(self, name: str, workload: str, driver: str, configuration: Configuration) -> float | None:
        """The median of one of the details."""
        results = self.found.get(Cell(workload, driver, configuration), [])
        values = [result.details[name] for result in results if name in result.details]
        return statistics.median(values) if values else None

    def unit(self, workload: str, configuration: Configuration) -> str:
        """The unit of a row."""
        for cell, results in self.found.items():
            if cell.workload == workload and cell.configuration == configuration and results:
                return results[0].unit
        return ""

    def write(self, file: Path) -> None:
        """Writes all of it, each single value included."""
        cells: list[dict[str, Any]] = [
            {**cell.as_json(), "results": [asdict(result) for result in results], "failure": self.failures.get(cell)}
            for cell, results in self.found.items()
        ]
        cells += [
            {**cell.as_json(), "results": [], "failure": failure}
            for cell, failure in self.failures.items()
            if cell not in self.found
        ]
        functions = {name: [asdict(function) for function in found] for name, found in self.functions.items()}
        whole = {"machine": self.machine, "rounds": self.rounds, "cells": cells, "functions": functions}
        file.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> "Results":
        """Reads what `write` wrote."""
        whole = json.loads(file.read_text(encoding="utf-8"))
        results = cls(whole["machine"], whole["rounds"])
        for value in whole["cells"]:
            cell = Cell.from_json(value)
            for result in value["results"]:
                results.add(cell, Result(**result))
            if value["failure"] is not None:
                results.failures[cell] = value["failure"]
        for name, found in whole["functions"].items():
            results.functions[name] = [Function(**function) for function in found]
        return results
