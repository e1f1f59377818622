"""What the queue promises, each promise through both faces."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import textwrap
import time
from contextlib import suppress

import pytest
import turso_jobs
from faces import Face
from turso_jobs import JobsError, LeaseLost, NoRow, NoSuchJob, NotMigrated, TransactionOver


async def test_a_job_is_delivered_done_and_counted(face: Face, path: str) -> None:
    async with face.open(path) as client:
        assert await face.call(client, "migrate") == 0
        assert await face.call(client, "migrate") == 1
        number = await face.call(client, "insert", "greet", '{"whom": "Ada"}', priority=3)
        [job] = await face.call(client, "claim")
        assert (job.id, job.kind, job.payload, job.state) == (number, "greet", '{"whom": "Ada"}', "running")
        assert (job.queue, job.priority, job.attempt, job.max_attempts, job.error) == ("default", 3, 1, 5, None)
        assert await face.call(client, "claim") == []
        await face.call(client, "complete", job.id, job.attempt)
        [stats] = await face.call(client, "queue_stats")
        assert (stats.queue, stats.completed, stats.running, stats.available) == ("default", 1, 0, 0)
        health = await face.call(client, "health_check")
        assert (health.schema_version, health.jobs) == (1, 1)


async def test_the_urgent_come_first_and_the_delayed_later(face: Face, path: str) -> None:
    async with face.open(path) as client:
        await face.call(client, "migrate")
        low = await face.call(client, "insert", "a")
        high = await face.call(client, "insert", "a", priority=9)
        await face.call(client, "insert", "a", delay=60.0)
        jobs = await face.call(client, "claim", limit=10)
        assert [job.id for job in jobs] == [high, low]


async def test_a_failed_job_comes_again_later_until_its_attempts_are_used_up(face: Face, path: str) -> None:
    async with face.open(path, backoff=0.001, max_attempts=2) as client:
        await face.call(client, "migrate")
        number = await face.call(client, "insert", "a")
        [job] = await face.call(client, "claim")
        await face.call(client, "fail", job.id, job.attempt, "no network")
        [waiting] = await face.call(client, "list_jobs", state="available")
        assert waiting.error == "no network"
        assert waiting.run_at > job.run_at
        [again] = await face.deliveries(client, 1)
        assert (again.id, again.attempt) == (number, 2)
        await face.call(client, "fail", again.id, again.attempt, "still no network")
        [failed] = await face.call(client, "list_jobs", "default", "a", "failed")
        assert failed.error == "still no network"
        assert await face.call(client, "claim") == []
        assert await face.call(client, "retry_failed", kind="b") == 0
        assert await face.call(client, "retry_failed", kind="a") == 1
        [job] = await face.call(client, "claim")
        assert job.attempt == 1


async def test_each_failure_doubles_the_wait_up_to_the_longest(face: Face, path: str) -> None:
    async with face.open(path, backoff=10.0, longest_backoff=35.0, max_attempts=9) as client:
        await face.call(client, "migrate")
        await face.call(client, "insert", "a")
        for wait in (10.0, 20.0, 35.0, 35.0):
            [job] = await face.call(client, "claim")
            before = time.time()
            await face.call(client, "fail", job.id, job.attempt, "no network")
            after = time.time()
            assert await face.call(client, "claim") == []
            [waiting] = await face.call(client, "list_jobs")
            assert before + wait <= waiting.run_at <= after + wait
            async with face.transaction(client) as transaction:
                await face.call(transaction, "execute", "UPDATE job SET run_at = 0")


async def test_a_lease_that_runs_out_gives_the_job_to_the_next_and_is_told_to_the_late(face: Face, path: str) -> None:
    """At least once: a worker that died must not keep its job. And a late one must not complete the other's."""
    async with face.open(path, max_attempts=2) as client:
        await face.call(client, "migrate")
        await face.call(client, "insert", "a")
        [late] = await face.call(client, "claim", lease=600.0)
        assert await face.call(client, "claim") == [], "it belongs to the first still"
        await face.call(client, "extend", late.id, late.attempt, 0.05)
        await asyncio.sleep(0.1)
        [other] = await face.call(client, "claim", lease=600.0)
        assert (other.id, other.attempt) == (late.id, 2)
        with pytest.raises(LeaseLost, match="attempt 1 of job 1"):
            await face.call(client, "complete", late.id, late.attempt)
        await face.call(client, "extend", other.id, other.attempt, 0.05)
        await asyncio.sleep(0.1)
        assert await face.call(client, "claim") == [], "its attempts are used up"
        [failed] = await face.call(client, "list_jobs", state="failed")
        assert failed.error == "its lease ran out"


async def test_a_transaction_keeps_all_at_its_end_and_nothing_after_an_exception(face: Face, path: str) -> None:
    async with face.open(path) as client:
        await face.call(client, "migrate")
        async with face.transaction(client) as transaction:
            await face.call(transaction, "execute", "CREATE TABLE visitor (name TEXT)")
            assert await face.call(transaction, "execute", "INSERT INTO visitor VALUES (?), (?)", ("Ada", "Grace")) == 2
            assert await face.call(transaction, "fetch_one", "SELECT COUNT(*) FROM visitor") == (2,)
            names = await face.call(
                transaction, "fetch_all", "SELECT name FROM visitor WHERE name > :name", {"name": "B"}
            )
            assert names == [("Grace",)]
            assert await face.call(transaction, "fetch_optional", "SELECT 1 FROM visitor WHERE name = ''") is None
            with pytest.raises(NoRow):
                await face.call(transaction, "fetch_one", "SELECT 1 FROM visitor WHERE name = ''")
            assert await face.call(transaction, "insert", "greet", "Ada") == 1
            assert await face.call(transaction, "insert_many", "greet", [str(n) for n in range(150)]) == list(
                range(2, 152)
            )
        with pytest.raises(RuntimeError, match="in the middle"):
            async with face.transaction(client) as transaction:
                await face.call(transaction, "execute", "DELETE FROM visitor")
                await face.call(transaction, "insert", "never")
                raise RuntimeError("in the middle")
        async with face.transaction(client) as transaction:
            assert await face.call(transaction, "fetch_one", "SELECT COUNT(*) FROM visitor") == (2,)
        assert len(await face.call(client, "list_jobs", limit=1000)) == 151


async def test_a_transaction_ends_once(face: Face, path: str) -> None:
    async with face.open(path) as client:
        await face.call(client, "migrate")
        async with face.transaction(client) as transaction:
            await face.call(transaction, "insert", "a")
            await face.call(transaction, "commit")
            for again in ("commit", "rollback"):
                with pytest.raises(ValueError, match="Transaction is closed"):
                    await face.call(transaction, again)
            with pytest.raises(ValueError, match="Transaction is closed"):
                await face.call(transaction, "insert", "b")
        async with face.transaction(client) as transaction:
            await face.call(transaction, "insert", "b")
            await face.call(transaction, "rollback")
        assert [job.kind for job in await face.call(client, "list_jobs")] == ["a"]


async def test_a_transaction_that_is_dropped_rolls_back(face: Face, path: str) -> None:
    """Or its lock on the database would keep everybody else out."""
    async with face.open(path) as client:
        await face.call(client, "migrate")
        transaction = client.transaction_sync() if face.__class__.__name__ == "Twins" else await client.transaction()
        await face.call(transaction, "insert", "never")
        del transaction
        assert await face.call(client, "insert", "a") == 1
        assert [job.kind for job in await face.call(client, "list_jobs")] == ["a"]


async def test_a_transaction_that_the_database_ended_takes_nothing_more(face: Face, path: str) -> None:
    """Each statement behind its end would be committed for itself."""
    async with face.open(path) as client:
        await face.call(client, "migrate")
        for ended_by in ("ROLLBACK", "INSERT OR ROLLBACK INTO job (id, queue) VALUES (1, NULL)"):
            with pytest.raises(TransactionOver):
                async with face.transaction(client) as transaction:
                    await face.call(transaction, "insert", "never")
                    with suppress(JobsError):
                        await face.call(transaction, "execute", ended_by)
                    with pytest.raises(TransactionOver):
                        await face.call(transaction, "insert", "behind it")
        assert await face.call(client, "list_jobs") == []


async def test_closing_the_queue_ends_the_transactions_that_are_open(face: Face, path: str) -> None:
    """Somebody may hold one without knowing, in a traceback say: a close that waited for it would wait for ever."""
    async with face.open(path) as client:
        await face.call(client, "migrate")
        held = client.transaction_sync() if face.__class__.__name__ == "Twins" else await client.transaction()
        await face.call(held, "insert", "never")
    with pytest.raises(TransactionOver, match="the queue was closed"):
        await face.call(held, "insert", "too late")
    with pytest.raises(TransactionOver):
        await face.call(held, "commit")
    async with face.open(path) as client:
        assert await face.call(client, "list_jobs") == []


async def test_queues_are_looked_after(face: Face, path: str) -> None:
    async with face.open(path) as client:
        await face.call(client, "migrate")
        first, second, third = await face.call(client, "insert_many", "a", ["1", "2", "3"], queue="mail")
        await face.call(client, "pause_queue", "mail")
        await face.call(client, "pause_queue", "mail")
        assert await face.call(client, "claim", "mail") == []
        [stats] = await face.call(client, "queue_stats")
        assert (stats.queue, stats.paused, stats.available) == ("mail", True, 3)
        await face.call(client, "resume_queue", "mail")
        [job] = await face.call(client, "claim", "mail")
        assert job.id == first
        await face.call(client, "cancel", second)
        with pytest.raises(NoSuchJob, match="no job 1 that could be cancelled"):
            await face.call(client, "cancel", first)
        assert await face.call(client, "drain_queue", "mail") == 1
        await face.call(client, "retry", third)
        [job] = await face.call(client, "claim", "mail")
        assert (job.id, job.attempt) == (third, 1)
        assert await face.call(client, "discard_failed", "a") == 0


async def test_the_failed_jobs_of_a_kind_are_discarded_and_no_others(face: Face, path: str) -> None:
    """A condition too few would delete jobs that wait, or those of another kind."""
    async with face.open(path, max_attempts=1) as client:
        await face.call(client, "migrate")
        failing = [await face.call(client, "insert", kind) for kind in ("a", "a", "b")]
        jobs = await face.call(client, "claim", limit=3)
        assert sorted(job.id for job in jobs) == failing
        for job in jobs:
            await face.call(client, "fail", job.id, job.attempt, "no network")
        done = await face.call(client, "insert", "a")
        [job] = await face.call(client, "claim")
        await face.call(client, "complete", job.id, job.attempt)
        cancelled = await face.call(client, "insert", "a")
        await face.call(client, "cancel", cancelled)
        running = await face.call(client, "insert", "a")
        await face.call(client, "claim")
        waiting = await face.call(client, "insert", "a")
        assert await face.call(client, "discard_failed", "a") == 2
        jobs = await face.call(client, "list_jobs")
        assert {job.id: job.state for job in jobs} == {
            failing[2]: "failed",
            done: "completed",
            cancelled: "cancelled",
            running: "running",
            waiting: "available",
        }
        assert await face.call(client, "discard_failed", "a") == 0


async def test_what_is_wrong_is_an_exception_of_the_package(face: Face, path: str) -> None:
    async with face.open(path) as client:
        with pytest.raises(NotMigrated, match="call `migrate` once"):
            await face.call(client, "insert", "a")
        with pytest.raises(NotMigrated):
            await face.call(client, "health_check")
        with pytest.raises(ValueError, match="`delay` is -1"):
            await face.call(client, "insert", "a", delay=-1.0)
        with pytest.raises(TypeError):
            await face.call(client, "insert", 1)
        with pytest.raises(TypeError):
            await face.call(client, "insert", "a", "b", "keyword-only")
        for lease in (0.0, -1.0, math.inf, math.nan):
            with pytest.raises(ValueError, match="`lease` is"):
                await face.call(client, "claim", lease=lease)
            with pytest.raises(ValueError, match="`lease` is"):
                await face.call(client, "extend", 1, 1, lease)
    with pytest.raises(ValueError, match="Client is closed"):
        await face.call(client, "queue_stats")
    # A time in Rust has an end, and what was to wait for longer panicked.
    for name, seconds in (("lease", 0.0), ("poll", 1e300)):
        with pytest.raises(ValueError, match=f"`{name}` is .*: give seconds, more than 0 and at most"):
            async with face.open(path, **{name: seconds}):
                pass


def test_a_job_is_there_after_the_process_was_killed(path: str) -> None:
    """Durable: `insert` returns when the job is on the disk, and not before."""
    program = """
        import os, sys, turso_jobs
        client = turso_jobs.connect_sync(sys.argv[1])
        client.migrate_sync()
        print(client.insert_sync("a"), flush=True)
        os.kill(os.getpid(), 9)
    """
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), path], capture_output=True, text=True, timeout=60
    )
    assert finished.stdout == "1\n"
    with turso_jobs.connect_sync(path) as client:
        [job] = client.claim_sync()
        assert job.kind == "a"


async def test_deliveries_wait_for_jobs_that_come_later(face: Face, path: str) -> None:
    async with face.open(path, poll=0.02) as client, turso_jobs.connect(path) as other:
        await face.call(client, "migrate")
        if face.__class__.__name__ == "Twins":
            begin = time.monotonic()
            await other.insert("a", delay=0.1)
            [job] = await face.deliveries(client, 1)
            assert time.monotonic() - begin >= 0.1
        else:
            waiting = asyncio.create_task(face.deliveries(client, 1))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            await other.insert("a")
            [job] = await waiting
        assert job.kind == "a"
