"""The same probes on this driver, on pyturso and on aiosqlite, as a Markdown table: `python peers.py`.

Each probe runs in a process of its own, which may hang. Install the others first: `pip install pyturso==0.8.3
aiosqlite==0.22.1`.
"""

from __future__ import annotations

import importlib.metadata
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

DRIVERS = {"aioturso": "aioturso", "pyturso": "turso.aio", "aiosqlite": "aiosqlite"}
"""Distributions, and the modules that they have for asyncio."""

TIME_LIMIT = 15.0
"""Seconds after which a probe hangs."""

PREAMBLE = """
import asyncio, gc, logging, os, signal, sys, threading, time, warnings
import {module} as driver
warnings.simplefilter("ignore")
# A shell has the programs that it starts in the background ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

PATH = {path!r}
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 30000000) SELECT count(*) FROM n"
logged = []
class Handler(logging.Handler):
    def emit(self, record):
        logged.append(record)
logging.getLogger().addHandler(Handler())

async def opened():
    connection = await driver.connect(PATH)
    await connection.execute("CREATE TABLE IF NOT EXISTS t (a INTEGER)")
    await connection.commit()
    return connection

async def rows(connection, sql):
    return await (await connection.execute(sql)).fetchall()

def say(*words):
    print(*words, flush=True)

async def threads_left(before):
    gc.collect()
    for _ in range(100):
        if threading.active_count() <= before:
            break
        await asyncio.sleep(0.01)
    return threading.active_count() - before

def leave():
    sys.stdout.flush()
    os._exit(0)
"""

PROBES = {
    "iteration broken off and resumed, 1,000 rows": """
        async def program():
            connection = await opened()
            await connection.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(1000)])
            cursor = await connection.execute("SELECT a FROM t")
            if not hasattr(cursor, "__aiter__"):
                say("no `async for`")
                leave()
            seen = 0
            async for _ in cursor:
                seen += 1
                if seen == 10:
                    break
            async for _ in cursor:
                seen += 1
            say(f"{1000 - seen} rows lost")
            leave()
        asyncio.run(program())
    """,
    "a query is cancelled: the next call": """
        async def program():
            connection = await opened()
            task = asyncio.ensure_future(rows(connection, ENDLESS))
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            began = time.perf_counter()
            await asyncio.wait([asyncio.ensure_future(rows(connection, "SELECT 1"))], timeout=5)
            seconds = time.perf_counter() - began
            await asyncio.sleep(0)
            say("after more than 5 s" if seconds > 4.9 else f"after {seconds * 1000:.1f} ms", "and logged" if logged else "")
            leave()
        asyncio.run(program())
    """,
    "fetchall of many rows is cancelled: the next call": """
        async def program():
            connection = await opened()
            numbers = "(VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10))"
            many = "SELECT 1 FROM " + ", ".join(f"{numbers} AS n{n}" for n in range(7))
            waits = []
            for _ in range(5):
                task = asyncio.ensure_future((await connection.execute(many)).fetchall())
                await asyncio.sleep(0.1)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                began = time.perf_counter()
                await asyncio.wait([asyncio.ensure_future(rows(connection, "SELECT 1"))], timeout=5)
                waits.append(time.perf_counter() - began)
            say("after more than 5 s" if max(waits) > 4.9 else f"after {sorted(waits)[2] * 1000:.1f} ms")
            leave()
        asyncio.run(program())
    """,
    "a queued INSERT is cancelled": """
        async def program():
            connection = await opened()
            before = asyncio.ensure_future(rows(connection, "SELECT count(*) FROM (SELECT 1) a, t"))
            tasks = [asyncio.ensure_future(connection.execute("INSERT INTO t VALUES (1)")) for _ in range(20)]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(before, *tasks, return_exceptions=True)
            say(f"{(await rows(connection, 'SELECT count(*) FROM t'))[0][0]} of 20 run")
            leave()
        asyncio.run(program())
    """,
    "calls started while close is under way": """
        async def program():
            counts = {"answered": 0, "refused": 0, "hang": 0}
            for _ in range(20):
                connection = await opened()
                async def call():
                    for _ in range(50):
                        try:
                            await asyncio.wait_for(rows(connection, "SELECT 1"), 1)
                            counts["answered"] += 1
                        except asyncio.TimeoutError:
                            counts["hang"] += 1
                            return
                        except Exception:
                            counts["refused"] += 1
                callers = [asyncio.ensure_future(call()) for _ in range(8)]
                await asyncio.sleep(0.001)
                await connection.close()
                await asyncio.gather(*callers)
            say(", ".join(f"{count} {what}" for what, count in counts.items()))
            leave()
        asyncio.run(program())
    """,
    "two tasks close at once": """
        async def program():
            connection = await opened()
            closes = [asyncio.ensure_future(connection.close()) for _ in range(2)]
            done, hanging = await asyncio.wait(closes, timeout=3)
            say("the second hangs" if hanging else "fine")
            leave()
        asyncio.run(program())
    """,
    "open fails, 50 times": """
        async def program():
            before = threading.active_count()
            kinds = set()
            for _ in range(50):
                try:
                    await driver.connect(PATH + "-missing/a.db")
                except BaseException as error:
                    kinds.add(type(error).__name__)
            say(f"{await threads_left(before)} threads left; {', '.join(sorted(kinds))}")
            leave()
        asyncio.run(program())
    """,
    "open is cancelled, 50 times": """
        async def program():
            before = threading.active_count()
            async def opening():
                return await driver.connect(PATH)
            for number in range(50):
                task = asyncio.ensure_future(opening())
                await asyncio.sleep(number % 5 * 0.0001)
                task.cancel()
                try:
                    await (await task).close()
                except asyncio.CancelledError:
                    pass
            say(f"{await threads_left(before)} threads left")
            leave()
        asyncio.run(program())
    """,
    "dropped without close, 50 times": """
        async def program():
            before = threading.active_count()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                for _ in range(50):
                    connection = await driver.connect(PATH)
                    del connection
                left = await threads_left(before)
            say(f"{left} threads left, {sum(w.category is ResourceWarning for w in caught)} warnings")
            leave()
        asyncio.run(program())
    """,
    "used from a second event loop": """
        connection = asyncio.run(opened())
        async def program():
            try:
                say("works" if await asyncio.wait_for(rows(connection, "SELECT 1"), 3) else "?")
            except BaseException as error:
                say(f"{type(error).__name__}")
            leave()
        asyncio.run(program())
    """,
    "the loop is closed with a call under way": """
        complaints = []
        threading.excepthook = lambda arguments: complaints.append(arguments.exc_type.__name__)
        before = threading.active_count()
        async def program():
            global connection
            connection = await opened()
            asyncio.ensure_future(rows(connection, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) SELECT count(*) FROM n"))
            await asyncio.sleep(0.01)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(program())
        loop.close()
        time.sleep(2)
        say(f"the thread dies of {complaints[0]}" if complaints else
            "the thread waits" if threading.active_count() > before else "the thread closes and ends")
        leave()
    """,
    "a row_factory raises StopIteration": """
        def factory(cursor, row):
            raise StopIteration
        async def program():
            connection = await opened()
            connection.row_factory = factory
            try:
                await asyncio.wait_for(rows(connection, "SELECT 1"), 3)
                say("nothing is raised")
            except asyncio.TimeoutError:
                say("hangs")
            except BaseException as error:
                say(type(error).__name__)
            leave()
        asyncio.run(program())
    """,
    "a row_factory raises KeyboardInterrupt": """
        def factory(cursor, row):
            raise KeyboardInterrupt
        async def program():
            threading.excepthook = lambda arguments: None
            connection = await opened()
            connection.row_factory = factory
            try:
                await asyncio.wait_for((await connection.execute("SELECT 1")).fetchall(), 3)
                first = "nothing is raised"
            except asyncio.TimeoutError:
                first = "hangs"
            except BaseException as error:
                first = type(error).__name__
            connection.row_factory = None
            try:
                await asyncio.wait_for(rows(connection, "SELECT 1"), 3)
                say(f"{first}; the worker lives")
            except BaseException:
                say(f"{first}; the worker is dead")
            leave()
        asyncio.run(program())
    """,
    "exit with the connection in a global": """
        connection = asyncio.run(opened())
        say("exits")
    """,
    "exit with a query running": """
        async def program():
            global connection
            connection = await opened()
            asyncio.ensure_future(rows(connection, ENDLESS.replace("30000000", "3000000000")))
            await asyncio.sleep(0.1)
        asyncio.run(program())
        say("exits")
    """,
    "SIGINT during a query": """
        async def program():
            global connection
            connection = await opened()
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            await rows(connection, ENDLESS.replace("30000000", "3000000000"))
        try:
            asyncio.run(program())
        except KeyboardInterrupt:
            say("exits")
    """,
    "used after a fork": """
        connection = asyncio.run(opened())
        child = os.fork()
        if child == 0:
            async def use():
                try:
                    await asyncio.wait_for(rows(connection, "SELECT 1"), 3)
                    say("works")
                except asyncio.TimeoutError:
                    say("hangs")
                except BaseException as error:
                    say(f"{type(error).__name__}")
                leave()
            asyncio.run(use())
        os.waitpid(child, 0)
        leave()
    """,
}


def probe(module: str, program: str) -> str:
    """What a probe says, and whether it ends."""
    with tempfile.TemporaryDirectory() as folder:
        preamble = PREAMBLE.format(module=module, path=str(Path(folder) / "test.db"))
        command = [sys.executable, "-c", preamble + textwrap.dedent(program)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                output, errors = process.communicate(timeout=TIME_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                output, errors = process.communicate()
                return "never exits" if output.strip() in ("", "exits") else f"{output.strip()}; never exits"
    if not output.strip():
        complaint = errors.strip().splitlines()[-1:] or [signal.strsignal(-process.returncode) or "nothing"]
        return f"dies: {complaint[0]}"[:60]
    return output.strip()


def main() -> None:
    print("| | " + " | ".join(f"{name} {importlib.metadata.version(name)}" for name in DRIVERS) + " |")
    print("|---" * (len(DRIVERS) + 1) + "|")
    for name, program in PROBES.items():
        print(f"| {name} | " + " | ".join(probe(module, program) for module in DRIVERS.values()) + " |", flush=True)


if __name__ == "__main__":
    main()
