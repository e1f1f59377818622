"""What two drivers showed of one program, step by step, until they differ in a way that nobody has explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from players import Observation, Transcript
from programs import Program, Step


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
        return self.expected_transcript.observations[self.index]

    @property
    def seen(self) -> Observation:
        return self.seen_transcript.observations[self.index]

    @cached_property
    def fields(self) -> set[str]:
        return {change.name for change in self.changes}

    @property
    def sql(self) -> str:
        """The step's SQL, in capitals; empty for a step without."""
        sql = getattr(self.step, "sql", getattr(self.step, "script", ""))
        return sql.upper() if isinstance(sql, str) else ""

    @property
    def sql_before(self) -> list[str]:
        """The SQL of the steps up to this one, in capitals."""
        steps = self.program.steps[: self.index + 1]
        texts = [getattr(step, "sql", getattr(step, "script", "")) for step in steps]
        return [text.upper() for text in texts if isinstance(text, str)]

    def was_in_transaction(self) -> bool:
        """Whether any connection had a transaction open before the step."""
        if self.index == 0:
            return False
        before = self.expected_transcript.observations[self.index - 1]
        return any(state["in_transaction"] is True for state in before.connections.values())


@dataclass(frozen=True)
class Difference:
    """A known difference between two drivers."""

    name: str
    whose: Literal["engine", "sqlite3", "driver"]
    """Whose doing it is: the engine's, a fault of CPython's module, or a decision of this driver."""
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
    return (difference.fields is None or case.fields <= difference.fields) and difference.explains(case)


def changes_behind(index: int, expected: Transcript, seen: Transcript) -> list[Change]:
    if index == len(expected.observations):
        if expected.content == seen.content:
            return []
        return [Change(("content", 0), "content", expected.content, seen.content)]
    one, other = expected.observations[index], seen.observations[index]
    changes = []
    if one.outcome != other.outcome:
        changes.append(Change(("outcome", 0), "outcome", one.outcome, other.outcome))
    for kind in ("connections", "cursors"):
        ours, theirs = getattr(one, kind), getattr(other, kind)
        for number in sorted(ours.keys() | theirs.keys()):
            state, other_state = ours.get(number, {}), theirs.get(number, {})
            changes += [
                Change((kind, number), name, state.get(name, "missing"), other_state.get(name, "missing"))
                for name in sorted(state.keys() | other_state.keys())
                if state.get(name, "missing") != other_state.get(name, "missing")
            ]
    return changes


def report(case: Case, names: tuple[str, str]) -> str:
    """What a reader needs to see the difference: the program up to the step, and what was seen."""
    width = max(map(len, names))
    program = Program(case.program.options, case.program.steps[: case.index + 1])
    lines = ["this program gives different results:", "", *("    " + line for line in program.source().splitlines()), ""]
    for change in case.changes:
        kind, number = change.where
        lines.append(change.name if kind in ("outcome", "content") else f"{kind[:-1]}{number}.{change.name}")
        lines.append(f"    {names[0]:{width}}  {change.expected}")
        lines.append(f"    {names[1]:{width}}  {change.seen}")
    return "\n".join(lines)
