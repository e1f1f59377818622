"""Workers with one bug each. Every one of them is a bug that a published driver has, or that this one once had."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Change:
    """A replacement in one file of the package. What is replaced stands there exactly once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Bug:
    """A bug, and which part of the matrix has to find it, as `pytest -k` wants it."""

    name: str
    tests: str
    changes: tuple[Change, ...]
    before: tuple[int, int] | None = None
    """The version of Python that heals it by itself."""

    def files(self, package: Path) -> dict[str, str]:
        """The files of the package that it changes, with the bug in them. Raises `ValueError` where it does not fit."""
        texts: dict[str, str] = {}
        for change in self.changes:
            text = texts.get(change.file) or (package / change.file).read_text()
            count = text.count(change.old)
            if count != 1:
                raise ValueError(
                    f"the bug `{self.name}` does not fit {change.file}: what it replaces stands there {count} times, not "
                    f"once; bring it up to date with the worker:\n{change.old}"
                )
            texts[change.file] = text.replace(change.old, change.new)
        return texts


def misfits(bugs: Iterable[Bug], package: Path) -> list[str]:
    """What is to be said of the bugs that the package, in this folder, has outgrown."""
    found: list[str] = []
    for bug in bugs:
        try:
            bug.files(package)
        except (ValueError, OSError) as error:
            found.append(str(error))
    return found


def bug(name: str, tests: str, *changes: tuple[str, str, str], before: tuple[int, int] | None = None) -> Bug:
    return Bug(name, tests, tuple(Change(*change) for change in changes), before)


BUGS = [
    bug(
        "a result is set on a finished future",
        "cancelled_at_random_points",
        ("worker.py", "    if future.done():\n        return\n    if error is None:", "    if error is None:"),
    ),
    bug(
        "an exception that is none of Exception ends the thread",
        "a_panic or (a_callback_raises and KeyboardInterrupt and in_adapter)",
        (
            "worker.py",
            "    except BaseException as error:\n        return None, raisable(error)",
            "    except Exception as error:\n        return None, raisable(error)",
        ),
    ),
    bug(
        "an item is left behind the stop item",
        "calls_that_race_with_close or every_call_after_close",
        (
            "call_queue.py",
            "                self._refusal = reason\n                self._items.put_nowait(None)\n",
            "                self._items.put_nowait(None)\n",
        ),
    ),
    bug(
        "a call looks whether the queue is closed without its lock",
        "calls_from_other_threads_race",
        (
            "call_queue.py",
            "            return False\n        with self._lock:\n            refusal = self._refusal\n            if refusal is None:\n",
            "            return False\n        refusal = self._refusal\n        __import__('time').sleep(0.0002)\n        if True:\n            if refusal is None:\n",
        ),
    ),
    bug(
        "a failed open leaves its thread",
        "a_failed_open_ends_by_itself",
        (
            "worker.py",
            "            self._open_error = error\n            self.stop(OPEN_FAILED)\n",
            "            self._open_error = error\n",
        ),
        ("lib_aio.py", "            await self._worker.close()\n            raise\n", "            raise\n"),
    ),
    bug(
        "a cancelled open leaves its database open",
        "an_open_that_is_cancelled",
        ("lib_aio.py", "            self._worker.stop()\n            raise\n", "            raise\n"),
    ),
    bug(
        "a failed open leaves its worker in the list of those that run",
        "a_failed_open_ends_by_itself",
        ("worker.py", "        _running.discard(self)\n        if error is not None", "        if error is not None"),
        (
            "worker.py",
            "            self._open_error = error\n",
            "            self._open_error = error\n            self.ballast = bytearray(1 << 20)\n",
        ),
    ),
    bug(
        "the finalizer keeps the worker, and so the owner",
        "soak",
        (
            "worker.py",
            "weakref.finalize(owner, _stop_dropped, weakref.ref(self))",
            "weakref.finalize(owner, _stop_dropped, lambda: self)",
        ),
        (
            "worker.py",
            "            self._open_error = error\n",
            "            self._open_error = error\n            self.ballast = bytearray(1 << 20)\n",
        ),
    ),
    bug(
        "an interrupt hits whatever runs",
        "cancelled_at_random_points",
        (
            "worker.py",
            "                if self._current is not future or (self._interrupt is None and self._object is not None):\n"
            "                    return\n                self._interrupt_object()\n",
            "                if self._interrupt is None and self._object is not None:\n"
            "                    return\n                self._interrupt_object()\n                return\n",
        ),
    ),
    bug(
        "a cancelled call is not interrupted",
        "cancelled_at_random_points or timed_out",
        ("worker.py", "        self._interrupt_call(future)\n\n", "\n"),
    ),
    bug(
        "a long read is not ended between two of its chunks",
        "timed_out and fetch or interrupt_of_a_long_read",
        ("rows.py", "            if is_interrupted():\n                break\n", ""),
    ),
    bug(
        "an interrupt tells the engine, and not the call",
        "interrupt_of_a_long_read",
        ("worker.py", "            self._interrupted = self._current is not None\n", "            pass\n"),
    ),
    bug(
        "rows of a chunk are lost on break",
        "an_iteration_that_is_broken_off",
        (
            "lib_aio.py",
            "    def __aiter__(self) -> AsyncIterator[RowT]:\n        return self\n",
            "    async def __aiter__(self):\n        while rows := await self.fetchmany(64):\n            for row in rows:\n                yield row\n",
        ),
    ),
    bug(
        "rows of a cancelled read are lost",
        "a_cancelled_read_loses_no_row",
        ("rows.py", "            self._ahead.extendleft(reversed(taken.rows))\n", ""),
    ),
    bug(
        "rows read ahead are kept over execute",
        "rows_read_ahead_end",
        (
            "lib_aio.py",
            "            self._rows.drop()\n            function(cursor)\n",
            "            function(cursor)\n",
        ),
    ),
    bug(
        "an error comes before the rows that were read with it",
        "an_iteration_ends_at_an_error",
        (
            "rows.py",
            "        if size is None or count < size:\n            error, self._error",
            "        if True:\n            error, self._error",
        ),
    ),
    bug(
        "a cancelled call that is queued runs",
        "cancelled_at_random_points",
        ("worker.py", "wanted = future is None or not future.done()", "wanted = True"),
    ),
    bug(
        "close returns before its turn has come",
        "the_thread_is_gone or closed_with_a_full_queue",
        (
            "worker.py",
            "            if self._thread is not None and not self._ended:\n                self._closers",
            "            if False:\n                self._closers",
        ),
    ),
    bug(
        "close returns before the thread is gone",
        "the_thread_is_gone",
        ("worker.py", "    thread.join(JOIN_SECONDS)\n", ""),
        (
            "worker.py",
            "            self._deliver(closer, _settle_close, self._thread, error)\n            error = None\n",
            "            self._deliver(closer, _settle_close, self._thread, error)\n            error = None\n        time.sleep(0.001)\n",
        ),
    ),
    bug(
        "the end is told to the first who closes",
        "closed_twice_and_by_two_tasks",
        ("worker.py", "        for closer in closers:\n", "        for closer in closers[:1]:\n"),
    ),
    bug(
        "a close that is cancelled takes the end with it",
        "a_close_that_is_cancelled",
        (
            "worker.py",
            "        return Closing(self.tell_end)\n",
            "        future = asyncio.get_event_loop().create_future()\n        self.tell_end(future)\n        self.close = lambda close=None: Call(future, future.cancel)\n        return Call(future, future.cancel)\n",
        ),
    ),
    bug(
        "dropped without close, it does not warn",
        "dropped_without_close",
        (
            "worker.py",
            "        if self.stop():\n            # Where",
            "        if self.stop() and False:\n            # Where",
        ),
    ),
    bug(
        "dropped without close, its thread stays",
        "dropped_without_close",
        (
            "worker.py",
            "    if worker is not None:\n        worker.warn_and_stop()",
            "    if worker is not None:\n        warnings.warn(worker._name, ResourceWarning, stacklevel=2)",
        ),
    ),
    bug(
        "StopIteration hangs its caller",
        "a_callback_raises and StopIteration and in_adapter",
        (
            "calls.py",
            "(StopIteration, StopAsyncIteration, GeneratorExit)",
            "(StopAsyncIteration, GeneratorExit)",
        ),
        # Since then a future makes an error of it by itself.
        before=(3, 12),
    ),
    bug(
        "StopAsyncIteration just ends an iteration",
        "a_callback_raises and StopAsyncIteration and iteration",
        (
            "calls.py",
            "(StopIteration, StopAsyncIteration, GeneratorExit)",
            "(StopIteration, GeneratorExit)",
        ),
    ),
    bug(
        "whoever closes in another loop is told in the wrong one",
        "closed_from_two_loops",
        (
            "worker.py",
            "            future.get_loop().call_soon_threadsafe(settle, future, *arguments)\n",
            "            loop = future.get_loop() if settle is _settle else self.loop\n"
            "            loop.call_soon_threadsafe(settle, future, *arguments)\n",
        ),
        (
            "worker.py",
            "        future: asyncio.Future[None] = asyncio.get_event_loop().create_future()\n        self.queue.open(",
            "        future: asyncio.Future[None] = asyncio.get_event_loop().create_future()\n"
            "        self.loop = future.get_loop()\n        self.queue.open(",
        ),
    ),
    bug(
        "a callback that never returns keeps the process",
        "exit_with and never",
        ("worker.py", "and (left := deadline - time.monotonic()) > 0", "and (left := 1.0) > 0"),
    ),
    bug(
        "GeneratorExit closes the coroutine of its caller",
        "a_callback_raises and GeneratorExit",
        (
            "calls.py",
            "(StopIteration, StopAsyncIteration, GeneratorExit)",
            "(StopIteration, StopAsyncIteration)",
        ),
    ),
    bug(
        "the exception of a closed loop ends the thread",
        "closed_with_work_under_way",
        (
            "worker.py",
            "        except RuntimeError:\n            self._lose_loop()",
            "        except KeyError:\n            self._lose_loop()",
        ),
    ),
    bug(
        "a closed loop leaves the worker waiting",
        "closed_with_work_under_way",
        ("worker.py", "        self.stop(LOOP_CLOSED)\n", "        pass\n"),
    ),
    bug(
        "a fork shares the worker",
        "fork",
        ("worker.py", 'if hasattr(os, "register_at_fork"):', "if False:"),
    ),
    bug(
        "a call from within a call waits for itself",
        "a_callback_calls_back and loop and in_adapter",
        (
            "call_queue.py",
            "        if future is not None and self.server == threading.get_ident():\n",
            "        if False:\n",
        ),
    ),
    bug(
        "a close from within a call waits for itself",
        "a_callback_calls_back and close and in_adapter",
        ("worker.py", "        if self.queue.server == threading.get_ident():\n", "        if False:\n"),
    ),
    bug(
        "a block that is left by an error is committed",
        "cancelled_in_transactions",
        ("transactions.py", "            if error is None:\n", "            if True:\n"),
    ),
    bug(
        "a call from outside runs in the middle of a block",
        "cancelled_in_transactions",
        (
            "turns.py",
            "        return self._pass_or_line_up(Waiting(self, item, self._owner()))\n",
            "        self._put(item)\n        return False\n",
        ),
    ),
    bug(
        "a cancelled begin leaves its turn open",
        "cancelled_in_transactions",
        (
            "transactions.py",
            "            self._worker.queue.end_turn_at_once(self, (None, self._roll_back_unseen))\n            self._connection = None\n",
            "            self._connection = None\n",
        ),
    ),
    bug(
        "a close forgets those who wait for their turn",
        "closed_in_a_transaction",
        (
            "turns.py",
            "            self.leave(future)\n            _fail(future, error())\n",
            "            self.leave(future)\n",
        ),
    ),
    bug(
        "two tasks wait for each other's blocks",
        "waiting_for_ones_own",
        ("turns.py", "        if self._waits_for_itself(waiting):\n", "        if False:\n"),
    ),
    bug(
        "the thread keeps the process alive",
        "exit_with and global",
        ("worker.py", "name=self.thread_name, daemon=True)", "name=self.thread_name, daemon=False)"),
    ),
    bug(
        "the end of the process waits for what is queued",
        "exit_with and query and running",
        (
            "worker.py",
            "            if self._current is not None:\n                self._interrupt_object()\n        self.queue.skip",
            "            pass\n        self.queue.skip",
        ),
        (
            "worker.py",
            "                if self._current is not None:\n                    self._interrupt_object()\n",
            "                pass\n",
        ),
    ),
    bug(
        "the end of the process leaves the database open to a write",
        "exit_closes",
        ("worker.py", "    for worker in workers:\n        worker.stop_at_exit()\n", "    return\n"),
        (
            "worker.py",
            "        self._object = None\n        # The system",
            "        logger.error('closed')\n        self._object = None\n        # The system",
        ),
    ),
    bug(
        "a limit on the time of a call begins anew with each chunk of rows",
        "time_limit_counts",
        ("rows.py", "asked, time.monotonic() - began)", "asked, 0.0)"),
    ),
    bug(
        "a limit on the time of a call counts from the first call on",
        "time_limit_does_not_count",
        ("rows.py", "began = time.monotonic()", "began = globals().setdefault('BEGAN', time.monotonic())"),
    ),
    bug(
        "a close leaves the lanes as they are",
        "closed_while_a_pull_waits",
        (
            "lanes.py",
            "            for lane in self._lanes.values():\n                lane.cut_off(reason)\n",
            "            pass\n",
        ),
    ),
    bug(
        "the end of the process waits for the server that a lane waits for",
        "exit_while",
        (
            "lanes.py",
            "            for lane in self._lanes.values():\n                lane.cut_off(reason)\n",
            "            pass\n",
        ),
    ),
    bug(
        "a call in a lane is cancelled in the main one",
        "a_pull_is_cancelled",
        ("lanes.py", "return Call(future, lane.cancel)", "return Call(future, self.cancel)"),
    ),
    bug(
        "dropped without close, its request goes on",
        "dropped_while_a_pull_waits",
        (
            "lanes.py",
            "            for lane in self._lanes.values():\n                lane.cut_off(reason)\n",
            "            pass\n",
        ),
    ),
    bug(
        "closing what could not be opened leaves its thread",
        "an_open_that_fails",
        (
            "worker.py",
            "            self._open_error = error\n            self.stop(OPEN_FAILED)\n",
            "            self._open_error = error\n",
        ),
        (
            "worker.py",
            "        if self.stop() and close",
            "        if self._object is not None and self.stop() and close",
        ),
        (
            "worker.py",
            "            if self._thread is not None and not self._ended:",
            "            if self._object is not None and not self._ended:",
        ),
    ),
    bug(
        "there are threads for no more than 512 connections",
        "a_thousand_connections",
        (
            "worker.py",
            "        _running.add(self)\n",
            "        if len(_running) >= 512:\n            raise RuntimeError('no more threads')\n        _running.add(self)\n",
        ),
    ),
    bug(
        "an error that reaches its caller is logged as well",
        "nothing_is_logged_for_errors",
        (
            "worker.py",
            "    except BaseException as error:\n        return None, raisable(error)",
            "    except BaseException as error:\n        logger.exception('a call failed')\n        return None, raisable(error)",
        ),
    ),
    bug(
        "the end of the process tells what it found open",
        "exit_by",
        (
            "worker.py",
            "        self.queue.skip(self._interrupt_object)\n        self.stop()\n",
            "        self.queue.skip(self._interrupt_object)\n        logger.error('it was not closed')\n        self.stop()\n",
        ),
    ),
    bug(
        "a statement goes on after Ctrl-C, in a thread that is waited for",
        "interrupted_from_the_keyboard",
        ("worker.py", "name=self.thread_name, daemon=True)", "name=self.thread_name, daemon=False)"),
        (
            "worker.py",
            "                self._interrupt_object()\n        future.get_loop()",
            "                pass\n        future.get_loop()",
        ),
    ),
    bug(
        "a commit that fails in a file that may not grow is told as done",
        "a_file_that_may_not_grow",
        (
            "lib_aio.py",
            "        return self._call(lambda connection: connection.commit())",
            "        self._call(lambda connection: connection.commit()).silence()\n        return Ready(None)",
        ),
    ),
    bug(
        "a commit that fails on a full disk is told as done",
        "a_full_disk",
        (
            "lib_aio.py",
            "        return self._call(lambda connection: connection.commit())",
            "        self._call(lambda connection: connection.commit()).silence()\n        return Ready(None)",
        ),
    ),
    bug(
        "a commit is told as done before it is",
        "killed_while_it_writes",
        (
            "lib_aio.py",
            "        return self._call(lambda connection: connection.commit())",
            "        self._call(lambda connection: connection.commit()).silence()\n        return Ready(None)",
        ),
    ),
]
