"""What is large, oddly named or without a key, what two write at once, and what breaks in the middle."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import pytest
from replicas import Replica, Replicas, blocking, package
from servers import Server, TestServer

NAMES = ["it's", "with space", "[brackets]", "`ticks`", "é世", "select", "a.b", "a;b", "a--b", "a"]


async def all_hold(server: Server, replicas: list[Replica], sql: str) -> list[Any]:
    """What the server and all replicas hold, which must be the same."""
    rows = server.rows(sql)
    for replica in replicas:
        assert await replica.rows(sql) == rows
        assert await replica.is_sound()
    return rows


async def test_large_values_go_both_ways(server: Server, replicas: Replicas) -> None:
    """Bugs: a value of more than one buffer, or page, or frame is cut, or read as the beginning of the next."""
    blob = bytes(range(256)) * 4096
    async with replicas.open("a", server) as first, replicas.open("b", server) as second:
        await first.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", ("INSERT INTO t VALUES (1, ?)", (blob,)))
        await first.push()
        assert await second.pull() is True
        assert await second.rows("SELECT v FROM t") == [(blob,)]
        await second.run(("UPDATE t SET v = ?", (blob[::-1],)), ("INSERT INTO t VALUES (2, ?)", ("é" * 2**20,)))
        await second.push()
        assert await first.pull() is True
        await second.pull()
        rows = await all_hold(server, [first, second], "SELECT v FROM t ORDER BY id")
        assert rows == [(blob[::-1],), ("é" * 2**20,)]


async def test_rows_without_a_primary_key_are_not_taken_for_each_other(server: Server, replicas: Replicas) -> None:
    """Bugs: equal rows become one; the rows that two replicas have inserted under the same rowid replace each other."""
    async with replicas.open("a", server) as first, replicas.open("b", server) as second:
        await first.run("CREATE TABLE t (v, w)", "INSERT INTO t VALUES (1, 'same'), (1, 'same'), (NULL, NULL)")
        await first.push()
        await second.pull()
        await first.run("INSERT INTO t VALUES (2, 'first')")
        await second.run("INSERT INTO t VALUES (2, 'second')", "DELETE FROM t WHERE v IS NULL")
        for _ in range(2):
            for replica in (first, second):
                await replica.push()
                await replica.pull()
        rows = await all_hold(server, [first, second], "SELECT v, w FROM t ORDER BY v, w")
        assert rows == [(1, "same"), (1, "same"), (2, "first"), (2, "second")]


async def test_a_key_of_two_columns_may_change(server: Server, replicas: Replicas) -> None:
    """Bug: a row is looked for by the key that it has now, found nowhere, and both are kept."""
    async with replicas.open("a", server) as first, replicas.open("b", server) as second:
        await first.run(
            "CREATE TABLE t (k TEXT, n INT, v, PRIMARY KEY (k, n))", "INSERT INTO t VALUES ('a', 1, 'x'), ('b', 2, 'y')"
        )
        await first.push()
        await second.pull()
        await second.run("UPDATE t SET k = 'c' WHERE k = 'a'", "DELETE FROM t WHERE k = 'b'")
        await second.push()
        await first.pull()
        await second.pull()
        assert await all_hold(server, [first, second], "SELECT * FROM t") == [("c", 1, "x")]


async def test_names_that_need_quotes_are_names(server: Server, replicas: Replicas) -> None:
    """Bug: a name is put into SQL as it is; `DROP TABLE a--b` drops `a`."""
    async with replicas.open("a", server) as first, replicas.open("b", server) as second:
        for name in NAMES:
            await first.run(
                f'CREATE TABLE "{name}" (id INTEGER PRIMARY KEY, "a ""b"" \'c\'" TEXT UNIQUE, "order by")',
                f"INSERT INTO \"{name}\" VALUES (1, 'one', 1)",
            )
        await first.push()
        await second.pull()
        for name in NAMES:
            await second.run(f'UPDATE "{name}" SET "a ""b"" \'c\'" = \'ONE\'')
        await second.push()
        await first.pull()
        for name in NAMES:
            assert await all_hold(server, [first, second], f'SELECT * FROM "{name}"') == [(1, "ONE", 1)]
        for name in NAMES[:-1]:
            await first.run(f'DROP TABLE "{name}"')
        await first.push()
        await second.pull()
        await first.pull()
        rows = await all_hold(
            server, [first, second], "SELECT name FROM sqlite_schema WHERE sql LIKE '%order by%' ORDER BY name"
        )
        assert rows == [("a",)]


async def test_a_conflict_in_a_table_and_a_column_that_need_quotes_is_resolved(
    server: Server, replicas: Replicas
) -> None:
    """Bug: the statement that makes room on the server names the wrong column, or is none."""
    async with replicas.open("a", server) as first, replicas.open("b", server) as second:
        await first.run('CREATE TABLE "it\'s (a) table" (id INTEGER PRIMARY KEY, "the name" TEXT UNIQUE)')
        await first.push()
        await second.pull()
        for keep, expected in (("local", (2, "x")), ("remote", (1, "x"))):
            server.run('DELETE FROM "it\'s (a) table"')
            await first.pull()
            await second.pull()
            await first.run("INSERT INTO \"it's (a) table\" VALUES (1, 'x')")
            await second.run("INSERT INTO \"it's (a) table\" VALUES (2, 'x')")
            await first.push()
            with pytest.raises(package.IntegrityError):
                await second.push()
            [conflict] = await second.conflicts()
            await second.resolve(conflict, keep)
            await second.push()
            await second.pull()
            await first.pull()
            assert await all_hold(server, [first, second], 'SELECT * FROM "it\'s (a) table"') == [expected]


@pytest.mark.parametrize("other", ["x", "y"])
async def test_a_column_that_both_sides_add(server: Server, replicas: Replicas, other: str) -> None:
    """Bug: what stood in the column of the one stood in that of the other after a pull, and nobody was told."""
    async with replicas.open("a", server) as first, replicas.open("b", server) as second:
        await first.run("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
        await first.push()
        await second.pull()
        await first.run("ALTER TABLE t ADD COLUMN x", "INSERT INTO t VALUES (2, 'of the first')")
        await second.run(f"ALTER TABLE t ADD COLUMN {other}", "INSERT INTO t VALUES (3, 'of the second')")
        await first.push()
        if other != "x":
            with pytest.raises(package.OperationalError, match=r'"t" has other columns.*push\(\) first'):
                await second.pull()
        await second.push()
        await second.pull()
        await first.pull()
        rows = await all_hold(server, [first, second], f"SELECT id, x, {other} FROM t ORDER BY id")
        expected: Any = (3, None, "of the second") if other == "y" else (3, "of the second", "of the second")
        assert rows[2] == expected


@pytest.mark.parametrize("logical", [True, False])
async def test_the_logical_stream_may_be_asked_for_of_servers_that_have_none(
    server: Server, replicas: Replicas, logical: bool
) -> None:
    """Bug: pages are read as a stream of changes, or the other way round. (Neither server speaks the stream.)"""
    server.run("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    async with replicas.open("a", server, logical_mvcc_pull=logical) as replica:
        await replica.run("INSERT INTO t VALUES (2)")
        await replica.push()
        server.run("INSERT INTO t VALUES (3)")
        assert await replica.pull() is True
        assert await all_hold(server, [replica], "SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,)]


RESERVED = {"aes128gcm": 28, "aes256gcm": 28, "chacha20poly1305": 28, "aegis128l": 32, "aegis256": 48, "aegis256x4": 48}
"""How many bytes of each page a cipher needs on the server: its nonce and its tag."""


@pytest.mark.parametrize("cipher", RESERVED)
async def test_pages_have_room_for_the_cipher_of_the_server(
    test_server: TestServer, replicas: Replicas, cipher: str
) -> None:
    """Bugs: the server can't encrypt the pages of a database that began here; a request goes without the key."""
    options = {"remote_encryption_cipher": cipher, "remote_encryption_key": "a2V5", "bootstrap_if_empty": False}
    async with replicas.open("a", test_server, **options) as replica:
        await replica.run("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
        await replica.push()
        await replica.checkpoint()
        await replica.pull()
    with open(replicas.path("a"), "rb") as file:
        assert file.read(21)[20] == RESERVED[cipher]
    requests = test_server.requests()
    assert len(requests) >= 3
    assert all(request["headers"]["x-turso-encryption-key"] == "a2V5" for request in requests)
    with pytest.raises(package.OperationalError, match=r"encrypted"):
        await replicas.connect("b", test_server, **{**options, "bootstrap_if_empty": True}, logical_mvcc_pull=True)


OTHER_PROCESS = """
    import sys
    import aioturso, aioturso.{module} as module
    try:
        connection = module.connect(sys.argv[1], *sys.argv[2:], timeout=0.2)
        connection.execute("INSERT INTO t VALUES (2)")
    except aioturso.OperationalError as error:
        print(error)
"""


@pytest.mark.parametrize("module", ["sync", "lib"])
async def test_another_process_is_kept_out(test_server: TestServer, replicas: Replicas, module: str) -> None:
    """Bug: two engines that know nothing of each other write the same files."""
    test_server.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    program = textwrap.dedent(OTHER_PROCESS).format(module=module)
    arguments = [replicas.path("a"), *([test_server.url] if module == "sync" else [])]
    async with replicas.open("a", test_server) as replica:
        await replica.run("INSERT INTO t VALUES (1)")
        command = [sys.executable, "-W", "ignore", "-c", program, *arguments]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
        assert (done.stderr, "database is locked" in done.stdout) == ("", True), done
        await replica.push()
        assert await all_hold(test_server, [replica], "SELECT id FROM t") == [(1,)]


def test_a_server_that_is_killed_in_the_middle_of_a_push_has_all_of_it_or_nothing(
    test_server: TestServer, path: str
) -> None:
    """Bugs: half of a push is kept; what was kept is pushed again."""
    connection = blocking.connect(path, test_server.url)
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
    connection.execute("CREATE TABLE log (v)")
    connection.commit()
    connection.push()
    for number in range(4):
        rows = [(1000 * number + row, "x" * 300) for row in range(500)]
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        connection.execute("INSERT INTO log VALUES (?)", (number,))
        connection.commit()
        before = test_server.counters()["push"]
        outcomes: list[BaseException | None] = []

        def push(outcomes: list[BaseException | None] = outcomes) -> None:
            try:
                connection.push()
            except package.OperationalError as error:
                outcomes.append(error)
            else:
                outcomes.append(None)

        pusher = threading.Thread(target=push)
        pusher.start()
        # The second request brings the changes; the server is at it now.
        while test_server.counters()["push"] < before + 2 and not outcomes:
            time.sleep(0.001)
        time.sleep(0.04 * number)
        test_server.restart()
        pusher.join()
        [kept] = test_server.rows("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM log)")
        assert kept in [(500 * number, number), (500 * number + 500, number + 1)], outcomes
        connection.push()
        assert test_server.rows("SELECT count(*) FROM t") == [(500 * number + 500,)]
        assert test_server.rows("SELECT v FROM log ORDER BY v") == [(past,) for past in range(number + 1)]
    connection.pull()
    assert connection.execute("SELECT count(*) FROM log").fetchall() == [(4,)]
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


FULL_DISK = """
    import os, resource, signal, sys
    import aioturso, aioturso.sync

    path, url, fill = sys.argv[1:]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    connection = aioturso.sync.connect(path, url)
    connection.execute("INSERT INTO t VALUES (2, 'here')")
    connection.commit()
    print("ready", flush=True)
    sys.stdin.readline()
    largest = max(os.path.getsize(path + suffix) for suffix in ("", "-wal", "-changes") if os.path.exists(path + suffix))
    for room in (1_000, 50_000, 600_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + room, resource.RLIM_INFINITY))
        try:
            connection.pull()
        except aioturso.Error as error:
            print(type(error).__name__, flush=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(connection.execute("SELECT id FROM t ORDER BY id").fetchall(), flush=True)
    connection.pull()
    connection.push()
    print(connection.execute("SELECT count(*), (SELECT v FROM t WHERE id = 2) FROM t").fetchall(), flush=True)
    print(connection.execute("PRAGMA integrity_check").fetchall(), flush=True)
    connection.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of files")
def test_a_disk_that_is_full_ends_a_pull_and_harms_nothing(test_server: TestServer, path: str) -> None:
    """Bug: half of what came is in the file. (A limit for the size of files stands for the disk.)"""
    test_server.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 'there')")
    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), path, test_server.url, ""]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        test_server.run(
            "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 400)"
            " INSERT INTO t SELECT i, zeroblob(4000) FROM n"
        )
        said, _ = child.communicate("\n", timeout=60)
    failed = "OperationalError\n[(1,), (2,)]\n"
    assert said == failed * 3 + "[(393, 'here')]\n[('ok',)]\n"
    assert test_server.rows("SELECT v FROM t WHERE id = 2") == [("here",)]
