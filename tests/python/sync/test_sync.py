"""What sync is for, against both servers, in both colours."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from replicas import DRIVER, Replica, Replicas
from servers import Server, TestServer, Value

ORDER = "SELECT * FROM t ORDER BY id"

VALUES: list[Value] = [
    None,
    0,
    -1,
    2**63 - 1,
    -(2**63),
    2**53 + 1,
    0.0,
    0.1,
    -1.5e308,
    5e-324,
    1.0,
    "",
    "text",
    "Grüße, 世界, \U0001f600",
    "with 'quotes' and \"others\"",
    "12",
    "line\nline",
    b"",
    b"\x00\xff\x00",
    bytes(range(256)),
    b"long" * 5_000,
    "long " * 5_000,
]


async def assert_equal(replica: Replica, server: Server, sql: str = ORDER) -> list[tuple[Value, ...]]:
    rows = await replica.rows(sql)
    assert rows == server.rows(sql)
    assert await replica.is_sound()
    return rows


async def test_an_empty_database_is_bootstrapped(server: Server, replicas: Replicas) -> None:
    async with replicas.open("a", server) as replica:
        assert await replica.rows("SELECT count(*) FROM sqlite_schema WHERE name = 't'") == [(0,)]
        assert await replica.pull() is False


async def test_a_filled_database_is_bootstrapped_with_all_that_it_has(server: Server, replicas: Replicas) -> None:
    server.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
        "CREATE INDEX t_v ON t (v)",
        "CREATE VIEW w AS SELECT v FROM t WHERE id > 500",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
        " INSERT INTO t SELECT i, printf('value %d', i) FROM n",
    )
    async with replicas.open("a", server) as replica:
        assert len(await assert_equal(replica, server)) == 1000
        assert await replica.rows("SELECT count(*) FROM w") == [(500,)]
        assert await replica.rows("SELECT id FROM t WHERE v = 'value 700'") == [(700,)]
        assert await replica.pull() is False
    async with replicas.open("chunks", server, pull_bytes_threshold=4096) as replica:
        assert len(await assert_equal(replica, server)) == 1000


async def test_what_was_pushed_is_on_the_server_and_pulled_once(server: Server, replicas: Replicas) -> None:
    async with replicas.open("a", server) as first, replicas.open("b", server) as second:
        await first.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 'one'), (2, 'two')")
        assert await second.pull() is False
        await first.push()
        assert server.rows(ORDER) == [(1, "one"), (2, "two")]
        assert await second.pull() is True
        assert await second.pull() is False
        await assert_equal(second, server)
        await first.push()
        assert server.rows("SELECT count(*) FROM t") == [(2,)], "a second push sends nothing again"
        server.run("UPDATE t SET v = 'TWO' WHERE id = 2")
        assert await second.pull() is True
        await assert_equal(second, server)


async def test_two_replicas_write_in_turn_and_at_once(server: Server, replicas: Replicas) -> None:
    server.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
    async with replicas.open("a", server) as first, replicas.open("b", server) as second:
        for turn in range(5):
            await first.run(("INSERT INTO t VALUES (?, 'first')", (10 * turn,)))
            await second.run(("INSERT INTO t VALUES (?, 'second')", (10 * turn + 1,)))
            await first.push()
            # What is pulled goes below what was written and not pushed yet.
            assert await second.pull() is True
            assert await second.rows("SELECT v FROM t WHERE id IN (?, ?) ORDER BY id", (10 * turn, 10 * turn + 1)) == [
                ("first",),
                ("second",),
            ]
            await second.push()
            assert await first.pull() is True
            await first.run(("UPDATE t SET v = 'changed' WHERE id = ?", (10 * turn + 1,)))
            await second.run(
                ("DELETE FROM t WHERE id = ?", (10 * turn - 10,)), ("INSERT INTO t(v) VALUES (?)", (turn,))
            )
            await second.push()
            await first.push()
            assert await second.pull() is True
            await first.pull()
            assert await assert_equal(first, server) == await assert_equal(second, server)


async def test_a_change_of_the_schema_arrives_on_the_other_side(server: Server, replicas: Replicas) -> None:
    server.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 'one')")
    async with replicas.open("a", server) as first, replicas.open("b", server) as second:
        await first.run("ALTER TABLE t ADD COLUMN w", "CREATE TABLE u (x TEXT)", "CREATE INDEX t_v ON t (v)")
        await first.run("INSERT INTO t VALUES (2, 'two', 'new')", "INSERT INTO u VALUES ('u')")
        await first.push()
        assert await second.pull() is True
        assert await assert_equal(second, server) == [(1, "one", None), (2, "two", "new")]
        assert await second.rows("SELECT x FROM u") == [("u",)]
        server.run("DROP TABLE u", "ALTER TABLE t RENAME COLUMN w TO width")
        assert await second.pull() is True
        assert await second.rows("SELECT width FROM t ORDER BY id") == [(None,), ("new",)]
        assert await second.rows("SELECT count(*) FROM sqlite_schema WHERE name = 'u'") == [(0,)]
        assert await second.is_sound()


async def test_every_value_arrives_as_it_was(server: Server, replicas: Replicas) -> None:
    async with replicas.open("a", server) as first, replicas.open("b", server) as second:
        await first.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
        await first.run_many("INSERT INTO t VALUES (?, ?)", list(enumerate(VALUES)))
        await first.push()
        assert await second.pull() is True
        sql = "SELECT id, typeof(v), v FROM t ORDER BY id"
        rows = await assert_equal(second, server, sql)
        assert rows == await first.rows(sql)
        assert [(row[2], type(row[2])) for row in rows] == [(value, type(value)) for value in VALUES]


async def test_a_thousand_changes_go_in_one_push(server: Server, replicas: Replicas) -> None:
    async with replicas.open("a", server) as first, replicas.open("b", server) as second:
        await first.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
        await first.run_many("INSERT INTO t VALUES (?, ?)", [(number, f"value {number}") for number in range(1000)])
        await first.push()
        assert await second.pull() is True
        assert len(await assert_equal(second, server)) == 1000


async def test_a_threshold_splits_a_push_at_the_ends_of_transactions(server: Server, replicas: Replicas) -> None:
    async with replicas.open("a", server, push_operations_threshold=100) as first:
        await first.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
        await first.push()
        pushes = server.counters()["push"] if isinstance(server, TestServer) else 0
        for start in range(0, 1000, 50):
            await first.run_many("INSERT INTO t VALUES (?, ?)", [(start + number, "v") for number in range(50)])
        await first.push()
        if isinstance(server, TestServer):
            assert server.counters()["push"] - pushes == 1 + 10, (
                "one asks what the server has; two transactions fill a batch"
            )
        assert len(await assert_equal(first, server)) == 1000
        assert (await first.stats()).cdc_operations == 0


async def test_a_checkpoint_makes_the_log_small_and_loses_nothing(server: Server, replicas: Replicas) -> None:
    server.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
    async with replicas.open("a", server) as replica:
        await replica.run_many("INSERT INTO t VALUES (?, ?)", [(number, "value " * 20) for number in range(500)])
        before = await replica.stats()
        await replica.checkpoint()
        after = await replica.stats()
        assert after.main_wal_size < before.main_wal_size
        await replica.push()
        server.run("INSERT INTO t VALUES (1000, 'of the server')")
        assert await replica.pull() is True
        await replica.checkpoint()
        assert len(await assert_equal(replica, server)) == 501
        await replica.run("INSERT INTO t VALUES (1001, 'after it')")
        await replica.push()
        await assert_equal(replica, server)
    async with replicas.open("a", server) as replica:
        assert len(await assert_equal(replica, server)) == 502


async def test_statistics_tell_what_has_happened(server: Server, replicas: Replicas) -> None:
    server.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
    async with replicas.open("a", server) as replica:
        begin = await replica.stats()
        assert begin.cdc_operations == 0
        assert begin.last_push_unix_time is None
        assert begin.network_received_bytes > 4096, "the bootstrap brings whole pages"
        await replica.run("INSERT INTO t VALUES (1, 'one'), (2, 'two')")
        written = await replica.stats()
        assert written.cdc_operations == 2
        assert written.main_wal_size > begin.main_wal_size
        await replica.push()
        pushed = await replica.stats()
        assert pushed.cdc_operations == 0
        assert pushed.last_push_unix_time is not None
        assert pushed.network_sent_bytes > written.network_sent_bytes
        server.run("INSERT INTO t VALUES (3, 'three')")
        assert await replica.pull() is True
        pulled = await replica.stats()
        assert pulled.revision != begin.revision
        assert pulled.last_pull_unix_time is not None
        assert pulled.network_received_bytes > pushed.network_received_bytes


PROGRAM = """
    import os, sys
    import {driver}.sync as sync

    connection = sync.connect(sys.argv[1], sys.argv[2])
    connection.execute("INSERT INTO t VALUES (?, 'of another process')", (int(sys.argv[3]),))
    connection.commit()
    {end}
"""


def run_in_another_process(path: str, url: str, number: int, end: str) -> None:
    program = textwrap.dedent(PROGRAM).format(driver=DRIVER, end=end)
    subprocess.run([sys.executable, "-c", program, path, url, str(number)], check=True, timeout=60)


async def test_a_replica_goes_on_after_a_restart_of_its_process_and_of_the_server(
    server: Server, replicas: Replicas
) -> None:
    server.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (0, 'zero')")
    path = replicas.path("a")
    run_in_another_process(path, server.url, 1, "connection.close()")
    run_in_another_process(path, server.url, 2, "connection.push(); connection.close()")
    # As a process ends that is killed: nothing is closed, and the change was not pushed.
    run_in_another_process(path, server.url, 3, "os._exit(0)")
    server.restart()
    async with replicas.open("a", server) as replica:
        assert len(await replica.rows(ORDER)) == 4
        assert server.rows("SELECT count(*) FROM t") == [(3,)]
        await replica.push()
        await replica.pull()
        assert len(await assert_equal(replica, server)) == 4
        server.restart()
        server.run("INSERT INTO t VALUES (4, 'of the server')")
        assert await replica.pull() is True
        await replica.run("INSERT INTO t VALUES (5, 'after it')")
        server.restart()
        await replica.push()
        assert len(await assert_equal(replica, server)) == 6


async def test_a_database_that_began_offline_is_joined_with_the_server(server: Server, replicas: Replicas) -> None:
    server.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 'of the server')")
    server.kill()
    async with replicas.open("a", server, bootstrap_if_empty=False) as replica:
        await replica.run("CREATE TABLE own (x TEXT)", "INSERT INTO own VALUES ('offline')")
    async with replicas.open("a", server, bootstrap_if_empty=False) as replica:
        assert await replica.rows("SELECT x FROM own") == [("offline",)]
        with pytest.raises(Exception, match=r"(?i)refused|connect"):
            await replica.push()
        server.start()
        assert await replica.pull() is True
        assert await replica.rows(ORDER) == [(1, "of the server")]
        assert await replica.rows("SELECT x FROM own") == [("offline",)]
        await replica.push()
        assert server.rows("SELECT x FROM own") == [("offline",)]
        await assert_equal(replica, server)


async def test_pages_are_fetched_as_they_are_read(server: Server, replicas: Replicas) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("the engine fetches pages as they are read on Linux alone")
    server.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
        " INSERT INTO t SELECT i, printf('%0500d', i) FROM n",
    )
    strategy = _partial(prefix=128 * 1024)
    async with replicas.open("a", server, partial_sync_experimental=strategy) as replica:
        fetched = (await replica.stats()).network_received_bytes
        assert fetched < os.path.getsize(str(server.database) + "-wal") / 2
        assert await replica.rows("SELECT v FROM t WHERE id = 1999") == [(f"{1999:0500}",)]
        assert (await replica.stats()).network_received_bytes > fetched
        await replica.run("INSERT INTO t VALUES (5000, 'own')")
        await replica.push()
        server.run("INSERT INTO t VALUES (5001, 'of the server')")
        assert await replica.pull() is True
        assert len(await assert_equal(replica, server)) == 2002


def _partial(*, prefix: int) -> object:
    from replicas import blocking

    module = blocking
    if not hasattr(module, "PartialSyncOpts"):
        import importlib

        module = importlib.import_module(f"{DRIVER}.lib_sync")
    return module.PartialSyncOpts(module.PartialSyncPrefixBootstrap(prefix))
