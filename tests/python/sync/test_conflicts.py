"""A local change that the server refuses is lost by nothing: it is named, kept, and decided about."""

from __future__ import annotations

from typing import Any

import pytest
from replicas import Replica, Replicas, package
from servers import Server, TestServer

INTEGRITY: type[Exception] = package.IntegrityError


async def collide(server: Server, first: Replica, second: Replica) -> Any:
    """Both insert the same name; the second is refused. Returns the conflict."""
    await first.run("INSERT INTO t VALUES (1, 'Ada', 'of the first')")
    await second.run(
        "INSERT INTO t VALUES (2, 'Ada', 'of the second')", "INSERT INTO t VALUES (3, 'Grace', 'of the second')"
    )
    await first.push()
    with pytest.raises(INTEGRITY, match=r'(?s)row 2 of table "t".*UNIQUE constraint failed: t\.name.*resolve\('):
        await second.push()
    [conflict] = await second.conflicts()
    assert (conflict.table, conflict.rowid, conflict.operation) == ("t", 2, "insert")
    assert "UNIQUE constraint failed: t.name" in conflict.reason
    assert server.rows("SELECT id FROM t") == [(1,)], "nothing of a refused push is kept"
    assert await second.rows("SELECT id FROM t ORDER BY id") == [(2,), (3,)], "the local rows are as they were"
    return conflict


@pytest.fixture
def table(server: Server) -> Server:
    server.run("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, whose TEXT)")
    return server


async def test_until_it_is_decided_neither_push_nor_pull_goes_on(table: Server, replicas: Replicas) -> None:
    async with replicas.open("a", table) as first, replicas.open("b", table) as second:
        conflict = await collide(table, first, second)
        for _ in range(2):
            for call in (second.push, second.pull):
                with pytest.raises(INTEGRITY, match=r'row 2 of table "t"'):
                    await call()
        assert await second.conflicts() == [conflict]
        await second.run("INSERT INTO t VALUES (4, 'Edsger', 'of the second')")
        assert await second.rows("SELECT count(*) FROM t") == [(3,)]
        assert table.rows("SELECT count(*) FROM t") == [(1,)]


async def test_it_is_known_after_a_restart(table: Server, replicas: Replicas) -> None:
    async with replicas.open("a", table) as first:
        async with replicas.open("b", table) as second:
            conflict = await collide(table, first, second)
        async with replicas.open("b", table) as second:
            assert await second.conflicts() == [conflict]
            with pytest.raises(INTEGRITY):
                await second.push()
            await second.resolve(conflict, "remote")
        async with replicas.open("b", table) as second:
            assert await second.conflicts() == []
            await second.push()


async def test_the_local_side_prevails(table: Server, replicas: Replicas) -> None:
    async with replicas.open("a", table) as first, replicas.open("b", table) as second:
        conflict = await collide(table, first, second)
        await second.resolve(conflict, "local")
        assert await second.conflicts() == []
        await second.push()
        expected = [(2, "Ada", "of the second"), (3, "Grace", "of the second")]
        assert table.rows("SELECT * FROM t ORDER BY id") == expected
        for replica in (first, second):
            await replica.pull()
            assert await replica.rows("SELECT * FROM t ORDER BY id") == expected
            assert await replica.is_sound()
            assert (await replica.stats()).cdc_operations == 0


async def test_the_remote_side_prevails(table: Server, replicas: Replicas) -> None:
    async with replicas.open("a", table) as first, replicas.open("b", table) as second:
        conflict = await collide(table, first, second)
        await second.resolve(conflict, "remote")
        await second.pull()
        await second.push()
        expected = [(1, "Ada", "of the first"), (3, "Grace", "of the second")]
        assert table.rows("SELECT * FROM t ORDER BY id") == expected
        for replica in (first, second):
            await replica.pull()
            assert await replica.rows("SELECT * FROM t ORDER BY id") == expected
            assert await replica.is_sound()
            assert (await replica.stats()).cdc_operations == 0


async def test_each_of_several_is_decided_by_itself(table: Server, replicas: Replicas) -> None:
    async with replicas.open("a", table) as first, replicas.open("b", table) as second:
        for number in range(6):
            await first.run(("INSERT INTO t VALUES (?, ?, 'first')", (number, f"name {number}")))
            await second.run(("INSERT INTO t VALUES (?, ?, 'second')", (100 + number, f"name {number}")))
        await first.push()
        decided = 0
        while True:
            try:
                await second.push()
                break
            except INTEGRITY:
                for conflict in await second.conflicts():
                    await second.resolve(conflict, "local" if conflict.rowid % 2 else "remote")
                    decided += 1
        assert decided == 6
        await second.pull()
        await first.pull()
        expected = sorted((100 + n, "second") if n % 2 else (n, "first") for n in range(6))
        for rows in (table.rows, first.rows, second.rows):
            found = rows("SELECT id, whose FROM t ORDER BY id")
            assert (found if isinstance(found, list) else await found) == expected


async def test_a_decision_is_asked_for_in_the_two_words_and_taken_once(table: Server, replicas: Replicas) -> None:
    async with replicas.open("a", table) as first, replicas.open("b", table) as second:
        conflict = await collide(table, first, second)
        with pytest.raises((package.ProgrammingError, ValueError), match=r"local.*remote"):
            await second.resolve(conflict, "mine")
        assert await second.conflicts() == [conflict]
        await second.resolve(conflict, "remote")
        with pytest.raises(package.ProgrammingError, match=r"resolved already"):
            await second.resolve(conflict, "remote")


async def test_what_a_check_of_the_server_refuses_goes_when_that_is_mended(table: Server, replicas: Replicas) -> None:
    async with replicas.open("a", table) as replica:
        await replica.run("INSERT INTO t VALUES (1, 'Ada', 'ours')")
        table.run("CREATE TABLE other (id INTEGER PRIMARY KEY, name TEXT UNIQUE, whose TEXT CHECK (whose <> 'ours'))")
        table.run("DROP TABLE t", "ALTER TABLE other RENAME TO t")
        with pytest.raises(INTEGRITY, match=r'(?s)row 1 of table "t".*CHECK constraint failed'):
            await replica.push()
        assert await replica.rows("SELECT name FROM t") == [("Ada",)]
        table.run("CREATE TABLE mended (id INTEGER PRIMARY KEY, name TEXT UNIQUE, whose TEXT)")
        table.run("DROP TABLE t", "ALTER TABLE mended RENAME TO t")
        [conflict] = await replica.conflicts()
        await replica.resolve(conflict, "local")
        await replica.push()
        assert table.rows("SELECT name FROM t") == [("Ada",)]


async def test_an_answer_that_gets_lost_leaves_a_conflict_a_conflict(
    test_server: TestServer, replicas: Replicas
) -> None:
    test_server.run("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, whose TEXT)")
    async with replicas.open("a", test_server) as first, replicas.open("b", test_server) as second:
        await first.run("INSERT INTO t VALUES (1, 'Ada', 'of the first')")
        await second.run("INSERT INTO t VALUES (2, 'Ada', 'of the second')")
        await first.push()
        test_server.fail("drop_answer", "push", skip=1)
        with pytest.raises(package.OperationalError):
            await second.push()
        with pytest.raises(INTEGRITY):
            await second.push()
        assert test_server.rows("SELECT id FROM t") == [(1,)]
        assert await second.rows("SELECT id FROM t") == [(2,)]


async def refused(replica: Replica) -> Any:
    """The conflict of a push that a unique value of the server is in the way of."""
    with pytest.raises(INTEGRITY, match="UNIQUE constraint failed"):
        await replica.push()
    [conflict] = await replica.conflicts()
    return conflict


CHANGES = ["INSERT INTO u VALUES (1, 'Ada', 1)", "UPDATE u SET name = 'Ada' WHERE id = 2"]


async def test_the_local_side_takes_the_place_of_no_row_but_those_that_stand_in_its_way(
    server: Server, replicas: Replicas
) -> None:
    cases: list[tuple[str, str, list[Any]]] = [
        # Bug: nothing was removed, because the words of the refusal name no column, and it could be resolved for ever.
        ("u (lower(name))", "(7, 'ADA', 1), (8, 'Grace', 1)", [(8, "Grace", 1)]),
        ("u (name COLLATE NOCASE)", "(7, 'ADA', 1), (8, 'Grace', 1)", [(8, "Grace", 1)]),
        # Bug: a row that the index does not hold was removed too.
        ("u (name) WHERE live", "(7, 'Ada', 1), (8, 'Ada', 0)", [(8, "Ada", 0)]),
        ("u (name, live)", "(7, 'Ada', 1), (8, 'Ada', 0)", [(8, "Ada", 0)]),
    ]
    server.run("CREATE TABLE u (id INTEGER PRIMARY KEY, name TEXT, live INT)")
    async with replicas.open("a", server) as replica:
        for index, theirs, kept in cases:
            for change in CHANGES:
                server.run(
                    "DROP INDEX IF EXISTS e",
                    "DELETE FROM u",
                    f"CREATE UNIQUE INDEX e ON {index}",
                    "INSERT INTO u VALUES (2, 'Edsger', 1)",
                )
                await replica.pull()
                await replica.run(change)
                server.run(f"INSERT INTO u VALUES {theirs}")
                await replica.resolve(await refused(replica), "local")
                await replica.push()
                await replica.pull()
                ours = [(1, "Ada", 1), (2, "Edsger", 1)] if change.startswith("INSERT") else [(2, "Ada", 1)]
                assert server.rows("SELECT * FROM u ORDER BY id") == ours + kept, (index, change)
                assert await replica.rows("SELECT * FROM u ORDER BY id") == ours + kept, (index, change)
        assert await replica.is_sound()


async def test_the_local_side_is_what_it_is_when_it_is_pushed(server: Server, replicas: Replicas) -> None:
    cases: list[tuple[list[str], list[Any], list[Any]]] = [
        # Bug: the server's row went in the first, the second and the fourth of these too.
        (["DELETE FROM u WHERE id = {id}"], [], [(7, "Ada")]),
        (["UPDATE u SET name = 'Grace' WHERE id = {id}"], [("{id}", "Grace")], [(7, "Ada")]),
        (["UPDATE u SET live = 2 WHERE id = {id}"], [("{id}", "Ada")], []),
        (["UPDATE u SET id = 9, name = 'Grace' WHERE id = {id}"], [(9, "Grace")], [(7, "Ada")]),
        # Edsger is still the name of another row when this one is pushed.
        (
            ["UPDATE u SET name = 'Kurt' WHERE id = 3", "UPDATE u SET name = 'Edsger' WHERE id = {id}"],
            [("{id}", "Edsger")],
            [],
        ),
    ]
    server.run("CREATE TABLE u (id INTEGER PRIMARY KEY, name TEXT UNIQUE, live INT)")
    async with replicas.open("a", server) as replica:
        for mending, local, remote in cases:
            for row, change in enumerate(CHANGES, start=1):
                server.run("DELETE FROM u", "INSERT INTO u VALUES (2, 'Alan', 1), (3, 'Edsger', 1)")
                await replica.pull()
                await replica.run(change)
                server.run("INSERT INTO u VALUES (7, 'Ada', 1)")
                conflict = await refused(replica)
                await replica.run(*(statement.format(id=row) for statement in mending))
                await replica.resolve(conflict, "local")
                await replica.push()
                await replica.pull()
                expected = [(3, "Kurt" if len(mending) > 1 else "Edsger"), *remote]
                expected += [(int(str(key).format(id=row)), name) for key, name in local]
                expected += [(2, "Alan")] if row == 1 else []
                for rows in (server.rows, replica.rows):
                    found = rows("SELECT id, name FROM u ORDER BY id")
                    assert (found if isinstance(found, list) else await found) == sorted(expected), (mending, change)
                assert (await replica.stats()).cdc_operations == 0
