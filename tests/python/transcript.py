"""What a program saw, written down step by step, so that one program on two drivers can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

KNOWN_CLASSES = frozenset(
    {
        # PEP 249.
        "Warning",
        "Error",
        "InterfaceError",
        "DatabaseError",
        "DataError",
        "OperationalError",
        "IntegrityError",
        "InternalError",
        "ProgrammingError",
        "NotSupportedError",
        # Python's own, where the sqlite3 module raises them.
        "IndexError",
        "OverflowError",
        "TypeError",
        "ValueError",
    }
)


class Transcript:
    def __init__(self) -> None:
        self.steps: list[Any] = []

    def note(self, *values: Any) -> None:
        """Writes down what a step gave. Exact types count: True is not 1, and 1 is not 1.0."""
        self.steps.append(tuple(describe(value) for value in values))

    @contextmanager
    def raising(self, what: str) -> Iterator[None]:
        """A step that is to raise: the class of its exception is written down."""
        try:
            yield
        except Exception as error:
            self.steps.append((what, class_of(error)))
        else:
            pytest.fail(f"{what}: nothing was raised")


def describe(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [describe(item) for item in value]
    return type(value).__name__, value


def class_of(error: BaseException) -> str:
    """The first class of an exception that both drivers can name."""
    return next((base.__name__ for base in type(error).__mro__ if base.__name__ in KNOWN_CLASSES), repr(error))
