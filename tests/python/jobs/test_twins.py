"""Blocking twins: the GIL, Ctrl-C, and the places from which a careless call could wait for itself."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import turso_jobs
from turso_jobs import Client

ENOUGH = 60.0
"""Seconds that nothing here takes unless it hangs."""


@pytest.fixture
def client(path: str) -> Iterator[Client]:
    with turso_jobs.connect_sync(path, poll=0.02) as client:
        client.migrate_sync()
        yield client


def run(program: str, path: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program), path]
    return subprocess.run(command, capture_output=True, text=True, timeout=ENOUGH)


@contextmanager
def interrupted_after(seconds: float) -> Generator[list[float]]:
    """Ctrl-C, as the terminal sends it; the moment at which it was sent."""
    sent: list[float] = []

    def interrupt() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(seconds, interrupt)
    timer.start()
    try:
        yield sent
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)


def test_a_twin_lets_go_of_the_gil_for_the_whole_call(client: Client) -> None:
    """One that holds it stops every other thread of the program for as long as it waits."""
    waiting = threading.Thread(target=next, args=(client.deliveries_sync(),))
    waiting.start()
    counted = sum(1 for _ in range(100_000))
    client.insert_sync("a")
    waiting.join(ENOUGH)
    assert not waiting.is_alive()
    assert counted == 100_000


def test_ctrl_c_ends_a_twin_and_drops_its_future(path: str) -> None:
    """A future that is merely left alone goes on, and its job comes into the queue although the call has failed."""
    with turso_jobs.connect_sync(path, connections=1) as client:
        client.migrate_sync()
        with client.transaction_sync() as transaction:
            transaction.insert("of the transaction")
            # The one connection is in use: this waits for it.
            with interrupted_after(0.1) as sent, pytest.raises(KeyboardInterrupt):
                client.insert_sync("never")
            took = time.perf_counter() - sent[0]
        time.sleep(0.1)
        assert [job.kind for job in client.list_jobs_sync()] == ["of the transaction"]
    assert took < ENOUGH, "that it is within 100 ms is measured, not tested"


def test_ctrl_c_ends_the_wait_for_an_item_and_the_iterator_goes_on(client: Client) -> None:
    deliveries = client.deliveries_sync()
    with interrupted_after(0.1), pytest.raises(KeyboardInterrupt):
        next(deliveries)
    number = client.insert_sync("a")
    assert next(deliveries).id == number, "a job that was claimed for nobody would be lost until its lease runs out"


def test_the_exception_of_any_signal_handler_ends_a_twin(client: Client) -> None:
    def refuse(_signal: int, _frame: object) -> None:
        raise TimeoutError("the alarm rang")

    before = signal.signal(signal.SIGALRM, refuse)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(TimeoutError, match="the alarm rang"):
            next(client.deliveries_sync())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


async def test_sixteen_threads_call_twins_while_the_loop_awaits(client: Client) -> None:
    """Twins take no thread of the loop's, and awaitables none of the twins'."""

    def work(number: int) -> int:
        for position in range(5):
            if position % 2:
                client.insert_sync(f"thread-{number}")
            else:
                with client.transaction_sync() as transaction:
                    transaction.insert(f"thread-{number}")
        return number

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(16) as pool:
        threads = [loop.run_in_executor(pool, work, number) for number in range(16)]
        inserted = await asyncio.gather(*(client.insert("loop") for _ in range(20)))
        assert sorted(await asyncio.gather(*threads)) == list(range(16))
    assert len(set(inserted)) == 20
    [stats] = await client.queue_stats()
    assert stats.available == 16 * 5 + 20


async def test_a_twin_may_be_called_inside_of_a_coroutine_and_a_callback(client: Client) -> None:
    """As in a notebook, whose cells run in a loop. It waits for the runtime, and never for the loop that it holds up."""
    pending = asyncio.create_task(client.insert("awaited"))
    await asyncio.sleep(0)
    client.insert_sync("in the coroutine")
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: done.set_result(client.insert_sync("in a callback")))
    await done
    await pending
    after = asyncio.create_task(client.insert("awaited"))
    twins: list[int] = []
    after.add_done_callback(lambda _task: twins.append(client.insert_sync("behind a task")))
    await after
    await asyncio.sleep(0)
    assert len(twins) == 1
    assert len(await client.list_jobs()) == 5


def test_a_twin_in_a_finaliser_does_not_wait_for_itself(client: Client) -> None:
    """The collector may run it in the middle of any other call, of a twin too."""

    class Noted:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            client.insert_sync("from __del__")

    for _ in range(20):
        Noted()
        client.insert_sync("beside it")
    gc.collect()
    kinds = [job.kind for job in client.list_jobs_sync(limit=1000)]
    assert kinds.count("from __del__") == 20
    assert kinds.count("beside it") == 20


def test_twins_at_the_end_of_the_interpreter_neither_hang_nor_crash(path: str) -> None:
    """At exit, in finalisers of modules, and in a daemon thread that still waits when everything else has ended."""
    program = """
        import atexit, sys, threading, time, turso_jobs
        client = turso_jobs.connect_sync(sys.argv[1], poll=0.02)
        client.migrate_sync()
        atexit.register(lambda: client.insert_sync("at exit"))
        class Last:
            def __del__(self): client.insert_sync("in the last finaliser")
        last = Last()
        threading.Thread(target=lambda: next(client.deliveries_sync("none")), daemon=True).start()
        def often():
            while True: client.health_check_sync()
        for _ in range(4): threading.Thread(target=often, daemon=True).start()
        time.sleep(0.2)
        print("end", flush=True)
    """
    finished = run(program, path)
    assert (finished.returncode, finished.stdout) == (0, "end\n"), finished.stderr
    with turso_jobs.connect_sync(path) as client:
        assert "at exit" in [job.kind for job in client.list_jobs_sync()]


def test_an_awaitable_that_is_left_at_the_end_of_the_interpreter_is_no_crash(path: str) -> None:
    program = """
        import asyncio, sys, turso_jobs
        async def main():
            client = await turso_jobs.connect(sys.argv[1], poll=0.02)
            await client.migrate()
            for _ in range(50):
                asyncio.ensure_future(client.insert("a"))
            asyncio.ensure_future(client.deliveries("none").__anext__())
            await asyncio.sleep(0)
        asyncio.run(main())
        print("end", flush=True)
    """
    finished = run(program, path)
    assert (finished.returncode, finished.stdout) == (0, "end\n"), finished.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork_the_child_has_a_runtime_of_its_own(path: str, tmp_path: Path) -> None:
    """The parent's threads are not there: a child that waited for them would hang."""
    program = """
        import os, sys, turso_jobs
        before = turso_jobs.connect_sync(sys.argv[1] + ".parent")
        before.migrate_sync()
        child = os.fork()
        if child == 0:
            with turso_jobs.connect_sync(sys.argv[1]) as client:
                client.migrate_sync()
                client.insert_sync("of the child")
                next(client.deliveries_sync())
            os._exit(0)
        print(os.waitpid(child, 0)[1], before.health_check_sync().jobs)
        before.close_sync()
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program), path]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=ENOUGH)
    assert finished.stdout == "0 0\n", finished.stderr


def test_both_faces_have_the_same_parameters_and_the_same_words() -> None:
    faces: list[tuple[type, str, type, str]] = [
        (Client, name, Client, f"{name}_sync")
        for name in vars(Client)
        if not name.startswith("_") and not name.endswith("_sync")
    ]
    faces += [
        (turso_jobs.Transaction, name, turso_jobs.SyncTransaction, name)
        for name in vars(turso_jobs.Transaction)
        if not name.startswith("_")
    ]
    assert len(faces) >= 26
    for awaited, name, blocking, twin in faces:
        method, other = getattr(awaited, name), getattr(blocking, twin)
        assert inspect.signature(method) == inspect.signature(other), name
        assert method.__doc__ == other.__doc__, name
        assert method.__doc__, name
    assert inspect.signature(turso_jobs.connect) == inspect.signature(turso_jobs.connect_sync)
    parameters = inspect.signature(Client.insert_sync).parameters
    assert parameters["queue"].kind is inspect.Parameter.KEYWORD_ONLY
    assert (parameters["payload"].default, parameters["delay"].default) == ("null", 0.0)


def test_what_stays_in_rust_is_told_with_its_reason() -> None:
    assert not hasattr(Client, "work")
    assert "In Rust alone: `work`: a worker runs for as long as its program" in (Client.__doc__ or "")
