"""Native calls, on an API whose calls wait and panic when they are told to: what each of them does at the moment is known, and
not guessed."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import itertools
import logging
import random
import threading
import time
import weakref
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import probe_aio
import pytest
from conftest import Note, Run
from remains import HANGING, THOROUGHNESS

ROUNDS = int(1200 * THOROUGHNESS)

ROWS_BETWEEN_LOOKS = 16
"""How many rows become objects of Python between two looks at the clock."""


async def until(condition: Callable[[], bool]) -> None:
    """Waits, and lets the loop go on."""
    deadline = time.monotonic() + HANGING
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0)


def hold_until(condition: Callable[[], bool]) -> None:
    """Waits, and keeps the loop from hearing of anything."""
    deadline = time.monotonic() + HANGING
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0)


def looks_for_results(worker_name: str, probe: probe_aio.Probe) -> bool:
    """Whether an `await` looks for its result before it waits for the loop. With one processor, none does."""
    return worker_name == "native queue" and probe.processors() > 1


def hold_the_thread(probe: probe_aio.Probe) -> threading.Event:
    """Has the thread do nothing else until the event is set. Of that the loop hears nothing."""
    released = threading.Event()
    probe._worker.queue.put_nowait((None, released.wait))
    return released


async def cancel(probe: probe_aio.Probe, task: asyncio.Task[int], number: int, moment: str, wait: float) -> str:
    """Cancels a call of `wait` at a moment; what it was doing then."""
    if moment == "queued":
        await until(lambda: probe.waiting() == number - 1)
    else:
        await until(lambda: probe.waiting() == number)
    if moment == "running":
        await asyncio.sleep(wait)
    elif moment != "queued":
        probe.release()
        # It ends meanwhile, at a moment of its own, or has ended.
        if moment == "completing":
            hold_until(lambda: probe.waiting() is None)
        else:
            time.sleep(wait / 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, HANGING)
    if moment == "queued":
        probe.release()
    return moment


async def test_native_calls_cancelled_at_random_points(worker_name: str, note: Note) -> None:
    """Bugs: a cancelled call that runs all the same; an interrupt that hits a neighbour, or that is lost; a result that is set on
    a finished future, or lost on its way."""
    chance = random.Random(4)
    moments: Counter[str] = Counter()
    beside = 0
    async with probe_aio.open() as probe:
        for number in range(2, 10 * ROUNDS, 10):
            moment = chance.choice(["queued", "running", "running", "completing", "ending"])
            before = asyncio.ensure_future(probe.wait(number - 1) if moment == "queued" else probe.note(number - 1))
            victim = asyncio.ensure_future(probe.wait(number))
            after = [asyncio.ensure_future(probe.note(number + place)) for place in range(1, 5)]
            await cancel(probe, victim, number, moment, chance.choice([0, 0, 0.0001, 0.001]))
            results = await asyncio.wait_for(asyncio.gather(before, *after), HANGING)
            neighbours = [number - 1, *range(number + 1, number + 5)]
            assert results == neighbours
            beside += len(results)
            ran = probe.ran()[-6:]
            if moment == "ending":
                moment = "completing" if number in ran else "running"
            expected = [number - 1, number, *neighbours[1:]] if moment == "completing" else neighbours
            assert ran[-len(expected) :] == expected
            moments[moment] += 1
            # What was released and not waited for any more would let the next one through.
            assert probe.waiting() is None
    note(", ".join(f"{moments[state]} {state}" for state in ("queued", "running", "completing")) + f"; {beside} beside")
    assert moments["running"] >= ROUNDS / 5
    assert min(moments.values()) > ROUNDS / 20


async def test_native_calls_that_are_cancelled_before_they_run(worker_name: str) -> None:
    """Bugs: a queued call runs although it was cancelled; its neighbours are left out with it, or are interrupted."""
    async with probe_aio.open() as probe:
        running = asyncio.ensure_future(probe.wait(0))
        queued = [asyncio.ensure_future(probe.note(number)) for number in range(1, 100)]
        await until(lambda: probe.waiting() == 0)
        for task in queued[::3]:
            task.cancel()
        await asyncio.gather(*queued[::3], return_exceptions=True)
        probe.release()
        assert await asyncio.wait_for(running, HANGING) == 0
        left = [number for number in range(1, 100) if number % 3 != 1]
        rest = await asyncio.wait_for(asyncio.gather(*queued, return_exceptions=True), HANGING)
        assert [result for result in rest if not isinstance(result, asyncio.CancelledError)] == left
        assert probe.ran() == [0, *left]
        assert probe.missed() == 0


async def test_an_interrupt_hits_its_own_call_alone(worker_name: str) -> None:
    """Bugs: the interrupt of a call that has ended hits the next one; that of a queued one hits the one that runs."""
    async with probe_aio.open() as probe:
        for number in range(50):
            ended = asyncio.ensure_future(probe.wait(3 * number))
            running = asyncio.ensure_future(probe.wait(3 * number + 1))
            queued = asyncio.ensure_future(probe.wait(3 * number + 2))
            await until(lambda at=3 * number: probe.waiting() == at)
            probe.release()
            hold_until(lambda at=3 * number + 1: probe.waiting() == at)
            ended.cancel()
            queued.cancel()
            await asyncio.gather(ended, queued, return_exceptions=True)
            # As long as it takes until an interrupt is repeated.
            await asyncio.sleep(0.015 if number % 10 == 0 else 0)
            assert probe.waiting() == 3 * number + 1
            probe.release()
            assert await asyncio.wait_for(running, HANGING) == 3 * number + 1
        assert probe.missed() == 0


async def test_results_that_come_together(worker_name: str) -> None:
    """Bugs: a result is lost when the loop has been told already, and when it has not looked yet; the rest of a batch is lost when
    one callback has done enough, or comes before what was done earlier."""
    async with probe_aio.open() as probe:
        for kind in (probe.note, probe.weigh):
            first = asyncio.ensure_future(probe.wait(0))
            order: list[int] = []
            calls: list[Any] = [kind(number) for number in range(1, 60)]
            for call in calls:
                call.as_future().add_done_callback(lambda done, order=order: order.append(done.result()))
            await until(lambda: probe.waiting() == 0)
            probe.release()
            # All of them are done before the loop hears of the first.
            hold_until(lambda: probe.ran()[-1:] == [59])
            assert await asyncio.wait_for(asyncio.gather(first, *calls), HANGING) == list(range(60))
            assert order == list(range(1, 60))
            # The loop is told again afterwards.
            assert await asyncio.wait_for(probe.note(0), HANGING) == 0


async def test_cancelled_when_the_result_is_there(worker_name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Bugs: a result that is there when it is awaited leaves the loop no turn; asyncio complains of an error that nobody retrieved
    when a task is cancelled in that turn."""
    for _ in range(20):
        async with probe_aio.open() as probe:
            released = hold_the_thread(probe)
            part, last = probe.part(0), probe.note(1)
            released.set()
            # The loop has not heard of any of them, and had no turn for a while.
            hold_until(lambda: probe.ran()[-1:] == [1])
            time.sleep(0.001)
            steps = part.__await__()
            # Nothing to wait for is a turn.
            assert (next(steps) is None) == looks_for_results(worker_name, probe)
            with pytest.raises(asyncio.CancelledError):
                steps.throw(asyncio.CancelledError())
            made: Any = part._made.as_future()
            assert not made._log_traceback
            del made, part, steps
            assert await asyncio.wait_for(last, HANGING) == 1
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


async def test_an_error_that_is_raised_elsewhere(worker_name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Bug: asyncio complains of an error that nobody retrieved where a call behind it has raised the same."""
    async with probe_aio.open() as probe:
        first = asyncio.ensure_future(probe.wait(0))
        await until(lambda: probe.waiting() == 0)
        part = probe.part(0)
        numbers = part.numbers()
        steps = part.__await__()
        # It waits, and is given up without being cancelled.
        assert next(steps) is not None
        steps.close()
        probe.release()
        with pytest.raises(probe_aio.Failed):
            await asyncio.wait_for(numbers, HANGING)
        assert await asyncio.wait_for(first, HANGING) == 0
        del numbers, part, steps
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


async def until_others_have_a_turn(probe: probe_aio.Probe) -> tuple[Generator[Any, Any, int], asyncio.Future[int]]:
    """The steps of a call, as far as the turn that they give to others, and one that waits for the loop to be told of its end."""
    released = hold_the_thread(probe)
    known, waiting = probe.note(0), asyncio.ensure_future(probe.wait(1))
    released.set()
    # The first has a result by then.
    hold_until(lambda: probe.waiting() == 1)
    # The loop had no turn for a while, so it is given one, in which others make many calls.
    time.sleep(0.001)
    steps = known.__await__()
    assert next(steps) is None
    others = [probe.note(number) for number in range(2, 5)]
    assert next(steps, "its result") == "its result"
    held = others[-1].__await__()
    assert next(held) is None, "it gives the others a turn before it looks"
    # The other one looks in vain meanwhile, and waits for the loop.
    for _ in range(10):
        await asyncio.sleep(0)
    return held, waiting


@pytest.mark.parametrize("end", ["cancelled", "abandoned"])
async def test_a_turn_that_is_not_ended(worker_name: str, end: str) -> None:
    """Bugs: a task gives others a turn before it looks for its result, and is cancelled, or is stepped by hand and abandoned: nobody
    looks, and nobody is told of any result."""
    async with probe_aio.open() as probe:
        if not looks_for_results(worker_name, probe):
            assert await probe.note(0) == 0
            return
        held, waiting = await until_others_have_a_turn(probe)
        if end == "cancelled":
            with pytest.raises(asyncio.CancelledError):
                held.throw(asyncio.CancelledError())
        probe.release()
        assert await asyncio.wait_for(waiting, HANGING) == 1
        held.close()


async def test_one_turn_of_the_loop_makes_no_more_than_it_may(worker_name: str, note: Note) -> None:
    """Bug: all results that are there, or all rows of one, are made in one go, and nothing else runs there for so long."""
    async with probe_aio.open() as probe:
        made = [probe.converted()]

        async def count_in_each_turn() -> None:
            while True:
                await asyncio.sleep(0)
                made.append(probe.converted())

        counting = asyncio.ensure_future(count_in_each_turn())
        first = probe.wait(0)
        calls = [probe.weigh(number) for number in range(1, 60)]
        await until(lambda: probe.waiting() == 0)
        probe.release()
        hold_until(lambda: probe.ran()[-1:] == [59])
        # Nobody awaits them yet, which would be another way to get them.
        await until(lambda: probe.converted() - made[0] == 59)
        assert [await first, *[await call for call in calls]] == list(range(60))
        part = await probe.part(200)
        assert await asyncio.wait_for(part.numbers(), HANGING) == list(range(200))
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
    most = max(after - before for before, after in itertools.pairwise(made))
    note(f"{made[-1] - made[0]} numbers in {len(made)} turns, at most {most} in one")
    # Where a thread of Python's own makes them, it lets this one go on when it wants to.
    if worker_name == "native queue":
        # What an `await` finds at once, what comes by the way of the loop, and the first that is read with its statement.
        assert most <= 2 * ROWS_BETWEEN_LOOKS + 1


PANICS: dict[str, Callable[[probe_aio.Probe, Any], Awaitable[object]]] = {
    "the call": lambda probe, _part: probe.panic(),
    "the end of a parameter": lambda _probe, part: part.accept("dropped"),
    "the conversion of a result": lambda probe, _part: probe.give("converted"),
    "the end of a result": lambda probe, _part: probe.give("dropped"),
}


@pytest.mark.parametrize("where", PANICS)
@pytest.mark.parametrize("waits", [True, False], ids=["awaited", "cancelled"])
async def test_a_panic_in_a_native_call(
    worker_name: str, where: str, waits: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """Bugs: a panic ends the worker's thread, and all that is queued hangs; one in the thread of the loop takes the results
    with it that came together with its own."""
    probe = probe_aio.open()
    async with probe:
        # One that was not made drops what it is given where no call runs.
        part = probe.part(0)
        with pytest.raises(probe_aio.Failed):
            await part
        for number in range(1, 5):
            first = asyncio.ensure_future(probe.wait(0))
            before = asyncio.ensure_future(probe.note(10 * number))
            panicking = asyncio.ensure_future(PANICS[where](probe, part))
            after = [asyncio.ensure_future(probe.note(10 * number + place)) for place in range(1, 4)]
            await until(lambda: probe.waiting() == 0)
            probe.release()
            if not waits:
                hold_until(lambda last=10 * number + 3: probe.ran()[-1:] == [last])
                panicking.cancel()
            results = await asyncio.wait_for(asyncio.gather(first, before, *after), HANGING)
            assert results == [0, *range(10 * number, 10 * number + 4)]
            try:
                await asyncio.wait_for(panicking, HANGING)
                pytest.fail("the panic did not reach the caller")
            except asyncio.CancelledError:
                assert not waits
            except BaseException as error:
                assert waits
                if (worker_name, where) == ("python thread", "the end of a parameter"):
                    # Nothing is given to it there, since it looks first whether there is an object.
                    assert isinstance(error, probe_aio.Failed)
                else:
                    assert type(error).__name__ in ("RuntimeError", "PanicException")
                    assert "panicked" in str(error) or "a charge was" in str(error)
        assert await asyncio.wait_for(probe.note(7), HANGING) == 7
    # Panics are told on the standard error.
    capfd.readouterr()


async def test_what_a_closed_queue_refuses_is_collected(worker_name: str) -> None:
    """Bug: a read that is refused, and that nobody waits for any more, is never collected, nor is what it was to read."""

    async def race() -> None:
        probe = await probe_aio.open()

        async def read() -> list[int]:
            async with probe.part(5) as part:
                return await part.numbers()

        reads = [asyncio.ensure_future(read()) for _ in range(10)]
        await asyncio.sleep(0)
        results = await asyncio.gather(probe.close(), *reads, return_exceptions=True)
        assert any(isinstance(result, probe_aio.ClosedError) for result in results)

    for _ in range(3):
        await race()
    # The last error may still be on its way out.
    await asyncio.sleep(0)
    gc.collect()
    assert not [left for left in gc.get_objects() if isinstance(left, probe_aio.Part)]


def test_a_loop_closed_while_a_native_call_runs(worker_name: str, run: Run) -> None:
    """Bugs: nobody notices that the loop is closed, and what is queued behind goes on for nobody; the thread waits for ever."""

    async def leave() -> probe_aio.Probe:
        probe = await probe_aio.open()
        calls = [asyncio.ensure_future(probe.wait(0)), asyncio.ensure_future(probe.note(1))]
        await until(lambda: probe.waiting() == 0)
        for call in calls:
            call.cancel = lambda *_arguments, **_named: False  # type: ignore[method-assign]
        return probe

    async def look(probe: probe_aio.Probe) -> None:
        probe.release()
        # The call that finds no loop runs before the first of these, and it refuses those behind it.
        with pytest.raises(probe_aio.ClosedError, match="loop was closed"):
            for number in range(3):
                await asyncio.wait_for(probe.note(number), HANGING)
        await asyncio.wait_for(probe.close(), HANGING)

    run(look(run(leave())))


def test_a_loop_closed_behind_a_call_that_was_cancelled(worker_name: str, run: Run) -> None:
    """Bug: nobody waits for that call any more, and yet it closes the object that other loops go on with."""
    probe = run(opened())
    released = hold_the_thread(probe)

    async def leave() -> None:
        call = asyncio.ensure_future(probe.note(0))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)

    async def go_on() -> None:
        # Behind the first of these, that call is over.
        for number in range(1, 4):
            assert await asyncio.wait_for(probe.note(number), HANGING) == number
        assert probe.ran() == [1, 2, 3]
        await asyncio.wait_for(probe.close(), HANGING)

    run(leave())
    released.set()
    run(go_on())


async def opened() -> probe_aio.Probe:
    return await probe_aio.open()


class Kept:
    """What a task keeps in a context variable."""


kept: contextvars.ContextVar[Kept | None] = contextvars.ContextVar("kept", default=None)


def test_the_context_of_the_first_task_goes_with_it(worker_name: str, run: Run) -> None:
    """Bug: what tells the loop of results is watched in the context of the task that first needed it, which lives as long as
    the loop with all that is in it."""

    async def open_and_call() -> tuple[probe_aio.Probe, weakref.ref[Kept]]:
        value = Kept()
        kept.set(value)
        probe = await probe_aio.open()
        assert await probe.note(1) == 1
        return probe, weakref.ref(value)

    async def use() -> None:
        probe, reference = await asyncio.ensure_future(open_and_call())
        async with probe:
            # The loop, and what it was told of results, go on.
            assert await probe.note(2) == 2
            gc.collect()
            assert reference() is None

    run(use())
