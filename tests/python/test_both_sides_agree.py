"""The asyncio side has every member of the blocking one, with the same parameters and the same words.

The published driver's asyncio Connection lacks four methods and ten properties of its blocking one, its Cursor two methods
and iteration, and `connect` two parameters. Generated, neither may differ; so the sides are compared as a user sees them.
"""

from __future__ import annotations

import inspect
from typing import Any

import aioturso
import aioturso.aio.sync
import aioturso.lib
import aioturso.sync
import pytest

PAIRS = [
    pytest.param(aioturso.Connection, aioturso.lib.Connection, id="Connection"),
    pytest.param(aioturso.Cursor, aioturso.lib.Cursor, id="Cursor"),
    pytest.param(aioturso.aio.sync.ConnectionSync, aioturso.sync.ConnectionSync, id="ConnectionSync"),
]

COUNTERPARTS = {
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
    "__iter__": "__aiter__",
    "__next__": "__anext__",
}


def public_members(cls: type) -> list[str]:
    return [name for name in dir(cls) if not name.startswith("_") or name in COUNTERPARTS]


def parameters(callable_object: Any) -> list[tuple[str, Any, Any]]:
    found = inspect.signature(callable_object).parameters.values()
    return [(parameter.name, parameter.kind, parameter.default) for parameter in found]


@pytest.mark.parametrize(("asynchronous", "blocking"), PAIRS)
def test_no_member_is_missing(asynchronous: type, blocking: type) -> None:
    wanted = {COUNTERPARTS.get(name, name) for name in public_members(blocking)}
    assert wanted - set(dir(asynchronous)) == set()


@pytest.mark.parametrize(("asynchronous", "blocking"), PAIRS)
def test_methods_take_the_same_parameters(asynchronous: type, blocking: type) -> None:
    differing = {}
    for name in public_members(blocking):
        method = getattr(blocking, name)
        if name in COUNTERPARTS or not inspect.isroutine(method):
            continue
        expected, seen = parameters(method), parameters(getattr(asynchronous, name))
        if [parameter for parameter in expected if parameter[0] != "self"] != seen[1:]:
            differing[name] = (expected, seen)
    assert differing == {}


@pytest.mark.parametrize(
    ("asynchronous", "blocking"),
    [
        pytest.param(aioturso.connect, aioturso.lib.connect, id="connect"),
        pytest.param(aioturso.aio.sync.connect_sync, aioturso.sync.connect_sync, id="connect_sync"),
    ],
)
def test_connect_takes_the_same_parameters(asynchronous: Any, blocking: Any) -> None:
    expected, seen = parameters(blocking), parameters(asynchronous)
    aliases_of_aiosqlite = {"iter_chunk_size"}
    assert [parameter for parameter in seen if parameter[0] not in aliases_of_aiosqlite] == expected


def test_sync_is_in_modules_of_its_own() -> None:
    """Bugs of a published driver: its asyncio package hands out the blocking class; `connect_sync` lacks two parameters."""
    assert aioturso.sync.__all__ == aioturso.aio.sync.__all__
    for name in aioturso.sync.__all__:
        assert not hasattr(aioturso, name) or name == "connect"
        assert not hasattr(aioturso.lib, name) or name == "connect"
    assert aioturso.sync.connect is aioturso.sync.connect_sync
    assert aioturso.aio.sync.connect is aioturso.aio.sync.connect_sync
    assert issubclass(aioturso.sync.ConnectionSync, aioturso.lib.Connection)
    assert issubclass(aioturso.aio.sync.ConnectionSync, aioturso.Connection)
    assert aioturso.aio.sync.ConnectionSync is not aioturso.sync.ConnectionSync
    assert aioturso.aio.sync.SyncStats is aioturso.sync.SyncStats
    for cls in (aioturso.sync.ConnectionSync, aioturso.aio.sync.ConnectionSync):
        assert {"pull", "push", "checkpoint", "stats", "conflicts", "resolve"} <= set(vars(cls))


@pytest.mark.parametrize(("asynchronous", "blocking"), PAIRS)
def test_members_are_documented_in_the_same_words(asynchronous: type, blocking: type) -> None:
    """One member's documentation was missing, or another, in 13 of 51 methods of a driver whose twins are kept by hand."""
    differing = {}
    for name in public_members(blocking):
        if name in COUNTERPARTS or isinstance(getattr(blocking, name), type):
            continue
        expected, seen = inspect.getdoc(getattr(blocking, name)), inspect.getdoc(getattr(asynchronous, name))
        if not expected or expected.splitlines()[0] not in (seen or ""):
            differing[name] = (expected, seen)
    assert differing == {}


@pytest.mark.parametrize("connect", [aioturso.connect, aioturso.lib.connect])
def test_options_are_documented_where_they_are_parameters(connect: Any) -> None:
    """In Rust each is a documented field; in Python the function's documentation is the only place for that."""
    documented = inspect.getdoc(connect) or ""
    options = ["timeout", "isolation_level", "cached_statements", "uri", "autocommit", "vfs", "encryption"]
    assert [name for name in options if f"`{name}`: " not in documented] == []


def test_the_package_has_what_the_blocking_module_has() -> None:
    """The classes are the asynchronous ones, everything else is the same object."""
    wrapped = {"Connection", "Cursor", "connect"}
    for name in aioturso.lib.__all__:
        if name not in wrapped and hasattr(aioturso, name):
            assert getattr(aioturso, name) is getattr(aioturso.lib, name), name
    exceptions = [name for name in aioturso.lib.__all__ if name.endswith("Error") or name == "Warning"]
    # It is a `ProgrammingError`, and none of PEP 249's own.
    exceptions.remove("ClosedError")
    assert len(exceptions) == 10
    assert [name for name in exceptions if not hasattr(aioturso, name)] == []
    assert [name for name in exceptions if getattr(aioturso.Connection, name) is not getattr(aioturso, name)] == []
    assert aioturso.Connection is not aioturso.lib.Connection
