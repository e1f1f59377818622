"""Classes that extend others and lanes, compiled and run: the example `station`, blocking and asyncio."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
import station_aio
import station_aio.aio.link
import station_aio.lib
import station_aio.link
from station_aio import ClosedError, Interrupted
from station_aio.aio.link import LinkedStation
from station_aio.lanes import LanedWorker
from station_aio.link import Exchange, Source

ENOUGH = 30.0
"""Seconds that nothing here takes unless it hangs."""


async def linked(folder: Path, name: str = "a") -> LinkedStation:
    return await station_aio.aio.link.connect(folder / f"{name}.txt", folder / "net")


async def until_it_runs(thread: str) -> None:
    """Waits until a thread of that lane is there, and a moment for its call to begin."""
    for _ in range(1000):
        if any(one.name.endswith(thread) for one in threading.enumerate()):
            break
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)


# Classes that extend others


def test_a_class_that_extends_another_has_the_members_of_both(tmp_path: Path) -> None:
    """Bugs: an object of the base class in the place of the whole; the base's part opened for itself."""
    station = station_aio.link.connect(tmp_path / "a.txt", tmp_path / "net")
    assert isinstance(station, station_aio.lib.Station)
    assert station.measure(1.5) == 0
    assert station.send() == 1
    assert station.sent() == station.readings == 1
    assert station.read().station is station
    station.unit = "K"
    assert station.unit == "K"
    station.close()
    assert station.is_closed()


def test_what_closes_the_one_part_closes_the_other(tmp_path: Path) -> None:
    """Bug: a closed object whose own members still answer, because only its base's part was closed."""
    station = station_aio.link.connect(tmp_path / "a.txt", tmp_path / "net")
    with station:
        pass
    for call in (station.send, station.sent, station.fetch, station.read):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_a_snapshot_of_the_base_is_read_anew_after_a_call_of_the_class(tmp_path: Path) -> None:
    """Bug: properties of the base that stay as its own last call left them."""
    with station_aio.lib.open(tmp_path / "a.txt") as station:
        for value in range(5):
            station.measure(value)
        reader = station.read_marked()
        assert reader.mark(2) == 3
        assert reader.go_back() is reader
        assert reader.position == 2
        assert reader.next_reading() == 2.0
        assert reader.position == 3
        assert reader.rewind() is reader
        assert reader.position == 0
        assert reader.station is station
        assert list(reader) == [0, 1, 2, 3, 4]


async def test_the_asyncio_class_extends_that_of_its_base(tmp_path: Path) -> None:
    """Bugs: an `await` or `async with` that gives the base's type; a child whose parent is another object."""
    connecting = station_aio.aio.link.connect(tmp_path / "a.txt", tmp_path / "net")
    assert issubclass(LinkedStation, station_aio.Station)
    async with connecting as station:
        assert station is connecting
        assert type(station) is LinkedStation
        assert await station is station
        for value in range(4):
            await station.measure(value)
        station.unit = "K"
        assert station.unit == "K"
        reader = await station.read_marked()
        assert reader.station is station
        assert await reader.mark(1) == 3
        assert await reader.next_reading() == 0
        assert await reader.go_back() is reader
        assert [reading async for reading in reader] == [1, 2, 3]
        assert await (await reader.rewind()).next_readings(2) == [0, 1]
        assert await station.send() == station.sent() == 4


# Submodules and values


def test_what_is_in_a_submodule_is_nowhere_else() -> None:
    """Bug: a name of a submodule that the package itself has too, or the other colour's under its name."""
    for blocking, asynchronous in [(station_aio.lib, station_aio), (station_aio.lib, station_aio.aio)]:
        for name in station_aio.link.__all__:
            assert not hasattr(blocking, name)
            assert not hasattr(asynchronous, name)
    assert station_aio.link.__all__ == station_aio.aio.link.__all__
    assert station_aio.link.connect is station_aio.link.connect_link
    assert station_aio.aio.link.connect is station_aio.aio.link.connect_link
    assert station_aio.link.Source is station_aio.aio.link.Source
    assert station_aio.link.LinkedStation.__module__ == "station_aio.lib_link"
    assert station_aio.aio.link.LinkedStation.__module__ == "station_aio.lib_link_aio"
    assert set(vars(station_aio.link.LinkedStation)) - {"__doc__", "__module__", "__new__"} == {
        name for name in vars(station_aio.aio.link.LinkedStation) if not name.startswith("_")
    }


async def test_a_value_is_an_object_of_its_class(tmp_path: Path) -> None:
    """Bugs: a value that comes as a tuple; one inside of another that stays behind; a default that is forgotten."""
    async with await linked(tmp_path, "c") as station:
        assert await station.exchange() == Exchange(0, [], None)
        for name, count in (("b", 2), ("a", 1)):
            with station_aio.link.connect(tmp_path / f"{name}.txt", tmp_path / "net") as other:
                for _ in range(count):
                    other.measure(1.0)
                other.send()
        assert await station.fetch()
        assert await station.remember(Source("a", 0, note="the roof"))
        assert not await station.remember(Source("x", 0))
        exchange = await station.exchange()
        assert exchange == Exchange(
            sent=0, sources=[Source("a", 1, "the roof"), Source("b", 2)], richest=Source("b", 2)
        )
        assert type(exchange) is station_aio.link.Exchange
        assert type(exchange.sources[0]) is type(exchange.richest) is Source
        assert repr(exchange.richest) == "Source(name='b', readings=2, note=None)"
        assert pickle.loads(pickle.dumps(exchange)) == exchange
        assert len({Source("a", 1), Source("a", 1), exchange.richest}) == 2
        with pytest.raises(dataclasses.FrozenInstanceError):
            exchange.sent = 1  # type: ignore[misc]
        with pytest.raises(AttributeError):
            await station.remember("a")  # type: ignore[arg-type]


# By hand


async def test_a_method_that_is_written_by_hand_is_on_both_sides(tmp_path: Path) -> None:
    """Bugs: a method that the stub or the asyncio side does not know; an exception of the caller's that is lost in Rust."""
    seen: list[float] = []

    def see(reading: float) -> bool:
        seen.append(reading)
        return reading < 2

    async with await linked(tmp_path) as station:
        for value in range(5):
            await station.measure(value)
        assert await station.visit(see) == 3
        assert seen == [0, 1, 2]
        with pytest.raises(ZeroDivisionError):
            await station.visit(lambda reading: 1 / reading)
        assert await station.measure(5) == 5
    with station_aio.lib.open(tmp_path / "a.txt") as blocking:
        assert blocking.visit(seen.append) == 1
        with pytest.raises(TypeError, match="not callable"):
            blocking.visit(1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="closed"):
        blocking.visit(see)


# Lanes


async def test_a_lane_that_waits_holds_up_nothing_else(tmp_path: Path) -> None:
    """Bug: a call that waits for the network, and all calls behind it in one queue."""
    async with await linked(tmp_path) as station:
        assert len([one for one in threading.enumerate() if "station_aio" in one.name]) == 1
        fetching = asyncio.create_task(station.fetch(ENOUGH))
        await until_it_runs("LinkedStation fetch")
        for value in range(100):
            await station.measure(value)
        assert await station.send() == 100
        assert not fetching.done()
        async with await linked(tmp_path, "b") as other:
            await other.measure(7.0)
            assert await other.send() == 1
            assert await fetching
        assert station.readings == 101


async def test_calls_of_one_lane_keep_their_order(tmp_path: Path) -> None:
    """Bug: a thread for each call of a lane."""
    async with await linked(tmp_path) as station:
        calls = [station.fetch(0.05), station.fetch(0.0), station.fetch(0.01)]
        done: list[int] = []

        async def wait(number: int) -> None:
            await calls[number]
            done.append(number)

        await asyncio.gather(wait(2), wait(1), wait(0))
        assert done == [0, 1, 2]


async def test_cancelling_in_a_lane_interrupts_that_lane_alone(tmp_path: Path) -> None:
    """Bugs: an interrupt of another lane; a cancelled call that the next one of its lane waits for."""
    async with await linked(tmp_path) as station:
        waiting = asyncio.create_task(station.wait_for(1, ENOUGH))
        sending = asyncio.create_task(station.send(0.3))
        fetching = asyncio.create_task(station.fetch(ENOUGH))
        await until_it_runs("LinkedStation fetch")
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
        assert await station.fetch(0.0) is False
        assert await sending == 0
        assert not waiting.done()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await station.measure(1.0) == 0


async def test_a_call_that_is_cancelled_before_it_runs_never_does(tmp_path: Path) -> None:
    """Bug: a lane that runs what nobody waits for any more."""
    async with await linked(tmp_path) as station:
        await station.measure(1.0)
        first, second = asyncio.create_task(station.send(0.05)), asyncio.create_task(station.send())
        await asyncio.sleep(0)
        second.cancel()
        assert await first == 1
        await station.measure(2.0)
        assert await station.send() == 1


async def test_a_lane_is_interrupted_by_name(tmp_path: Path) -> None:
    async with await linked(tmp_path) as station:
        fetching = asyncio.create_task(station.fetch(ENOUGH))
        await until_it_runs("LinkedStation fetch")
        await station.interrupt_send()
        await station.interrupt()
        await asyncio.sleep(0.02)
        assert not fetching.done()
        await station.interrupt_fetch()
        with pytest.raises(Interrupted):
            await fetching


async def test_close_runs_what_the_main_lane_has_and_cuts_the_others_off(tmp_path: Path) -> None:
    """Bugs: a close that waits for the network; one that loses calls that were made before it; a lane that hangs."""
    station = await linked(tmp_path)
    fetching = [asyncio.create_task(station.fetch(ENOUGH)) for _ in range(3)]
    await until_it_runs("LinkedStation fetch")
    measuring = [asyncio.create_task(station.measure(value)) for value in range(50)]
    await asyncio.sleep(0)
    await asyncio.wait_for(station.close(), 10)
    assert await asyncio.gather(*measuring) == list(range(50))
    for outcome in await asyncio.gather(*fetching, return_exceptions=True):
        assert isinstance(outcome, ClosedError)
    running = await asyncio.gather(fetching[0], return_exceptions=True)
    assert isinstance(running[0], ClosedError)
    assert isinstance(running[0].__cause__, Interrupted)
    assert station.is_closed()
    assert not [one.name for one in threading.enumerate() if "station_aio" in one.name]


async def test_a_call_in_a_lane_of_a_closed_object_says_so(tmp_path: Path) -> None:
    """Bug: a lane that is started when there is nothing any more that it could run on, and never ends."""
    station = station_aio.aio.link.connect(tmp_path / "a.txt", tmp_path / "net")
    with pytest.raises(ClosedError, match="await it"):
        await station.fetch()
    async with station:
        pass
    for _ in range(2):
        with pytest.raises(ClosedError, match="it is closed"):
            await station.fetch()


async def test_a_lane_waits_until_the_object_is_open() -> None:
    """Bug: a call in a lane that fails because the object is being opened, where one in the main lane waits for it."""
    may_open = threading.Event()
    for fails in (False, True):

        def open_slowly(fails: bool = fails) -> list[int]:
            may_open.wait()
            if fails:
                raise OSError("no such thing")
            return [1]

        may_open.clear()
        worker = LanedWorker("test.Thing", open_slowly, lane_interrupts={}, closed_error=ClosedError)
        owner = station_aio.StationError()
        opening = asyncio.create_task(worker.start(owner))
        call = asyncio.create_task(worker.call_in_lane("side", len))
        await asyncio.sleep(0.05)
        assert not call.done()
        may_open.set()
        if fails:
            with pytest.raises(OSError, match="no such thing"):
                await opening
            with pytest.raises((OSError, ClosedError)):
                await call
        else:
            await opening
            assert await call == 1
        await worker.close()


async def test_an_interrupt_of_a_lane_that_came_too_early_is_repeated_at_the_end() -> None:
    """Bug: a close that hangs, because the call of a lane had not really begun when it was interrupted."""
    interrupts: list[None] = []
    begun = threading.Event()

    def run(_thing: list[int]) -> None:
        begun.set()
        while len(interrupts) < 3:
            time.sleep(0.001)

    worker = LanedWorker(
        "test.Thing",
        lambda: [1],
        lane_interrupts={"side": lambda _thing: interrupts.append(None)},
        closed_error=ClosedError,
    )
    owner = station_aio.StationError()
    await worker.start(owner)
    call = asyncio.create_task(worker.call_in_lane("side", run))
    await asyncio.to_thread(begun.wait)
    await asyncio.wait_for(worker.close(), 10)
    await asyncio.gather(call, return_exceptions=True)


def test_a_loop_that_is_closed_with_a_lane_at_work_ends_the_whole(tmp_path: Path) -> None:
    """Bug: a lane that ends by itself when nobody hears its result, and leaves the object open."""
    kept = []

    async def main() -> None:
        station = await linked(tmp_path)
        kept.append((station, station.fetch(0.2)))
        await until_it_runs("LinkedStation fetch")

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    deadline = time.monotonic() + 10
    while any("station_aio" in one.name for one in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not [one.name for one in threading.enumerate() if "station_aio" in one.name]
    assert kept[0][0].is_closed()
    kept.clear()


async def test_an_object_that_is_dropped_ends_its_lanes_too(tmp_path: Path) -> None:
    """Bug: a lane whose thread keeps what nobody has any more."""
    station = await linked(tmp_path)
    await station.fetch()
    await station.send()
    with pytest.warns(ResourceWarning, match="deleted before being closed"):
        del station
        gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_process_that_forgets_to_close_does_not_wait_for_a_lane(tmp_path: Path) -> None:
    """Bug: an exit that waits for a long poll. A call in a lane of a forked process must not hang either."""
    program = textwrap.dedent(
        f"""
        import asyncio, os, pathlib, sys, threading
        import station_aio.aio.link

        async def main():
            folder = pathlib.Path({str(tmp_path)!r})
            station = await station_aio.aio.link.connect(folder / "a.txt", folder / "net")
            fetching = asyncio.create_task(station.fetch({ENOUGH}))
            await asyncio.sleep(0.05)
            await station.measure(1.0)
            child = os.fork()
            if child == 0:
                try:
                    await station.fetch()
                except station_aio.ClosedError as error:
                    os._exit(7 if "forked" in str(error) else 8)
                os._exit(9)
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 7, status
            print("left", flush=True)
            globals()["kept"] = (station, fetching)

        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        """
    )
    start = time.monotonic()
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=ENOUGH, check=False)
    assert (done.returncode, done.stdout) == (0, "left\n"), done.stderr
    assert time.monotonic() - start < ENOUGH / 2
    assert (tmp_path / "a.txt").read_text() == "1\n"
