"""What two drivers showed of one program, step by step, until they differ in a way that nobody has explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from players import Observation, Transcript
from programs import FETCHES, Program, Step, sql_of
from reading import Reading, half_read


@dataclass(frozen=True)
class Change:
    """One thing that two drivers show differently behind a step."""

    where: tuple[str, int]
    name: str
    expected: Any
    seen: Any


@dataclass(frozen=True)
class Case:
    """A step behind which two drivers differ, and all that led to it."""

    program: Program
    index: int
    changes: list[Change]
    expected_transcript: Transcript
    seen_transcript: Transcript

    @property
    def step(self) -> Step | None:
        """The step, or `None` if it is what the database holds at the end that differs."""
        return self.program.steps[self.index] if self.index < len(self.program.steps) else None

    @property
    def expected(self) -> Observation:
        return self._observation(self.expected_transcript)

    @property
    def seen(self) -> Observation:
        return self._observation(self.seen_transcript)

    def _observation(self, transcript: Transcript) -> Observation:
        """What was seen behind the step; nothing, behind the last."""
        return transcript.observations[self.index] if self.step is not None else Observation(None, {}, {})

    @cached_property
    def fields(self) -> set[str]:
        return {change.name for change in self.changes}

    @property
    def sql(self) -> str:
        """The step's SQL, in capitals; empty for a step without."""
        return sql_of(self.step)

    @property
    def sql_before(self) -> list[str]:
        """The SQL of the steps up to this one, in capitals."""
        return [sql_of(step) for step in self.program.steps[: self.index + 1]]

    @cached_property
    def half_read(self) -> dict[int, Reading]:
        """What the cursors were reading before the step, as far as the transcript of the first driver tells."""
        return self.half_read_before(self.index)

    def half_read_before(self, index: int) -> dict[int, Reading]:
        """What the cursors were reading before another step."""
        return half_read(self.program, self.expected_transcript, index)

    @cached_property
    def ever_half_read(self) -> list[Reading]:
        """What was half read when another step than a fetch ran, this one among them."""
        found: list[Reading] = []
        for index in range(self.index + 1):
            if index == len(self.program.steps) or not isinstance(self.program.steps[index], FETCHES):
                found += self.half_read_before(index).values()
        return found


@dataclass(frozen=True)
class Difference:
    """A known difference between two drivers."""

    name: str
    whose: Literal["engine", "sqlite3", "driver"]
    """Whose doing it is: the engine's, a fault of CPython's module or of the SQLite in it, or a decision of this
    driver."""
    reason: str
    explains: Callable[[Case], bool]
    reproduction: str
    """The name of the test that shows it apart from the other programs: one on the engine alone, in Rust, if the engine does
    it."""
    example: Program
    fields: frozenset[str] | None = None
    """What differs, if that is all, and the rest of the program can be compared. Without it the comparison ends there."""


@dataclass
class Tally:
    """How often each known difference explained something."""

    counts: Counter[str] = field(default_factory=Counter)
    programs: int = 0
    compared_to_the_end: int = 0

    def add(self, other: Tally) -> None:
        """Adds what another process counted."""
        self.counts += other.counts
        self.programs += other.programs
        self.compared_to_the_end += other.compared_to_the_end


def compare(
    program: Program, expected: Transcript, seen: Transcript, differences: Sequence[Difference], tally: Tally
) -> Case | None:
    """Compares two transcripts. Gives the first case that no known difference explains."""
    tally.programs += 1
    forgiven: set[tuple[tuple[str, int], str]] = set()
    for index in range(len(program.steps) + 1):
        all_changes = changes_behind(index, expected, seen)
        forgiven &= {(change.where, change.name) for change in all_changes}
        changes = [change for change in all_changes if (change.where, change.name) not in forgiven]
        if not changes:
            continue
        case = Case(program, index, changes, expected, seen)
        difference = next((known for known in differences if explained(case, known)), None)
        if difference is None:
            return case
        tally.counts[difference.name] += 1
        if difference.fields is None:
            return None
        forgiven |= {(change.where, change.name) for change in changes if change.name != "outcome"}
    tally.compared_to_the_end += 1
    return None


def explained(case: Case, difference: Difference) -> bool:
    # Nothing explains a panic.
    if "panicked" in case.seen.message:
        return False
    return (difference.fields is None or case.fields <= difference.fields) and difference.explains(case)


def changes_behind(index: int, expected: Transcript, seen: Transcript) -> list[Change]:
    if index == len(expected.observations):
        return changes_between(("content", 0), expected.content, seen.content)
    one, other = expected.observations[index], seen.observations[index]
    changes = []
    if one.outcome != other.outcome:
        changes.append(Change(("outcome", 0), "outcome", one.outcome, other.outcome))
    for kind in ("connections", "cursors"):
        ours, theirs = getattr(one, kind), getattr(other, kind)
        for number in sorted(ours.keys() | theirs.keys()):
            changes += changes_between((kind, number), ours.get(number, {}), theirs.get(number, {}))
    return changes


def changes_between(where: tuple[str, int], expected: dict[str, Any], seen: dict[str, Any]) -> list[Change]:
    return [
        Change(where, name, expected.get(name, "missing"), seen.get(name, "missing"))
        for name in sorted(expected.keys() | seen.keys())
        if expected.get(name, "missing") != seen.get(name, "missing")
    ]


def report(case: Case, names: tuple[str, str]) -> str:
    """What a reader needs to see the difference: the program up to the step, and what was seen."""
    width = max(map(len, names))
    program = Program(case.program.options, case.program.steps[: case.index + 1])
    lines = [
        "this program gives different results:",
        "",
        *("    " + line for line in program.source().splitlines()),
        "",
    ]
    for change in case.changes:
        kind, number = change.where
        lines.append(
            change.name
            if kind == "outcome"
            else f"content of {change.name}"
            if kind == "content"
            else f"{kind[:-1]}{number}.{change.name}"
        )
        lines.append(f"    {names[0]:{width}}  {change.expected}")
        lines.append(f"    {names[1]:{width}}  {change.seen}")
    return "\n".join(lines)
