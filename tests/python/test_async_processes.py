"""Event loops, threads and processes around one connection: each test names the bug that it guards against."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from typing import Any

import aioturso
import aioturso.lib
import pytest
from filled_databases import SLOW, filled, rows_of, threads_settle_at


def test_a_loop_that_is_closed_with_work_under_way_ends_the_worker(path: str) -> None:
    """Bug: the worker dies with the result that it cannot deliver, or waits for ever with the database open."""
    threads = threading.active_count()
    loop = asyncio.new_event_loop()

    async def leave_work(writing: aioturso.lib.Connection) -> aioturso.Connection:
        connection = await filled(path, 0)
        # The write waits for its lock until the loop is closed.
        writing.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.commit()
        return connection

    with contextlib.closing(aioturso.lib.connect(path, isolation_level=None)) as writing:
        connection = loop.run_until_complete(leave_work(writing))
        loop.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asyncio.run(threads_settle_at(threads))

    async def look() -> None:
        with pytest.raises(aioturso.ProgrammingError, match="loop was closed"):
            await connection.commit()
        async with aioturso.connect(path) as other:
            assert await rows_of(other) == [1]

    asyncio.run(look())


def test_two_loops_in_two_threads_use_one_connection(path: str) -> None:
    """Bug: a result that is delivered to a loop of another thread."""
    connection = asyncio.run(filled(path, 0))
    errors: list[BaseException] = []

    def work(first: int) -> None:
        async def insert() -> None:
            for number in range(first, 200, 2):
                await connection.execute("INSERT INTO t VALUES (?)", (number,))
                assert (number,) in await connection.execute_fetchall("SELECT a FROM t")

        try:
            asyncio.run(insert())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []

    async def end() -> None:
        assert await rows_of(connection) == list(range(200))
        await connection.close()

    asyncio.run(end())


async def test_a_call_from_the_workers_own_thread_is_refused(path: str) -> None:
    """Bug: a callback that calls back waits for itself. It gets an error instead, and so does the caller."""
    connection = await filled(path, 1)

    def factory(_cursor: Any, _row: Any) -> object:
        return connection.commit()

    connection.row_factory = factory
    with pytest.raises(RuntimeError):
        await asyncio.wait_for((await connection.execute("SELECT 1")).fetchone(), 5)
    connection.row_factory = None
    assert await rows_of(connection) == [0]
    await connection.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
async def test_a_forked_process_is_told_that_the_connection_is_not_its_own(path: str) -> None:
    """Bug: the child waits for a thread that it does not have."""
    connection = await filled(path, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:

        async def use() -> None:
            await connection.commit()

        status = 1
        try:
            asyncio.run(use())
        except aioturso.ProgrammingError as error:
            status = 0 if "forked" in str(error) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, child, 0))[1]) == 0
    assert await rows_of(connection) == [0]
    await connection.close()


EXITS = {
    "in a global": "connection = asyncio.run(opened())",
    "with a transaction open": """
        async def program():
            connection = await opened()
            await connection.execute("INSERT INTO t VALUES (2)")
            return connection
        connection = asyncio.run(program())
    """,
    "with a query running": """
        async def program():
            connection = await opened()
            connection.execute(SLOW)
            connection.execute("INSERT INTO t VALUES (2)")
            connection.commit()
            await asyncio.sleep(0.05)
            return connection
        connection = asyncio.run(program())
    """,
    "from inside of the loop": """
        async def program():
            connection = await opened()
            asyncio.create_task(connection.execute_fetchall(SLOW))
            await asyncio.sleep(0.05)
            await leaving()
            sys.exit(0)
        asyncio.run(program())
    """,
    "in the middle of an iteration": """
        async def program():
            global connection, cursor
            connection = await opened()
            cursor = await connection.execute("SELECT value FROM generate_series(1, 100000)")
            async for row in cursor:
                break
        asyncio.run(program())
    """,
}


@pytest.mark.parametrize("way", EXITS)
def test_a_process_that_forgets_to_close_exits_at_once(path: str, way: str) -> None:
    """Bugs: a thread that is waited for without end; a traceback at exit; a committed row that is lost."""
    program = f"""
import asyncio, sys, time, aioturso.worker
# Much longer than the end takes, also on a busy machine: whoever takes as long was waited for.
aioturso.worker.EXIT_SECONDS = 30.0
SLOW = {SLOW!r}
async def opened():
    connection = await aioturso.connect({path!r})
    await connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    await connection.execute("INSERT INTO t VALUES (1)")
    await connection.commit()
    return connection
async def leaving():
    sys.stdout.write(str(time.time()))
    sys.stdout.flush()
{textwrap.dedent(EXITS[way])}
asyncio.run(leaving())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=90)
    left = time.time()
    assert (done.returncode, done.stderr) == (0, "")
    assert left - float(done.stdout) < 15
    assert os.path.getsize(f"{path}-wal") == 0, "the database was not closed"

    async def look() -> None:
        async with aioturso.connect(path) as connection:
            assert await rows_of(connection) == [1]

    asyncio.run(look())
