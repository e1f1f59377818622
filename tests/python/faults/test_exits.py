"""The end of a process: at once, with its own status, in silence, and with all that was committed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap

import aioturso
import pytest
from children import EXIT_SECONDS, Children, finish
from conftest import Connect, Note
from remains import HANGING

AT_ONCE = EXIT_SECONDS / 2
"""Seconds from the end of the program to that of the process. A worker that does not end by itself is waited for longer."""

EXITS = {
    "without close": """
        async def program():
            connection = await opened()
        run(program())
    """,
    "connection in a global": """
        connection = run(opened())
    """,
    "connection in a global of a module": """
        async def program():
            sys.modules["threading"].left_behind = await opened()
        run(program())
    """,
    "query running": """
        async def program():
            global connection
            connection = await opened()
            connection.execute(ENDLESS)
            await asyncio.sleep(0.05)
        run(program())
    """,
    "query running and more behind it": """
        async def program():
            global connection
            connection = await opened()
            connection.execute(ENDLESS)
            for number in range(2, 1000):
                connection.execute("INSERT INTO t VALUES (?)", (number,))
            connection.commit()
            await asyncio.sleep(0.05)
        run(program())
    """,
    "fetch under way": """
        async def program():
            global connection, cursor
            connection = await opened()
            cursor = await connection.execute("SELECT value FROM generate_series(1, 100000000)")
            asyncio.ensure_future(cursor.fetchall())
            await asyncio.sleep(0.05)
        run(program())
    """,
    "write under way": """
        async def program():
            global connection
            connection = await opened()
            connection.execute("INSERT INTO t SELECT value + 1 FROM generate_series(1, 100000000)")
            await asyncio.sleep(0.05)
        run(program())
    """,
    "open transaction": """
        async def program():
            global connection
            connection = await opened()
            await connection.execute("INSERT INTO t VALUES (2)")
        run(program())
    """,
    "open under way": """
        async def program():
            await (await opened()).close()
            connection = connect()
            asyncio.ensure_future(connection.__aenter__())
            await asyncio.sleep(0)
        run(program())
    """,
    "iteration under way": """
        async def program():
            global connection, cursor
            connection = await opened()
            cursor = await connection.execute("SELECT value FROM generate_series(1, 100000)")
            async for row in cursor:
                break
        run(program())
    """,
    "calls queued and under way": """
        async def program():
            global connection, calls
            connection = await opened()
            calls = [connection.execute("SELECT count(*) FROM generate_series(1, 50)") for _ in range(20000)]
            await asyncio.sleep(0.02)
        run(program())
    """,
    "transaction block entered": """
        async def program():
            global connection, block, waiting
            connection = await opened()
            block = connection.transaction()
            await block.__aenter__()
            await connection.execute("INSERT INTO t VALUES (2)")
            context = contextvars.Context()
            waiting = [context.run(asyncio.ensure_future, connection.execute("INSERT INTO t VALUES (3)"))]
            await asyncio.sleep(0)
        run(program())
    """,
    "callback that never returns": """
        # Nothing can end it, so it is waited for as long as anything is.
        aioturso.worker.EXIT_SECONDS = 0.5
        async def program():
            global connection
            connection = await opened()
            connection.row_factory = lambda _cursor, _row: time.sleep(3600)
            asyncio.ensure_future(connection.execute_fetchall("SELECT 1"))
            await asyncio.sleep(0.05)
        run(program())
    """,
    "fifty connections": """
        async def program():
            global connections
            connections = [await opened()] + [await connect() for _ in range(49)]
            for connection in connections[1:]:
                connection.execute(ENDLESS)
            await asyncio.sleep(0.05)
        run(program())
    """,
}

STATUSES = {
    "end of the program": ("", 0),
    "sys.exit": ("sys.exit(7)", 7),
    "uncaught exception": ("raise LookupError('of the program')", 1),
}


@pytest.mark.parametrize("way", EXITS)
def test_exit_with(children: Children, connect: Connect, note: Note, way: str) -> None:
    """Bugs: a thread that is waited for without end; a traceback of a daemon at exit; a committed row that is lost, or
    one that was not committed and is there."""
    done = children.run(textwrap.dedent(EXITS[way]) + '\nsay("leaving", time.time())\n')
    assert (done.status, done.errors) == (0, "")
    assert done.seconds_to_leave < AT_ONCE
    note(f"{done.seconds_to_leave * 1000:.0f} ms")
    check_rows(children, connect)


def test_exit_closes_what_is_open(children: Children, connect: Connect) -> None:
    """Bug: the process ends under its connections, none of which is closed: a transaction is not rolled back, and a
    thread is stopped in the middle of whatever it does."""
    program = """
        import logging

        class Handler(logging.Handler):
            def emit(self, record):
                if record.getMessage().endswith(": ended"):
                    say("ended")

        logging.getLogger("aioturso").setLevel(logging.DEBUG)
        logging.getLogger("aioturso").addHandler(Handler())

        async def program():
            global idle, writing, reading
            idle, reading = await opened(), await connect()
            writing = await connect(PATH + "-other")
            await writing.execute("CREATE TABLE t (a)")
            writing.execute("INSERT INTO t SELECT value FROM generate_series(1, 100000000)")
            reading.execute(ENDLESS)
            await asyncio.sleep(0.05)

        run(program())
        say("leaving", time.time())
    """
    done = children.run(program)
    assert (done.status, done.errors) == (0, "")
    assert done.output.count("ended") == 3, done.output
    check_rows(children, connect)


@pytest.mark.parametrize("ending", STATUSES)
def test_exit_by(children: Children, connect: Connect, ending: str) -> None:
    """Bug: the status of the process, or what it has to say, is another because a connection was open."""
    code, status = STATUSES[ending]
    done = children.run(f"{textwrap.dedent(EXITS['query running'])}\nsay('leaving', time.time())\n{code}\n")
    assert done.status == status
    assert done.seconds_to_leave < AT_ONCE
    complaints = [line for line in done.errors.splitlines() if not line.startswith((" ", "Traceback"))]
    assert complaints == (["LookupError: of the program"] if status == 1 else [])
    check_rows(children, connect)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
@pytest.mark.parametrize("caught", [False, True], ids=["uncaught", "caught"])
def test_interrupted_from_the_keyboard(children: Children, connect: Connect, note: Note, caught: bool) -> None:
    """Bug: Ctrl-C in the middle of a statement waits until the statement has ended, which it never does."""
    program = """
        async def program():
            global connection
            connection = await opened()
            statement = asyncio.ensure_future(connection.execute(ENDLESS))
            await asyncio.sleep(0.1)
            say("running")
            await statement
        # A shell has the programs that it starts in the background ignore it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            run(program())
        except KeyboardInterrupt:
            say("leaving", time.time())
            if CAUGHT:
                sys.exit(3)
            raise
    """.replace("CAUGHT", str(caught))
    child = children.start(program, stderr=-1)
    assert child.stdout is not None
    assert child.stdout.readline() == "running\n"
    child.send_signal(signal.SIGINT)
    output, errors = finish(child)
    assert output.startswith("leaving ")
    if caught:
        assert (child.returncode, errors) == (3, "")
    else:
        assert child.returncode in (-signal.SIGINT, 130)
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert "Exception ignored" not in errors
    check_rows(children, connect)


def check_rows(children: Children, connect: Connect) -> None:
    """What was committed is there, and nothing else."""

    async def look() -> None:
        async with connect(children.path) as connection:
            assert await connection.execute_fetchall("SELECT a FROM t") == [(1,)]
            assert await connection.execute_fetchall("PRAGMA integrity_check") == [("ok",)]

    asyncio.run(look())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("situation", ["idle", "query running", "open transaction"])
def test_fork(children: Children, connect: Connect, situation: str) -> None:
    """Bugs: the child waits for a thread that it does not have; it closes, rolls back or writes what is the parent's."""
    program = """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)

        async def use_in_child():
            await connection.close()
            for call in (connection.commit, lambda: connection.execute("SELECT 1")):
                try:
                    await asyncio.wait_for(call(), HANGING)
                    say(call)
                except aioturso.ProgrammingError as error:
                    assert "forked" in str(error), error
                except asyncio.TimeoutError:
                    say("it hangs")
            async with connect(PATH + "-of-the-child") as own:
                say(*await own.execute_fetchall("SELECT 'own'"))

        async def before():
            global connection
            connection = await opened()
            SITUATION
            await asyncio.sleep(0.02)

        async def after():
            await connection.interrupt()
            try:
                await connection.execute("INSERT INTO t VALUES (3)")
                await connection.rollback()
            except aioturso.ProgrammingError as error:
                # The loop of the query is closed, so the worker has closed too.
                if "loop was closed" not in str(error):
                    say(error)
            await connection.close()

        run(before())
        child = os.fork()
        if child == 0:
            run(use_in_child())
            sys.exit(5)
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        run(after())
    """.replace(
        "SITUATION",
        {
            "idle": "",
            "query running": "connection.execute(ENDLESS)",
            "open transaction": 'await connection.execute("INSERT INTO t VALUES (2)")',
        }[situation],
    )
    done = children.run(program)
    own, status, *others = done.output
    assert others == []
    assert (own, status, done.status, done.errors) == ("('own',)", "5", 0, "")
    check_rows(children, connect)


async def test_a_panic(path: str, connect: Connect) -> None:
    """Bug: a panic of the driver, which Python sees as an exception that is none of `Exception`, ends the worker."""

    class PanicException(BaseException):
        pass

    def panic(_connection: object) -> None:
        raise PanicException("index out of bounds")

    connection = await connect(path)
    for _ in range(3):
        try:
            await asyncio.wait_for(connection._call(panic), HANGING)
            pytest.fail("it did not reach the caller")
        except PanicException as error:
            assert str(error) == "index out of bounds"
    assert await connection.execute_fetchall("SELECT 1") == [(1,)]
    await asyncio.wait_for(connection.close(), HANGING)
    with pytest.raises(aioturso.ProgrammingError):
        await connection.commit()
