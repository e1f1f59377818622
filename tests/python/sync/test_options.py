"""Each parameter of `connect_sync` does what it says, in both colours."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import pytest
from replicas import Replicas, asynchronous, blocking, package
from servers import TestServer

PUBLISHED = [
    "path",
    "remote_url",
    "auth_token",
    "client_name",
    "long_poll_timeout_ms",
    "bootstrap_if_empty",
    "partial_sync_experimental",
    "experimental_features",
    "isolation_level",
    "remote_encryption_key",
    "remote_encryption_cipher",
    "push_operations_threshold",
    "pull_bytes_threshold",
    "logical_mvcc_pull",
]
"""The parameters of the published driver (pyturso 0.8.3)."""


def test_both_colours_have_the_parameters_of_the_published_driver_and_the_same() -> None:
    """Bug: the asyncio side of the published driver lacks two."""
    signatures = [inspect.signature(module.connect_sync) for module in (blocking, asynchronous)]
    first, second = ([(p.name, p.kind, p.default) for p in one.parameters.values()] for one in signatures)
    assert first == [parameter for parameter in second if parameter[0] != "iter_chunk_size"]
    names = list(signatures[0].parameters)
    assert sorted(names[: len(PUBLISHED)]) == sorted(PUBLISHED)
    more = ["connect_timeout", "read_timeout", "timeout", "cached_statements", "autocommit", "row_factory"]
    assert names[len(PUBLISHED) :] == more
    assert blocking.connect is blocking.connect_sync
    assert asynchronous.connect is asynchronous.connect_sync


@pytest.mark.parametrize("module", [blocking, asynchronous])
def test_each_parameter_is_explained_where_help_shows_it(module: Any) -> None:
    """Bug: those that only Python has were named nowhere but in the signature."""
    help_text = inspect.getdoc(module.connect_sync) or ""
    for name in inspect.signature(module.connect_sync).parameters:
        assert name == "path" or f"\n`{name}`: " in help_text, name


def test_the_asyncio_class_has_all_members_of_the_blocking_one() -> None:
    """Bug: the published asyncio `ConnectionSync` is the blocking class, or lacks what that has."""
    members = {name for name in dir(blocking.ConnectionSync) if not name.startswith("_")}
    assert members >= {"pull", "push", "checkpoint", "stats", "conflicts", "resolve", "execute", "close"}
    assert members <= set(dir(asynchronous.ConnectionSync))
    assert asynchronous.ConnectionSync is not blocking.ConnectionSync
    assert issubclass(asynchronous.ConnectionSync, package.aio.Connection)
    assert inspect.iscoroutinefunction(asynchronous.connect_sync) is False


async def test_the_server_is_told_the_name_of_the_client(test_server: TestServer, replicas: Replicas) -> None:
    async with replicas.open("a", test_server, client_name="the-test/1.0") as replica:
        await replica.run("CREATE TABLE t (a)")
        await replica.push()
    assert {request["headers"]["user-agent"] for request in test_server.requests()} == {"the-test/1.0"}
    [(client,)] = test_server.rows("SELECT client_id FROM turso_sync_last_change_id")
    assert str(client).startswith("the-test/1.0")


@pytest.mark.parametrize(
    ("options", "level", "is_open"),
    [
        ({}, "DEFERRED", True),
        ({"isolation_level": "IMMEDIATE"}, "IMMEDIATE", True),
        ({"isolation_level": None}, None, False),
        ({"autocommit": True}, "DEFERRED", False),
        ({"autocommit": False}, "DEFERRED", True),
    ],
)
async def test_transactions_begin_as_the_options_say(
    test_server: TestServer, replicas: Replicas, options: dict[str, Any], level: str | None, is_open: bool
) -> None:
    test_server.run("CREATE TABLE t (a)")
    async with replicas.open("a", test_server, **options, cached_statements=0) as replica:
        await replica.rows("INSERT INTO t VALUES (1)")
        assert replica.connection.isolation_level == level
        assert replica.connection.in_transaction is is_open
        if options.get("isolation_level", "") is not None and options.get("autocommit") is not True:
            await replica.commit()
        await replica.push()
    assert test_server.rows("SELECT a FROM t") == [(1,)]


async def test_experimental_features_are_those_of_the_engine(test_server: TestServer, replicas: Replicas) -> None:
    table = "CREATE TABLE g (a, b GENERATED ALWAYS AS (a || 'x'))"
    async with replicas.open("a", test_server) as replica:
        with pytest.raises(package.OperationalError, match=r"generated"):
            await replica.run(table)
    async with replicas.open("b", test_server, experimental_features="generated_columns") as replica:
        await replica.run(table, "INSERT INTO g (a) VALUES ('a')")
        assert await replica.rows("SELECT b FROM g") == [("ax",)]


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the engine fetches pages as they are read on Linux alone"
)
@pytest.mark.parametrize("strategy", ["prefix", "query"])
@pytest.mark.parametrize("prefetch", [None, True])
async def test_a_part_of_the_database_is_fetched_first(
    test_server: TestServer, replicas: Replicas, strategy: str, prefetch: bool | None
) -> None:
    test_server.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
        " INSERT INTO t SELECT i, printf('%0500d', i) FROM n",
    )
    bootstrap = (
        blocking.PartialSyncPrefixBootstrap(length=128 * 1024)
        if strategy == "prefix"
        else blocking.PartialSyncQueryBootstrap(query="SELECT * FROM t WHERE id < 10")
    )
    options = blocking.PartialSyncOpts(bootstrap_strategy=bootstrap, segment_size=16 * 1024, prefetch=prefetch)
    async with replicas.open("a", test_server, partial_sync_experimental=options) as replica:
        fetched = (await replica.stats()).network_received_bytes
        assert await replica.rows("SELECT v FROM t WHERE id = 1999") == [(f"{1999:0500}",)]
        if strategy == "prefix":
            some = (await replica.stats()).network_received_bytes
            assert fetched < some < 1_000_000, "a segment, and not all"
        assert await replica.rows("SELECT count(*), sum(id) FROM t") == [(2000, 2001000)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"connect_timeout": 0}, "connect_timeout"),
        ({"read_timeout": -1.0}, "read_timeout"),
        ({"remote_encryption_key": "a2V5"}, "remote_encryption_cipher"),
        ({"remote_encryption_cipher": "rot13"}, "aes256gcm"),
    ],
)
async def test_what_can_not_be_is_refused_with_the_cure(
    replicas: Replicas, options: dict[str, Any], words: str
) -> None:
    with pytest.raises((package.ProgrammingError, ValueError), match=words):
        await replicas.connect("a", "http://127.0.0.1:9", **options)
