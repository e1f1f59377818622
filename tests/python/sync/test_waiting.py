"""While a pull waits for the server, or a push for its answer, the connection works on, and can be told to stop.

A long poll of an hour stands for one that never ends by itself: whatever waits for it hangs, and is found by the time limit of
the test. How fast the rest is meanwhile is measured by `cargo xtask bench sync`.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from replicas import Replicas, asynchronous, blocking, package
from servers import TestServer

HOUR = 3_600_000
"""Milliseconds."""


@pytest.fixture
def filled(test_server: TestServer) -> TestServer:
    """A server with a table of two rows."""
    test_server.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 'one'), (2, 'two')")
    return test_server


@pytest.fixture
def replicas(tmp_path: object) -> Replicas:
    """Asyncio alone: a blocking call that waits is the business of threads, below."""
    return Replicas(str(tmp_path), "asyncio")


async def waiting_pull(connection: object, server: TestServer) -> asyncio.Task[bool]:
    """A pull that has arrived at the server and waits there."""
    pull: asyncio.Task[bool] = asyncio.ensure_future(_pull(connection))
    while server.counters()["waiting"] != 1:
        assert not pull.done(), pull
        await asyncio.sleep(0.002)
    return pull


async def arrived(server: TestServer) -> None:
    """Returns when the request that is to go wrong is at the server."""
    while server.counters()["faults"] == 0:
        await asyncio.sleep(0.002)


async def _pull(connection: object) -> bool:
    pulled: bool = await connection.pull()  # type: ignore[attr-defined]
    return pulled


async def test_statements_run_while_a_pull_waits(filled: TestServer, replicas: Replicas) -> None:
    async with replicas.open("a", filled, long_poll_timeout_ms=HOUR) as replica:
        pull = await waiting_pull(replica.connection, filled)
        for number in range(3, 50):
            await replica.run(("INSERT INTO t VALUES (?, 'meanwhile')", (number,)))
            assert await replica.rows("SELECT count(*) FROM t") == [(number,)]
        await replica.connection.execute("BEGIN")
        await replica.rows("DELETE FROM t WHERE id > 2")
        await replica.connection.rollback()
        assert await replica.rows("SELECT count(*) FROM t") == [(49,)]
        assert not pull.done()
        filled.run("INSERT INTO t VALUES (100, 'news')")
        assert await pull is True
        assert await replica.rows("SELECT count(*) FROM t") == [(50,)], "what was written meanwhile is kept"
        assert await replica.is_sound()


async def test_statistics_and_a_push_are_prompt_while_a_pull_waits(filled: TestServer, replicas: Replicas) -> None:
    async with replicas.open("a", filled, long_poll_timeout_ms=HOUR) as replica:
        pull = await waiting_pull(replica.connection, filled)
        await replica.run("INSERT INTO t VALUES (3, 'three')")
        assert (await replica.stats()).cdc_operations == 1
        assert not pull.done()
        await replica.push()
        assert filled.rows("SELECT count(*) FROM t") == [(3,)]
        # The push itself is news for the pull.
        await pull
        assert (await replica.stats()).cdc_operations == 0


async def test_a_checkpoint_is_prompt_while_a_pull_waits(filled: TestServer, replicas: Replicas) -> None:
    async with replicas.open("a", filled, long_poll_timeout_ms=HOUR) as replica:
        pull = await waiting_pull(replica.connection, filled)
        await replica.run("INSERT INTO t VALUES (3, 'three')")
        await replica.checkpoint()
        assert not pull.done()
        filled.run("INSERT INTO t VALUES (4, 'four')")
        assert await pull is True
        assert await replica.rows("SELECT count(*) FROM t") == [(4,)]
        assert await replica.is_sound()


async def test_statements_run_while_a_push_waits(filled: TestServer, replicas: Replicas) -> None:
    async with replicas.open("a", filled) as replica:
        await replica.run("INSERT INTO t VALUES (3, 'three')")
        filled.fail("delay", "push", milliseconds=HOUR)
        push = asyncio.ensure_future(replica.push())
        await arrived(filled)
        for number in range(10, 40):
            await replica.run(("INSERT INTO t VALUES (?, 'meanwhile')", (number,)))
        assert (await replica.stats()).cdc_operations >= 30
        assert not push.done()
        push.cancel()
        with pytest.raises(asyncio.CancelledError):
            await push
        await replica.push()
        assert filled.rows("SELECT count(*) FROM t") == [(33,)]
        assert (await replica.stats()).cdc_operations == 0


async def test_a_cancelled_pull_lets_go_of_the_server(filled: TestServer, replicas: Replicas) -> None:
    async with replicas.open("a", filled, long_poll_timeout_ms=HOUR) as replica:
        for _ in range(5):
            pull = await waiting_pull(replica.connection, filled)
            pull.cancel()
            with pytest.raises(asyncio.CancelledError):
                await pull
            assert await replica.rows("SELECT count(*) FROM t") == [(2,)]
            filled.wait_for_waiting(0)
        pull = await waiting_pull(replica.connection, filled)
        filled.run("INSERT INTO t VALUES (3, 'three')")
        assert await pull is True


async def test_an_opening_that_waits_for_the_server_is_cut_off_by_closing(
    filled: TestServer, replicas: Replicas, tmp_path: Path
) -> None:
    """Bug: closing waited for the opening, and that for the server."""
    filled.fail("delay", "pull", milliseconds=HOUR)
    connection = asynchronous.connect(str(tmp_path / "a.db"), filled.url, read_timeout=None)
    opening = asyncio.ensure_future(connection.__aenter__())
    await arrived(filled)
    waiting = [asyncio.ensure_future(call) for call in (connection.execute("SELECT 1"), connection.stats())]
    await connection.close()
    for call in (opening, *waiting):
        with pytest.raises(package.ProgrammingError, match="closed"):
            await call
    assert list(tmp_path.glob("a.db*")) == []
    filled.be_well()
    async with replicas.open("a", filled) as replica:
        assert await replica.rows("SELECT count(*) FROM t") == [(2,)]


async def test_a_pull_that_was_cancelled_while_it_was_queued_is_never_made(
    filled: TestServer, replicas: Replicas
) -> None:
    async with replicas.open("a", filled, long_poll_timeout_ms=HOUR) as replica:
        first = await waiting_pull(replica.connection, filled)
        second = asyncio.ensure_future(replica.pull())
        await asyncio.sleep(0.05)
        pulls = filled.counters()["pull"]
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert not first.done(), "only the one that was cancelled"
        filled.run("INSERT INTO t VALUES (3, 'three')")
        assert await first is True
        assert filled.counters()["pull"] == pulls


async def test_a_pull_under_a_timeout_ends_in_time(filled: TestServer, replicas: Replicas) -> None:
    async with replicas.open("a", filled, long_poll_timeout_ms=HOUR) as replica:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(replica.pull(), 0.1)
        filled.wait_for_waiting(0)
        assert await replica.rows("SELECT count(*) FROM t") == [(2,)]


async def test_a_cancelled_push_leaves_the_connection_usable(filled: TestServer, replicas: Replicas) -> None:
    async with replicas.open("a", filled) as replica:
        await replica.run("INSERT INTO t VALUES (3, 'three')")
        filled.fail("delay", "push", skip=1, milliseconds=HOUR)
        push = asyncio.ensure_future(replica.push())
        while filled.counters()["faults"] != 1:
            await asyncio.sleep(0.002)
        push.cancel()
        with pytest.raises(asyncio.CancelledError):
            await push
        await replica.run("INSERT INTO t VALUES (4, 'four')")
        await replica.push()
        assert filled.rows("SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,), (4,)]
        await replica.pull()
        assert await replica.rows("SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,), (4,)]


async def test_a_push_whose_answer_is_cancelled_is_not_done_twice(filled: TestServer, replicas: Replicas) -> None:
    """The server has done it; the replica does not know. What is not idempotent would show."""
    async with replicas.open("a", filled) as replica:
        await replica.run("CREATE TABLE log (x)", "INSERT INTO log VALUES ('once')")
        filled.fail("stall", "push", skip=1, bytes=10, milliseconds=HOUR)
        push = asyncio.ensure_future(replica.push())
        while filled.rows("SELECT count(*) FROM sqlite_schema WHERE name = 'log'") != [(1,)]:
            await asyncio.sleep(0.002)
        push.cancel()
        with pytest.raises(asyncio.CancelledError):
            await push
        await replica.push()
        assert filled.rows("SELECT x FROM log") == [("once",)]
        await replica.pull()
        assert await replica.rows("SELECT x FROM log") == [("once",)]


async def test_closing_ends_a_pull_that_waits(filled: TestServer, replicas: Replicas) -> None:
    replica = await replicas.connect("a", filled, long_poll_timeout_ms=HOUR)
    pull = await waiting_pull(replica.connection, filled)
    await replica.close()
    with pytest.raises((package.Error, asyncio.CancelledError)):
        await pull
    filled.wait_for_waiting(0)
    async with replicas.open("a", filled) as replica:
        assert await replica.rows("SELECT count(*) FROM t") == [(2,)]


async def test_closing_ends_a_push_that_waits_and_keeps_what_it_had(filled: TestServer, replicas: Replicas) -> None:
    replica = await replicas.connect("a", filled)
    await replica.run("INSERT INTO t VALUES (3, 'three')")
    filled.fail("delay", "push", milliseconds=HOUR)
    push = asyncio.ensure_future(replica.push())
    while filled.counters()["faults"] != 1:
        await asyncio.sleep(0.002)
    await replica.close()
    with pytest.raises((package.Error, asyncio.CancelledError)):
        await push
    async with replicas.open("a", filled) as replica:
        assert (await replica.stats()).cdc_operations == 1
        await replica.push()
        assert filled.rows("SELECT count(*) FROM t") == [(3,)]


async def test_an_opening_that_is_cancelled_lets_go_of_the_server_and_the_database(
    filled: TestServer, replicas: Replicas
) -> None:
    """Bug: the request, and with it the database, was held until the server had been silent for `read_timeout`."""
    filled.fail("delay", "pull", milliseconds=HOUR)
    opening = asyncio.ensure_future(replicas.connect("a", filled, read_timeout=None))
    while filled.counters()["faults"] != 1:
        await asyncio.sleep(0.002)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    # The next one waits for the lock, for `timeout` at most.
    async with replicas.open("a", filled) as replica:
        assert await replica.rows("SELECT count(*) FROM t") == [(2,)]


def test_threads_share_a_connection_while_one_of_them_pulls(filled: TestServer, path: str) -> None:
    connection = blocking.connect(path, filled.url, long_poll_timeout_ms=HOUR)
    pulled: list[bool] = []
    puller = threading.Thread(target=lambda: pulled.append(connection.pull()))
    puller.start()
    filled.wait_for_waiting(1)
    for number in range(3, 20):
        connection.execute("INSERT INTO t VALUES (?, 'meanwhile')", (number,))
        connection.commit()
        assert connection.stats().cdc_operations == number - 2
    assert not pulled
    assert filled.counters()["waiting"] == 1
    connection.push()
    puller.join()
    assert filled.rows("SELECT count(*) FROM t") == connection.execute("SELECT count(*) FROM t").fetchall()
    connection.close()


def test_a_thread_that_closes_ends_the_pull_of_another(filled: TestServer, path: str) -> None:
    connection = blocking.connect(path, filled.url, long_poll_timeout_ms=HOUR)
    raised: list[BaseException] = []

    def pull() -> None:
        try:
            connection.pull()
        except package.Error as error:
            raised.append(error)

    puller = threading.Thread(target=pull)
    puller.start()
    filled.wait_for_waiting(1)
    connection.close()
    puller.join()
    assert len(raised) == 1
    filled.wait_for_waiting(0)


def test_a_thread_that_interrupts_ends_the_pull_of_another(filled: TestServer, path: str) -> None:
    connection = blocking.connect(path, filled.url, long_poll_timeout_ms=HOUR)
    raised: list[BaseException] = []

    def pull() -> None:
        try:
            connection.pull()
        except package.OperationalError as error:
            raised.append(error)

    puller = threading.Thread(target=pull)
    puller.start()
    filled.wait_for_waiting(1)
    connection.interrupt_pull()
    puller.join()
    assert [str(error) for error in raised] == ["interrupted"]
    filled.wait_for_waiting(0)
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(2,)]
    connection.close()


def test_python_goes_on_while_a_pull_waits(filled: TestServer, path: str) -> None:
    """The lock of the interpreter is free: other threads run as ever."""
    connection = blocking.connect(path, filled.url, long_poll_timeout_ms=300)
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    assert connection.pull() is False
    counted = ticks
    done.set()
    ticker.join()
    connection.close()
    assert counted > 10, "another thread stood still for most of 300 ms"


INTERRUPTED = """
import signal, sys
import aioturso.sync

class Stop(BaseException):
    pass

def stop(number, frame):
    raise Stop("the handler's own")

kind, path, url = sys.argv[1:]
if kind == "handler":
    signal.signal(signal.SIGINT, stop)
else:
    signal.signal(signal.SIGINT, signal.default_int_handler)
options = dict(long_poll_timeout_ms=3_600_000, read_timeout=None)
try:
    connection = aioturso.sync.connect(path, url, **options)
    if kind == "push":
        connection.execute("INSERT INTO t VALUES (3, 'three')")
        connection.commit()
        connection.push()
    else:
        connection.pull()
except KeyboardInterrupt:
    print("KeyboardInterrupt", flush=True)
except Stop as raised:
    print(raised, flush=True)
if kind != "connect":
    print(connection.execute("SELECT count(*) FROM t").fetchall(), flush=True)
    connection.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("pull", "KeyboardInterrupt\n[(2,)]\n"),
        ("push", "KeyboardInterrupt\n[(3,)]\n"),
        ("connect", "KeyboardInterrupt\n"),
        ("handler", "the handler's own\n[(2,)]\n"),
    ],
)
def test_a_signal_ends_a_blocking_call_that_waits_in_the_main_thread(
    filled: TestServer, path: str, kind: str, said: str
) -> None:
    """Bug: Ctrl-C was seen when the server had answered, and not before."""
    if kind in ("push", "connect"):
        filled.fail("delay", "push" if kind == "push" else "pull", milliseconds=HOUR)
    counter = "faults" if kind in ("push", "connect") else "waiting"
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, kind, path, filled.url], stdout=subprocess.PIPE, text=True
    )
    try:
        while filled.counters()[counter] != 1:
            assert child.poll() is None
            time.sleep(0.002)
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=60)[0] == said
    finally:
        child.kill()
        child.wait()
