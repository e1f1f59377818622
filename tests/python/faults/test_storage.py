"""Storage that fails, and processes that die: what was committed is there. (This is about the death of processes, not
about the loss of power: what the disk has not written when the machine stops is another matter.)"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from children import Children
from conftest import Connect, Note
from remains import THOROUGHNESS

KILLS = int(150 * THOROUGHNESS)
ROWS_TOGETHER = 5

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits and signals")

FILL = """
    async def program():
        connection = await opened()
        await connection.execute("CREATE TABLE big (a)")
        await connection.commit()
        committed = 0
        failure = None
        while failure is None and committed < 500:
            try:
                for _ in range(4):
                    await connection.execute("INSERT INTO big VALUES (randomblob(20000))")
                await connection.commit()
                committed += 4
            except aioturso.Error as error:
                failure = error
        say(type(failure).__name__, isinstance(failure, aioturso.DatabaseError), committed)
        print(failure, file=sys.stderr)
        # Usable or cleanly dead: each call is answered, and what is answered is true.
        for call in (connection.rollback, lambda: connection.execute_fetchall("SELECT count(*) FROM big")):
            try:
                answer = await asyncio.wait_for(call(), HANGING)
                assert answer in (None, [(committed,)]), (answer, committed)
            except aioturso.Error as error:
                print(error, file=sys.stderr)
        try:
            await asyncio.wait_for(connection.close(), HANGING)
        except aioturso.Error as error:
            print(error, file=sys.stderr)
    run(program())
    say("leaving", time.time())
"""


def check_filled(children: Children, connect: Connect, output: list[str], errors: str) -> int:
    """The caller was told by an error of the database, and what had been committed is there on reopening."""
    kind, is_database_error, committed = output[0].split()
    assert (kind, is_database_error) == ("OperationalError", "True"), (output, errors)
    assert int(committed) > 0

    async def look() -> None:
        async with connect(children.path) as connection:
            assert await connection.execute_fetchall("SELECT count(*) FROM big") == [(int(committed),)]
            assert await connection.execute_fetchall("PRAGMA integrity_check") == [("ok",)]

    asyncio.run(look())
    return int(committed)


def test_a_file_that_may_not_grow(children: Children, connect: Connect, note: Note) -> None:
    """Bugs: an error that is none of the database's; a commit that is said to be done; a file that is broken."""
    limit = """
    import resource
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    """
    done = children.run(limit + FILL)
    assert done.status == 0, done.errors
    note(f"{check_filled(children, connect, done.output, done.errors)} rows committed")


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can't be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounting a tmpfs is Linux's")
def test_a_full_disk(children: Children, connect: Connect, note: Note, tmp_path: Path) -> None:
    """Bugs: as for a file that may not grow, and a rollback that needs room which is not there."""
    with small_disk(tmp_path / "disk"):
        there = Children(str(tmp_path / "disk" / "test.db"), children.loop, children.options)
        done = there.run(FILL)
        assert done.status == 0, done.errors
        # Reopening needs room too: a file that stood beside the database is gone.
        note(f"{check_filled(there, connect, done.output, done.errors)} rows committed")


WRITER = f"""
    async def write():
        connection = await connect()
        await connection.execute("CREATE TABLE IF NOT EXISTS t (number INTEGER, part INTEGER)")
        await connection.execute("CREATE INDEX IF NOT EXISTS i ON t (number)")
        await connection.commit()
        (number,) = await connection.execute("SELECT coalesce(max(number), 0) FROM t").fetchone()
        while True:
            number += 1
            for part in range({ROWS_TOGETHER}):
                await connection.execute("INSERT INTO t VALUES (?, ?)", (number, part))
            await connection.commit()
            os.write(1, b"%d\\n" % number)

    # A child for each line that comes in: forking is quicker than to import everything each time.
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(write())
        # In one piece each: the child writes to the same pipe.
        os.write(1, b"child %d\\n" % child)
        os.waitpid(child, 0)
        os.write(1, b"end\\n")
"""


def test_killed_while_it_writes(children: Children, connect: Connect, note: Note) -> None:
    """Bug: a commit returns before it is in the file, or leaves a file that can't be read. Each time the next process
    goes on with what the one before has left."""
    chance = random.Random(8)
    committed = 0
    written_while_alive = 0
    child = 0

    async def check() -> int:
        async with connect(children.path) as connection:
            (row,) = await connection.execute_fetchall("SELECT coalesce(max(number), 0), count(*) FROM t")
            last, count = row
            assert committed <= last <= committed + 1, f"{committed} was committed, and {last} is there"
            assert count == last * ROWS_TOGETHER, "part of a transaction is there"
            assert await connection.execute_fetchall("PRAGMA integrity_check") == [("ok",)]
            return int(last)

    with children.start(WRITER, stdin=subprocess.PIPE) as nursery:
        assert nursery.stdin is not None and nursery.stdout is not None
        try:
            for _ in range(KILLS):
                nursery.stdin.write("go\n")
                nursery.stdin.flush()
                child = 0
                delay = chance.random() ** 2 * 0.04
                wanted = chance.randrange(4)
                while True:
                    line = nursery.stdout.readline().split()
                    assert line, "the process that starts the others has ended"
                    if line[0] == "child":
                        child = int(line[1])
                    elif line[0] == "end":
                        child = 0
                        break
                    else:
                        committed = max(committed, int(line[0]))
                        written_while_alive += 1
                        wanted -= 1
                    if child and wanted <= 0:
                        if delay:
                            asyncio.run(asyncio.sleep(delay))
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(child, signal.SIGKILL)
                        wanted = 1 << 30
                if Path(children.path).exists():
                    committed = asyncio.run(check())
        finally:
            nursery.stdin.close()
            with contextlib.suppress(ProcessLookupError):
                os.kill(child or nursery.pid, signal.SIGKILL)
            nursery.wait(20)
    note(f"{KILLS} times, {committed} transactions")
    assert written_while_alive > KILLS
