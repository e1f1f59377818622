"""Servers and replicas for the tests of sync."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from replicas import COLOURS, Replicas
from servers import RealServer, Server, TestServer, program_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "colour" in metafunc.fixturenames:
        metafunc.parametrize("colour", COLOURS)
    if "server" in metafunc.fixturenames:
        metafunc.parametrize("server", ["tursodb", "ours"], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A blocking replica blocks whatever loop it is in: one is enough."""
    twice = [item for item in items if isinstance(item, pytest.Function) and _is_blocking_on_another_loop(item)]
    items[:] = [item for item in items if item not in twice]
    config.hook.pytest_deselected(items=twice)


def _is_blocking_on_another_loop(item: pytest.Function) -> bool:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return parameters.get("colour") == "blocking" and parameters.get("event_loop_name") == "uvloop"


def _start(kind: type[Server], variable: str, folder: Path) -> Iterator[Server]:
    program = program_of(variable)
    if program is None:
        pytest.skip(f"{variable} names no server: `cargo xtask test pytest` sets it")
    folder = folder / "server"
    folder.mkdir()
    server = kind(program, folder / "remote.db")
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Each of the two in turn."""
    if request.param == "tursodb":
        yield from _start(RealServer, "TURSODB", tmp_path)
    else:
        yield from _start(TestServer, "SYNC_TEST_SERVER", tmp_path)


@pytest.fixture
def test_server(tmp_path: Path) -> Iterator[Server]:
    """The one that fails on command."""
    yield from _start(TestServer, "SYNC_TEST_SERVER", tmp_path)


@pytest.fixture
def replicas(tmp_path: Path, colour: str) -> Replicas:
    """Opens replicas of the colour that the test is run with."""
    return Replicas(str(tmp_path), colour)
