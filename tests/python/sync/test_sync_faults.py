"""What the network and the server do wrong ends in an error that says so, and leaves the database as it was."""

from __future__ import annotations

from typing import Any

import pytest
from replicas import Replica, Replicas, package
from servers import TestServer, free_port

OPERATIONAL: type[Exception] = package.OperationalError

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "500": ({"kind": "status", "status": 500, "body": "the disk is full, says the server"}, "500.*the disk is full"),
    "503": ({"kind": "status", "status": 503, "body": "come back later"}, "503.*come back later"),
    "401": ({"kind": "status", "status": 401, "body": "who are you"}, "401.*who are you"),
    "404": ({"kind": "status", "status": 404, "body": "no such database"}, "404.*no such database"),
    "204": ({"kind": "status", "status": 204}, "204"),
    "words that are not UTF-8": ({"kind": "status", "status": 500, "body": "\x00\ud7ff"}, "500"),
    "rubbish": ({"kind": "rubbish"}, r"\w"),
    "truncated in the header": ({"kind": "truncate", "bytes": 2}, r"\w"),
    "truncated in a page": ({"kind": "truncate", "bytes": 6000}, r"\w"),
    "cut in the header": ({"kind": "cut", "bytes": 2}, r"\w"),
    "cut in a page": ({"kind": "cut", "bytes": 6000}, r"\w"),
    "closed before": ({"kind": "drop"}, r"\w"),
    "closed after": ({"kind": "drop_answer"}, r"\w"),
    "sent round in circles": ({"kind": "redirect", "location": "/pull-updates", "times": None}, "(?i)redirect"),
    "nothing at all": ({"kind": "truncate", "bytes": 0}, r"\w"),
}
"""How an answer goes wrong, and what the error must say of it."""


SILENCES: list[dict[str, Any]] = [
    {"kind": "delay", "milliseconds": 60_000},
    {"kind": "stall", "bytes": 3, "milliseconds": 60_000},
]
"""How a server falls silent for a minute."""


def fill(server: TestServer) -> None:
    server.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
        " INSERT INTO t SELECT i, printf('%0100d', i) FROM n",
    )


async def assert_untouched(replica: Replica, rows: int) -> None:
    assert await replica.rows("SELECT count(*), max(id) FROM t") == [(rows, rows)]
    assert await replica.is_sound()


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_pull_that_goes_wrong(test_server: TestServer, replicas: Replicas, broken: str) -> None:
    fault, words = BROKEN[broken]
    fill(test_server)
    async with replicas.open("a", test_server) as replica:
        await replica.run("INSERT INTO t VALUES (301, 'own')")
        test_server.run("UPDATE t SET v = 'changed by the server'")
        test_server.fail(endpoint="pull", **fault)
        before = await replica.stats()
        with pytest.raises(OPERATIONAL, match=words):
            await replica.pull()
        test_server.be_well()
        await assert_untouched(replica, 301)
        assert await replica.rows("SELECT count(*) FROM t WHERE v LIKE 'changed%'") == [(0,)]
        assert (await replica.stats()).revision == before.revision
        assert await replica.pull() is True
        await assert_untouched(replica, 301)
        assert await replica.rows("SELECT count(*) FROM t WHERE v LIKE 'changed%'") == [(300,)]
        await replica.push()
        assert test_server.rows("SELECT count(*) FROM t") == [(301,)]


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("broken", BROKEN)
async def test_a_push_that_goes_wrong(test_server: TestServer, replicas: Replicas, broken: str, skip: int) -> None:
    """Its first request asks what the server has; its second brings the changes."""
    fault, words = BROKEN[broken]
    if fault["kind"] == "redirect":
        fault = {**fault, "location": "/v2/pipeline"}
    if "bytes" in fault:
        fault = {**fault, "bytes": min(fault["bytes"], 20)}
    fill(test_server)
    async with replicas.open("a", test_server) as replica:
        await replica.run(
            "INSERT INTO t VALUES (301, 'own')", "CREATE TABLE log (x)", "INSERT INTO log VALUES ('once')"
        )
        test_server.fail(endpoint="push", skip=skip, **fault)
        with pytest.raises(OPERATIONAL, match=words):
            await replica.push()
        test_server.be_well()
        await assert_untouched(replica, 301)
        # A pull in between finds its own changes on the server, or not, as the fault had it.
        await replica.pull()
        await assert_untouched(replica, 301)
        await replica.push()
        await replica.pull()
        assert test_server.rows("SELECT count(*) FROM t") == [(301,)]
        assert test_server.rows("SELECT x FROM log") == [("once",)]
        assert await replica.rows("SELECT x FROM log") == [("once",)]
        await assert_untouched(replica, 301)
        assert (await replica.stats()).cdc_operations == 0


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_bootstrap_that_goes_wrong_leaves_nothing_in_the_way(
    test_server: TestServer, replicas: Replicas, broken: str
) -> None:
    fault, words = BROKEN[broken]
    fill(test_server)
    test_server.fail(endpoint="pull", **fault)
    with pytest.raises(OPERATIONAL, match=words):
        await replicas.connect("a", test_server)
    test_server.be_well()
    async with replicas.open("a", test_server) as replica:
        await assert_untouched(replica, 300)


async def test_a_server_that_is_not_there(replicas: Replicas) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(OPERATIONAL, match=r"(?i)refused"):
        await replicas.connect("a", nobody)
    async with replicas.open("b", nobody, bootstrap_if_empty=False) as replica:
        await replica.run("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
        for call in (replica.pull, replica.push):
            with pytest.raises(OPERATIONAL, match=r"(?i)refused"):
                await call()
        await assert_untouched(replica, 1)


async def test_a_server_without_tls(test_server: TestServer, replicas: Replicas) -> None:
    """Bug: the error speaks of a corrupt message, and of trying again."""
    with pytest.raises(OPERATIONAL, match=r"no TLS with it .* write http:// if it has none"):
        await replicas.connect("a", f"https://localhost:{test_server.port}")


async def test_a_server_that_is_silent_for_too_long(test_server: TestServer, replicas: Replicas) -> None:
    fill(test_server)
    async with replicas.open("a", test_server, read_timeout=0.2) as replica:
        await replica.run("INSERT INTO t VALUES (301, 'own')")
        for fault in SILENCES:
            test_server.fail(**fault)
            with pytest.raises(OPERATIONAL, match=r"(?i)time"):
                await replica.pull()
            test_server.fail(**fault)
            with pytest.raises(OPERATIONAL, match=r"(?i)time"):
                await replica.push()
            await assert_untouched(replica, 301)
        await replica.push()
        assert test_server.rows("SELECT count(*) FROM t") == [(301,)]


async def test_a_long_poll_is_no_silence(test_server: TestServer, replicas: Replicas) -> None:
    fill(test_server)
    async with replicas.open("a", test_server, read_timeout=0.2, long_poll_timeout_ms=600) as replica:
        assert await replica.pull() is False


async def test_a_server_that_gives_out_a_wrong_revision(test_server: TestServer, replicas: Replicas) -> None:
    fill(test_server)
    async with replicas.open("a", test_server) as replica:
        test_server.run("INSERT INTO t VALUES (301, 'of the server')")
        test_server.fail("revision", "pull", revision="of-another-database")
        assert await replica.pull() is True
        # The server is asked for what came after it, and knows no such thing.
        with pytest.raises(OPERATIONAL, match=r'400.*there is no revision "of-another-database" here'):
            await replica.pull()
        await assert_untouched(replica, 301)
        await replica.run("INSERT INTO t VALUES (302, 'own')")
        await replica.push()
        assert test_server.rows("SELECT count(*) FROM t") == [(302,)]


async def test_a_redirect_is_followed_with_the_token(test_server: TestServer, replicas: Replicas) -> None:
    fill(test_server)
    test_server.require("token-of-the-test")
    async with replicas.open("a", test_server, auth_token="token-of-the-test") as replica:
        await replica.run("INSERT INTO t VALUES (301, 'own')")
        for status in (307, 308):
            test_server.fail("redirect", "pull", location=f"{test_server.url}/elsewhere/pull-updates", status=status)
            await replica.pull()
            test_server.fail("redirect", "push", location="/elsewhere/v2/pipeline", status=status)
            await replica.push()
        assert test_server.counters()["faults"] == 4
        assert test_server.counters()["refused"] == 0
        await assert_untouched(replica, 301)


async def test_a_token_that_is_refused_and_one_that_is_not(test_server: TestServer, replicas: Replicas) -> None:
    fill(test_server)
    test_server.require("right-token")
    for token in (None, "wrong-token"):
        with pytest.raises(OPERATIONAL, match=r"401.*the token is missing or wrong"):
            await replicas.connect("a", test_server, auth_token=token)
    async with replicas.open("a", test_server, auth_token="right-token") as replica:
        await replica.run("INSERT INTO t VALUES (301, 'own')")
        test_server.require("another")
        for call in (replica.pull, replica.push):
            with pytest.raises(OPERATIONAL, match=r"401.*the token is missing or wrong"):
                await call()
        await assert_untouched(replica, 301)
        test_server.require("right-token")
        await replica.push()


async def test_a_token_and_a_url_are_asked_for_with_each_request(test_server: TestServer, replicas: Replicas) -> None:
    fill(test_server)
    test_server.require("first")
    tokens, urls = ["first"], [test_server.url]
    async with replicas.open("a", lambda: urls[-1], auth_token=lambda: tokens[-1]) as replica:
        test_server.require("second")
        with pytest.raises(OPERATIONAL, match=r"401"):
            await replica.pull()
        tokens.append("second")
        assert await replica.pull() is False
        urls.append(f"http://127.0.0.1:{free_port()}")
        with pytest.raises(OPERATIONAL, match=r"(?i)refused"):
            await replica.pull()
        urls.append(test_server.url)
        assert await replica.pull() is False


class TokenStoreIsClosed(Exception):
    """What a function that is asked for a token may raise."""


async def test_what_a_token_function_raises_reaches_the_caller(test_server: TestServer, replicas: Replicas) -> None:
    fill(test_server)
    fails = False

    def token() -> str:
        if fails:
            raise TokenStoreIsClosed("ask again tomorrow")
        return "any"

    async with replicas.open("a", test_server, auth_token=token) as replica:
        await replica.run("INSERT INTO t VALUES (301, 'own')")
        fails = True
        for call in (replica.pull, replica.push):
            with pytest.raises(TokenStoreIsClosed, match=r"ask again tomorrow"):
                await call()
        await assert_untouched(replica, 301)
        fails = False
        await replica.push()
        assert test_server.rows("SELECT count(*) FROM t") == [(301,)]


@pytest.mark.parametrize("answer", [None, 7, b"bytes"])
async def test_a_token_function_that_gives_no_token(test_server: TestServer, replicas: Replicas, answer: Any) -> None:
    fill(test_server)
    answers: list[Any] = ["any"]
    async with replicas.open("a", test_server, auth_token=lambda: answers[-1]) as replica:
        answers.append(answer)
        requests = test_server.counters()["pull"]
        with pytest.raises((package.Error, TypeError), match=r"(?i)token|str"):
            await replica.pull()
        assert test_server.counters()["pull"] == requests, "no request goes out without the token that was promised"
        await assert_untouched(replica, 300)
