"""What a connection can do while its pull waits for the server, and the published driver beside it, as a Markdown table.

`cargo xtask bench sync` runs it. Each driver runs in a process of its own, one measurement to a process: it may hang. `--list`
names what is measured.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

# The server of the tests, and the way to start it.
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "python" / "sync"))
from servers import TestServer, program_of

DRIVERS = {"aioturso": "aioturso", "pyturso": "turso"}
"""Distributions, and their packages."""

POLL = 3000
"""How long a pull waits, in milliseconds."""

TIME_LIMIT = 15.0
"""Seconds after which a measurement counts as one that hangs."""

PREAMBLE = """
import asyncio, statistics, sys, threading, time
import {package}.aio.sync as sync
import {package}.sync as blocking
PATH, URL, POLL = {path!r}, {url!r}, {poll!r}

async def select(connection):
    begin = time.perf_counter()
    cursor = await connection.execute("SELECT v FROM t WHERE id = 500")
    await cursor.fetchall()
    return time.perf_counter() - begin

async def opened():
    connection = await sync.connect(PATH, URL, long_poll_timeout_ms=POLL)
    for _ in range(50):
        await select(connection)
    return connection

async def waiting(connection):
    pull = asyncio.ensure_future(connection.pull())
    await asyncio.sleep(0.2)
    return pull

def show(seconds):
    print(f"{{seconds * 1000:.3f}} ms" if seconds < 1 else f"{{seconds:.2f}} s")

"""

MEASUREMENTS = {
    "SELECT, no pull (median of 500)": """
        connection = await opened()
        show(statistics.median([await select(connection) for _ in range(500)]))
    """,
    "SELECT, while a pull waits (median)": """
        connection = await opened()
        pull = await waiting(connection)
        times = [await select(connection)]
        while not pull.done() and len(times) < 500:
            times.append(await select(connection))
        show(statistics.median(times))
    """,
    "ratio of the two, in one process": """
        connection = await opened()
        without = [await select(connection) for _ in range(500)]
        pull = await waiting(connection)
        times = [await select(connection)]
        while not pull.done() and len(times) < 500:
            times.append(await select(connection))
        print(f"{statistics.median(times) / statistics.median(without):.2f}")
    """,
    "cancelled pull returns after": """
        connection = await opened()
        pull = await waiting(connection)
        begin = time.perf_counter()
        pull.cancel()
        try:
            await pull
        except asyncio.CancelledError:
            show(time.perf_counter() - begin)
    """,
    "the SELECT after it": """
        connection = await opened()
        pull = await waiting(connection)
        pull.cancel()
        try:
            await pull
        except asyncio.CancelledError:
            show(await select(connection))
    """,
    "stats(), while a pull waits": """
        connection = await opened()
        pull = await waiting(connection)
        begin = time.perf_counter()
        await connection.stats()
        show(time.perf_counter() - begin)
    """,
    "push() of a row, while a pull waits": """
        connection = await opened()
        await connection.execute("INSERT INTO t(v) VALUES ('new')")
        await connection.commit()
        pull = await waiting(connection)
        begin = time.perf_counter()
        await connection.push()
        show(time.perf_counter() - begin)
    """,
    "close(), while a pull waits": """
        connection = await opened()
        pull = await waiting(connection)
        begin = time.perf_counter()
        await connection.close()
        show(time.perf_counter() - begin)
        try:
            await pull
        except BaseException:
            pass
    """,
    "stats() from another thread": """
        connection = blocking.connect(PATH, URL, long_poll_timeout_ms=POLL)
        puller = threading.Thread(target=connection.pull, daemon=True)
        puller.start()
        time.sleep(0.2)
        begin = time.perf_counter()
        connection.stats()
        show(time.perf_counter() - begin)
        puller.join()
    """,
}
"""What is measured, as the body of a coroutine."""


def measure(package: str, measurement: str, server: TestServer) -> str:
    with tempfile.TemporaryDirectory() as folder:
        values = {"package": package, "path": str(Path(folder) / "replica.db"), "url": server.url, "poll": POLL}
        body = textwrap.indent(textwrap.dedent(measurement), "    ")
        # The process ends at once: what a driver leaves running is not what is measured.
        program = (
            f"async def program():\n{body}\n    import os; sys.stdout.flush(); os._exit(0)\nasyncio.run(program())\n"
        )
        try:
            child = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", PREAMBLE.format(**values) + program],
                capture_output=True,
                text=True,
                timeout=TIME_LIMIT,
            )
        except subprocess.TimeoutExpired:
            return "hangs"
        return child.stdout.strip() or (child.stderr.strip().splitlines() or ["nothing"])[-1]


def main() -> None:
    if "--list" in sys.argv[1:]:
        print("\n".join(MEASUREMENTS))
        return
    server_program = program_of("SYNC_TEST_SERVER")
    if server_program is None:
        sys.exit("SYNC_TEST_SERVER names no server: `cargo xtask bench sync` builds one and sets it")
    drivers = {name: package for name, package in DRIVERS.items() if importlib.util.find_spec(package)}
    with tempfile.TemporaryDirectory() as folder:
        server = TestServer(server_program, Path(folder) / "remote.db")
        server.start()
        try:
            server.run(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
                " INSERT INTO t SELECT i, printf('value %d', i) FROM n",
            )
            print(f"| a pull waits {POLL / 1000:.0f} s |", " | ".join(drivers), "|")
            print("|---|" + "---:|" * len(drivers))
            for name, measurement in MEASUREMENTS.items():
                measured = [measure(package, measurement, server) for package in drivers.values()]
                print(f"| {name} |", " | ".join(measured), "|", flush=True)
        finally:
            server.kill()


main()
