"""The tests that aiosqlite ships with itself, run on this driver in its place.

What they ask for and the engine cannot do is listed with the reason, and so is what differs on purpose; a reason that no
longer holds fails the test.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from types import SimpleNamespace

import aioturso
import pytest
from aiosqlite.tests import smoke

NO_CALLBACKS = "the engine calls no functions, handlers or tracers of the caller yet"
NO_BACKUP = "the engine has no online backup yet"
INTERNALS = "looks at attributes of aiosqlite that are not public"

DIFFERENT = {
    "test_set_progress_handler": NO_CALLBACKS,
    "test_create_function": NO_CALLBACKS,
    "test_create_function_deterministic": NO_CALLBACKS,
    "test_set_trace_callback": NO_CALLBACKS,
    "test_set_authorizer_deny_drops": NO_CALLBACKS,
    "test_enable_load_extension": "the engine loads no extensions of SQLite",
    "test_iterdump": "the dump is a list to be awaited, not an asynchronous iterator",
    "test_backup_aiosqlite": NO_BACKUP,
    "test_backup_sqlite": NO_BACKUP,
    "test_set_authorizer_exception_propagation": NO_CALLBACKS,
    "test_connection_locations": "a path is a text or an os.PathLike; aiosqlite takes any object and calls str() on it",
    "test_cursor_on_closed_connection": "the words differ: a cursor, too, says `no active connection`",
    "test_connect_base_exception": INTERNALS,
    "test_close_blocking_until_transaction_queue_empty": INTERNALS,
}


@pytest.fixture(autouse=True)
def in_place_of_aiosqlite(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The module under test takes the place of the one that the tests were written for, its exceptions included."""
    errors = {name: getattr(aioturso, name) for name in ("DatabaseError", "OperationalError", "ProgrammingError")}
    monkeypatch.setattr(smoke, "aiosqlite", aioturso)
    monkeypatch.setattr(smoke, "OperationalError", aioturso.OperationalError)
    monkeypatch.setattr(smoke, "sqlite3", SimpleNamespace(**{**vars(sqlite3), **errors}))
    yield


class TestAiosqlite(smoke.SmokeTest):
    """Its own class, so that the tests are collected here, under their own names."""


for _name, _reason in DIFFERENT.items():
    _test = getattr(smoke.SmokeTest, _name)
    setattr(TestAiosqlite, _name, pytest.mark.xfail(reason=_reason, strict=True)(_test))
