"""The lanes of a connection that is synchronised: a pull waits for its server in one of them, for an hour if it is let."""

from __future__ import annotations

import asyncio
import gc
import os
import textwrap
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import aioturso
import pytest
from aioturso.aio import sync
from children import EXIT_SECONDS, Children, finish
from conftest import Note
from remains import HANGING, check_nothing_is_left, holdings
from servers import TestServer, program_of
from workers import WORKERS

HOUR = 3_600_000
"""Milliseconds."""

AT_ONCE = EXIT_SECONDS / 2
"""Seconds from the end of the program to that of the process. A worker that does not end by itself is waited for longer."""

ConnectSync = Callable[..., Any]


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestServer]:
    program = program_of("SYNC_TEST_SERVER")
    if program is None:
        pytest.skip("SYNC_TEST_SERVER names no server: `cargo xtask test python-faults` sets it")
    server = TestServer(program, tmp_path_factory.mktemp("server") / "remote.db")
    server.start()
    server.run("CREATE TABLE t (a INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    yield server
    server.kill()


@pytest.fixture
def connect_sync(worker_name: str, path: str, server: TestServer) -> ConnectSync:
    """Opens a replica with the worker that the test is about, whose pulls wait."""
    return lambda: sync.connect(path, server.url, long_poll_timeout_ms=HOUR, **WORKERS[worker_name])


async def waiting_pull(connection: Any, server: TestServer) -> asyncio.Future[bool]:
    pull: asyncio.Future[bool] = asyncio.ensure_future(connection.pull())
    while server.counters()["waiting"] != 1:
        assert not pull.done(), pull
        await asyncio.sleep(0.002)
    return pull


async def nobody_waits(server: TestServer) -> None:
    """Returns when the server has learnt that the client of a request is gone."""

    async def look() -> None:
        while server.counters()["waiting"] != 0:
            await asyncio.sleep(0.002)

    await asyncio.wait_for(look(), HANGING)


async def test_a_pull_is_cancelled_while_it_waits(connect_sync: ConnectSync, server: TestServer, note: Note) -> None:
    """Bugs: the lane is stuck behind the request; the thread of the request is abandoned; a statement is interrupted in
    its place."""
    async with connect_sync() as connection:
        before = None
        for number in range(20):
            pull = await waiting_pull(connection, server)
            statement = asyncio.ensure_future(
                connection.execute_fetchall("SELECT count(*) FROM generate_series(1, 100000)")
            )
            pull.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(pull, HANGING)
            assert await asyncio.wait_for(statement, HANGING) == [(100000,)]
            await nobody_waits(server)
            if number == 2:
                before = holdings()
        assert before is not None
        note(f"{await check_nothing_is_left(before)}")
        pull = await waiting_pull(connection, server)
        server.run("INSERT INTO t VALUES (2)")
        assert await asyncio.wait_for(pull, HANGING) is True


async def test_closed_while_a_pull_waits(connect_sync: ConnectSync, server: TestServer) -> None:
    """Bugs: close waits for the server; the pull is never answered; a thread stays with the request."""
    await (await connect_sync()).close()
    # What an event loop is told of results by is there once, and until it is closed.
    before = holdings()
    for _ in range(5):
        connection = await connect_sync()
        pull = await waiting_pull(connection, server)
        await asyncio.wait_for(connection.close(), HANGING)
        with pytest.raises((aioturso.Error, asyncio.CancelledError)):
            await asyncio.wait_for(pull, HANGING)
        await nobody_waits(server)
    await check_nothing_is_left(before)


async def test_dropped_while_a_pull_waits(connect_sync: ConnectSync, server: TestServer) -> None:
    """Bugs: no warning; the request, which holds the connection, keeps it and its threads for an hour."""
    await (await connect_sync()).close()
    before = holdings()
    connection = await connect_sync()
    pull = await waiting_pull(connection, server)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        pull.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pull
        del connection, pull
        gc.collect()
    assert [warning.category for warning in warned] == [ResourceWarning]
    await nobody_waits(server)
    await check_nothing_is_left(before)


@pytest.mark.parametrize("answered", [False, True], ids=["silent", "answered"])
def test_the_loop_is_closed_while_a_pull_waits(
    connect_sync: ConnectSync, server: TestServer, run_in_loop: Callable[[Any], None], answered: bool
) -> None:
    """Bugs: the close in another loop waits for an answer that nobody hears, for an hour; the lane dies of an answer that it
    cannot deliver, and the rest never hears of it."""
    kept: list[Any] = []

    async def leave() -> None:
        connection = await connect_sync()
        # No task, which would be cancelled with the loop.
        kept.extend([connection, connection.pull()])
        while server.counters()["waiting"] != 1:
            await asyncio.sleep(0.002)

    run_in_loop(leave())
    if answered:
        server.run("INSERT INTO t VALUES (2)")

    async def go_on() -> None:
        connection = kept[0]
        if answered:
            with pytest.raises(aioturso.ProgrammingError, match="loop was closed"):
                await asyncio.wait_for(until_refused(connection), HANGING)
        else:
            assert await connection.execute_fetchall("SELECT a FROM t") == [(1,)]
        await asyncio.wait_for(connection.close(), HANGING)

    run_in_loop(go_on())
    server.wait_for_waiting(0)


async def until_refused(connection: Any) -> None:
    while True:
        await connection.execute_fetchall("SELECT 1")
        await asyncio.sleep(0.002)


EXITS = {
    "a pull waits": """
        async def program():
            global connection, pull
            connection = await opened_sync()
            pull = asyncio.ensure_future(connection.pull())
            await asyncio.sleep(0)
            wait_for_waiting()
        run(program())
    """,
    "a pull waits and statements are queued": """
        async def program():
            global connection, pull
            connection = await opened_sync()
            pull = asyncio.ensure_future(connection.pull())
            await asyncio.sleep(0)
            wait_for_waiting()
            await connection.execute("INSERT INTO t VALUES (2)")
            await connection.commit()
            for number in range(3, 1000):
                connection.execute("INSERT INTO t VALUES (?)", (number,))
        run(program())
    """,
}

PREAMBLE = """
import threading, urllib.request, json
import aioturso.aio.sync

async def opened_sync():
    return await aioturso.aio.sync.connect(PATH, {url!r}, long_poll_timeout_ms={hour}, **OPTIONS)

def wait_for_waiting():
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
    # The loop may be held up: the pull is queued, and its lane needs no loop.
    while json.load(opener.open({url!r} + "/control/counters"))["waiting"] != 1:
        time.sleep(0.005)
"""


@pytest.mark.parametrize("way", EXITS)
def test_exit_while(children: Children, server: TestServer, note: Note, way: str) -> None:
    """Bugs: the process waits for the server; it says something; what was committed is lost."""
    program = PREAMBLE.format(url=server.url, hour=HOUR) + textwrap.dedent(EXITS[way])
    done = children.run(program + '\nsay("leaving", time.time())\n')
    assert (done.status, done.errors) == (0, "")
    assert done.seconds_to_leave < AT_ONCE
    note(f"{done.seconds_to_leave * 1000:.0f} ms")
    server.wait_for_waiting(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fork_while_a_pull_waits(children: Children, server: TestServer) -> None:
    """Bugs: what the child closes cuts off the request of the parent, whose socket is the child's too; a call of the child
    waits for a lane that it does not have."""
    program = PREAMBLE.format(url=server.url, hour=HOUR) + textwrap.dedent("""
        import gc, warnings
        warnings.simplefilter("ignore")

        async def begin():
            global connection, pull
            connection = await opened_sync()
            pull = asyncio.ensure_future(connection.pull())
            await asyncio.sleep(0)
            wait_for_waiting()

        async def use_in_child():
            global connection
            for lane in (connection.pull, connection.push):
                try:
                    await asyncio.wait_for(lane(), HANGING)
                except aioturso.ProgrammingError as error:
                    assert "forked" in str(error), error
            await asyncio.wait_for(connection.close(), HANGING)
            pull.cancel()
            connection = None
            gc.collect()

        if LOOP == "uvloop":
            import uvloop
            loop = uvloop.new_event_loop()
        else:
            loop = asyncio.new_event_loop()
        loop.run_until_complete(begin())
        child = os.fork()
        if child == 0:
            asyncio.run(use_in_child())
            os._exit(5)
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        say(loop.run_until_complete(asyncio.wait_for(pull, HANGING)))
        loop.run_until_complete(connection.close())
    """)
    child = children.start(program, stderr=-1)
    assert child.stdout is not None
    assert child.stdout.readline() == "5\n"
    server.run("INSERT INTO t VALUES (2)")
    output, errors = finish(child)
    assert (output, errors, child.returncode) == ("True\n", "", 0)


async def test_killed_while_a_pull_is_applied(
    children: Children, connect_sync: ConnectSync, server: TestServer, note: Note
) -> None:
    """Bug: half of the server's pages are there, and the database is damaged."""
    kills = int(os.environ.get("FAULTS_KILLS_IN_PULLS", "5"))
    program = PREAMBLE.format(url=server.url, hour=HOUR) + textwrap.dedent("""
        async def program():
            connection = await opened_sync()
            say("opened")
            while True:
                await connection.pull()
        run(program())
    """)
    for kill in range(kills):
        with children.start(program) as child:
            assert child.stdout is not None
            assert await asyncio.to_thread(child.stdout.readline) == "opened\n"
            for _ in range(3):
                server.run("INSERT INTO t SELECT max(a) + 1 FROM t", "CREATE TABLE IF NOT EXISTS u (v)")
                server.run("INSERT INTO u SELECT zeroblob(20000)")
                await asyncio.sleep(0.003 * kill)
            child.kill()
    server.run("INSERT INTO t SELECT max(a) + 1 FROM t")
    async with connect_sync() as connection:
        await connection.pull()
        assert await connection.execute_fetchall("PRAGMA integrity_check") == [("ok",)]
        assert await connection.execute_fetchall("SELECT a FROM t") == server.rows("SELECT a FROM t")
    note(f"{kills} kills")
