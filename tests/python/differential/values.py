"""Values that programs bind, the usual ones and those that a driver must refuse, and how they are printed."""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from typing import Any


class Unsupported:
    """Of a type that no driver can bind."""

    def __repr__(self) -> str:
        return "object()"


class IntegerOfMine(int):
    def __repr__(self) -> str:
        return f"IntegerOfMine({int(self)})"


class RealOfMine(float):
    def __repr__(self) -> str:
        return f"RealOfMine({float(self)!r})"


class TextOfMine(str):
    def __repr__(self) -> str:
        return f"TextOfMine({str(self)!r})"


class BytesOfMine(bytes):
    def __repr__(self) -> str:
        return f"BytesOfMine({bytes(self)!r})"


class SequenceOfMine:
    """A sequence by its methods alone."""

    def __init__(self, *items: Any) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, position: int) -> Any:
        return self.items[position]

    def __repr__(self) -> str:
        return f"SequenceOfMine({', '.join(map(source_of, self.items))})"


class SequenceThatBreaks(SequenceOfMine):
    """Its length is more than it has."""

    def __len__(self) -> int:
        return len(self.items) + 1

    def __repr__(self) -> str:
        return f"SequenceThatBreaks({', '.join(map(source_of, self.items))})"


class Defaults(dict[str, Any]):
    """A dictionary that has something for every name."""

    def __missing__(self, name: str) -> str:
        return f"default {name}"

    def __repr__(self) -> str:
        return f"Defaults({dict.__repr__(self)})"


class NotIterable:
    def __repr__(self) -> str:
        return "NotIterable()"


class IteratorOfMine:
    """No sequence: it has neither a length nor items."""

    def __iter__(self) -> Iterator[int]:
        return iter((1, 2))

    def __repr__(self) -> str:
        return "IteratorOfMine()"


USUAL = [None, 0, 1, 2, 3, -1, 1.5, -0.0, "a", "b", "", b"a"]

UNUSUAL = [
    True,
    False,
    2**31,
    2**53 + 1,
    # Not the largest of all: behind a row of that number both engines draw the next at random.
    2**63 - 1000,
    -(2**63),
    0.1,
    1e300,
    5e-324,
    2.0,
    float("inf"),
    float("-inf"),
    float("nan"),
    "A",
    "ü ☂ \U0001f40b",
    "a\0b",
    "it's",
    "1",
    " 1 ",
    "1.0",
    "1e2",
    "0x10",
    "x" * 3000,
    b"",
    b"\x00\xff",
    b"\x80" * 5000,
    bytearray(b"array"),
    memoryview(b"view"),
    memoryview(b"a wider view")[2:7],
    IntegerOfMine(2),
    RealOfMine(2.5),
    TextOfMine("mine"),
    BytesOfMine(b"mine"),
]

REFUSED = [
    2**63,
    -(2**63) - 1,
    2**200,
    "\ud800",
    Unsupported(),
    [1],
    (1,),
    {"a": 1},
    1j,
    decimal.Decimal(1),
    Unsupported,
]


def source_of(value: Any) -> str:
    """A value as Python prints it, also where its own `repr` can't be read back."""
    if isinstance(value, memoryview):
        return f"memoryview({bytes(value)!r})"
    if isinstance(value, float) and type(value) is float and repr(value) in ("inf", "-inf", "nan"):
        return f"float({str(value)!r})"
    if type(value) is tuple:
        return "(" + ", ".join(map(source_of, value)) + ("," if len(value) == 1 else "") + ")"
    if type(value) is list:
        return "[" + ", ".join(map(source_of, value)) + "]"
    if type(value) is dict:
        return "{" + ", ".join(f"{key!r}: {source_of(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (str, bytes)) and len(value) > 200 and len(set(value)) == 1:
        return f"{value[:1]!r} * {len(value)}"
    return repr(value)
