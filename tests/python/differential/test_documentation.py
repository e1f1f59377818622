"""The docs list the differences that the tests know, and each is shown by a test of its own."""

from __future__ import annotations

import re

import pytest
from differences import FROM_BLOCKING, FROM_SQLITE3
from table import DOCUMENT, ROOT, with_table


def test_the_docs_have_the_table() -> None:
    if not DOCUMENT.is_file():
        pytest.skip("the docs are not beside the tests")
    document = DOCUMENT.read_text("utf-8")
    assert document == with_table(document), "run tests/python/differential/table.py"


def test_each_difference_is_shown_by_a_test() -> None:
    """A difference of the engine is shown on the engine alone, in Rust."""
    in_rust = ROOT / "driver" / "src" / "tests" / "engine.rs"
    if not in_rust.is_file():
        pytest.skip("the driver is not beside the tests")
    here = (ROOT / "tests" / "python" / "differential" / "test_reproductions.py").read_text("utf-8")
    tests = {
        "engine": set(re.findall(r"^fn (\w+)\(\)", in_rust.read_text("utf-8"), re.MULTILINE)),
        "other": set(re.findall(r"^def (test_\w+)\(", here, re.MULTILINE)),
    }
    for known in FROM_SQLITE3 + FROM_BLOCKING:
        assert known.reproduction in tests["engine" if known.whose == "engine" else "other"], known.name
    names = [known.name for known in FROM_SQLITE3 + FROM_BLOCKING]
    assert len(names) == len(set(names))
