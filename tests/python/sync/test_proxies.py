"""Requests go through the proxy that the environment names for them, and through no other, and can be given up there too."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from proxies import Proxy
from replicas import Replicas, package
from servers import TestServer, free_port
from test_secrets import find_in_files, told
from test_waiting import HOUR, INTERRUPTED

KINDS = {"CONNECT": "http", "SOCKS4": "socks4a", "SOCKS5": "socks5h"}
"""What a proxy calls the way of asking it, and the scheme of its URL."""

VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]

Through = Callable[..., Proxy]


@pytest.fixture(autouse=True)
def no_other_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch, nothing_is_left_behind: None) -> Iterator[Through]:
    """Starts a proxy, and has a variable of the environment name it."""
    proxies: list[Proxy] = []

    def start(variable: str, scheme: str = "http", *, user: str = "", **options: Any) -> Proxy:
        proxies.append(Proxy(**options))
        monkeypatch.setenv(variable, f"{scheme}://{user}127.0.0.1:{proxies[-1].port}")
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.close()


@pytest.fixture
def filled(test_server: TestServer) -> TestServer:
    test_server.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 'one'), (2, 'two')")
    return test_server


@pytest.mark.parametrize("kind", KINDS)
async def test_a_replica_works_through_a_proxy(
    filled: TestServer, replicas: Replicas, through: Through, kind: str
) -> None:
    """Bug: it is passed by, and the request fails where nothing else leads out."""
    proxy = through("HTTP_PROXY", KINDS[kind])
    # The proxy looks the name up.
    async with replicas.open("a", f"http://localhost:{filled.port}", auth_token="token") as replica:
        await replica.run("INSERT INTO t VALUES (3, 'three')")
        await replica.push()
        filled.run("INSERT INTO t VALUES (4, 'four')")
        assert await replica.pull() is True
        assert await replica.rows("SELECT count(*) FROM t") == [(4,)]
    assert set(proxy.targets) == {f"{kind} localhost:{filled.port}"}
    assert proxy.heard.count(b"POST /") == filled.counters()["pull"] + filled.counters()["push"], "all of them"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("url", ["https://db.example", "libsql://db.example"])
async def test_a_secret_passes_a_proxy_in_a_tunnel(replicas: Replicas, through: Through, kind: str, url: str) -> None:
    """Bug: a proxy on the way to an `https` server reads what is sent, and the token with it."""
    proxy = through("HTTPS_PROXY", KINDS[kind], tunnels=False)
    with pytest.raises(package.OperationalError, match=r"https://db\.example .*the proxy that HTTPS_PROXY names"):
        await replicas.connect("a", url, auth_token="SECRET-TOKEN")
    assert proxy.targets == [f"{kind} db.example:443"]
    assert b"\x16\x03\x01" in proxy.heard, "the beginning of TLS"
    assert b"SECRET-TOKEN" not in proxy.heard


async def test_the_scheme_of_the_server_decides_which_proxy_counts(
    filled: TestServer, replicas: Replicas, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bug: the proxy for `https`, or for all, was taken for an `http` server that has one of its own, or none."""
    other = through("HTTPS_PROXY")
    async with replicas.open("a", filled) as replica:
        assert await replica.pull() is False
    all_others = through("ALL_PROXY")
    own = through("HTTP_PROXY")
    async with replicas.open("a", filled) as replica:
        assert await replica.pull() is False
    assert (other.targets, all_others.targets, len(own.targets)) == ([], [], 1)
    monkeypatch.delenv("HTTP_PROXY")
    async with replicas.open("a", filled) as replica:
        assert await replica.pull() is False
    assert (other.targets, len(all_others.targets)) == ([], 1)


@pytest.mark.parametrize("exempt", ["*", "other.example, 127.0.0.1", "127.0.0.1:{port}"])
async def test_a_server_that_needs_no_proxy_is_reached_past_it(
    filled: TestServer, replicas: Replicas, through: Through, monkeypatch: pytest.MonkeyPatch, exempt: str
) -> None:
    """Bug: an entry behind a space, or with a port, was not heeded."""
    proxy = through("ALL_PROXY")
    monkeypatch.setenv("NO_PROXY", exempt.format(port=filled.port))
    async with replicas.open("a", filled) as replica:
        assert await replica.pull() is False
    assert proxy.targets == []


@pytest.mark.parametrize("kind", ["CONNECT", "SOCKS5"])
async def test_the_password_of_a_proxy_is_told_to_it_alone(
    filled: TestServer, replicas: Replicas, through: Through, kind: str, tmp_path: Path
) -> None:
    proxy = through("HTTP_PROXY", KINDS[kind], user="user:SECRET-PASSWORD@", password="SECRET-PASSWORD")
    async with replicas.open("a", filled) as replica:
        assert await replica.pull() is False
    assert len(proxy.targets) == 1
    through("HTTP_PROXY", KINDS[kind], user="user:SECRET-WRONG@", password="SECRET-PASSWORD")
    with pytest.raises(package.OperationalError, match=r"the proxy that HTTP_PROXY names") as failed:
        await replicas.connect("b", filled)
    assert "SECRET" not in told(failed.value)
    assert all("SECRET" not in str(request) for request in filled.requests())
    assert find_in_files(b"SECRET", tmp_path) == []


async def test_a_proxy_that_is_not_there_or_not_one_is_told_from_the_server(
    filled: TestServer, replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bugs: the server is said to be down; a value that can't be read is passed over, and the request goes out past it."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(package.OperationalError, match=r"HTTP_PROXY names: the proxy refuses the connection.*NO_PROXY"):
        await replicas.connect("a", filled)
    monkeypatch.setenv("HTTP_PROXY", "ftp://user:SECRET@127.0.0.1")
    with pytest.raises(package.ProgrammingError, match=r"HTTP_PROXY.*names no proxy") as failed:
        await replicas.connect("a", filled)
    assert "SECRET" not in told(failed.value)
    assert filled.counters()["pull"] == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_what_waits_behind_a_proxy_is_given_up_when_it_is_cancelled(
    filled: TestServer, tmp_path: Path, through: Through, kind: str
) -> None:
    """Bug: an opening through a SOCKS proxy held the database until the server had been silent for `read_timeout`."""
    through("HTTP_PROXY", KINDS[kind])
    replicas = Replicas(str(tmp_path), "asyncio")
    filled.fail("delay", "pull", milliseconds=HOUR)
    opening = asyncio.ensure_future(replicas.connect("a", filled, read_timeout=None))
    while filled.counters()["faults"] != 1:
        await asyncio.sleep(0.002)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    async with replicas.open("a", filled, long_poll_timeout_ms=HOUR, read_timeout=None) as replica:
        pull = asyncio.ensure_future(replica.pull())
        while filled.counters()["waiting"] != 1:
            await asyncio.sleep(0.002)
        pull.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pull
        while filled.counters()["waiting"] != 0:
            await asyncio.sleep(0.002)
        assert await replica.rows("SELECT count(*) FROM t") == [(2,)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_ends_what_waits_behind_a_proxy(filled: TestServer, path: str, through: Through, kind: str) -> None:
    """Bug: Ctrl-C was seen when the server had answered through a SOCKS proxy, and not before."""
    through("HTTP_PROXY", KINDS[kind])
    command = [sys.executable, "-c", INTERRUPTED, "pull", path, filled.url]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        while filled.counters()["waiting"] != 1:
            assert child.poll() is None
            time.sleep(0.002)
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=60)[0] == "KeyboardInterrupt\n[(2,)]\n"
    finally:
        child.kill()
        child.wait()
