"""Bugs of beginnings and ends: opening, closing, dropping, event loops that end, processes that end.

Every one of them is a bug that a published driver has, that this one once had, or that would be easily made.
"""

from __future__ import annotations

from bug import bug

ENDS = [
    bug(
        "an item is left behind the stop item",
        "test_calls_that_race_with_close",
        (
            "call_queue.py",
            "                self._refusal = reason\n                # From here on nothing comes past the lock",
            "                # From here on nothing comes past the lock",
        ),
    ),
    bug(
        "a call looks whether the queue is closed without its lock",
        "test_calls_from_other_threads_race_with_close",
        (
            "call_queue.py",
            "            return False\n        with self._lock:\n            refusal = self._refusal\n            if refusal is None:\n",
            "            return False\n        refusal = self._refusal\n        __import__('time').sleep(0.0002)\n        if True:\n            if refusal is None:\n",
        ),
    ),
    bug(
        "a failed open leaves its thread",
        "test_a_failed_open_ends_by_itself",
        (
            "worker.py",
            "            self._open_error = error\n            self.stop(OPEN_FAILED)\n",
            "            self._open_error = error\n",
        ),
        ("lib_aio.py", "            await self._worker.close()\n            raise\n", "            raise\n"),
    ),
    bug(
        "a cancelled open leaves its database open",
        "test_an_open_that_is_cancelled",
        ("lib_aio.py", "            self._worker.stop()\n            raise\n", "            raise\n"),
    ),
    bug(
        "a failed open leaves its worker in the list of those that run",
        "test_a_failed_open_ends_by_itself",
        ("worker.py", "        _running.discard(self)\n        if error is not None", "        if error is not None"),
        (
            "worker.py",
            "            self._open_error = error\n",
            "            self._open_error = error\n            self.ballast = bytearray(1 << 20)\n",
        ),
    ),
    bug(
        "what tells when the owner goes is kept by nobody, and tells nothing",
        "test_dropped_without_close",
        ("worker.py", "        self._owner = weakref.ref(owner,", "        weakref.ref(owner,"),
    ),
    bug(
        "what is told when the owner goes is kept for the process, and the worker with it",
        "test_soak",
        (
            "worker.py",
            "        self._owner = weakref.ref(owner,",
            "        _inherited.append(self)\n        self._owner = weakref.ref(owner,",
        ),
        (
            "worker.py",
            "            self._open_error = error\n",
            "            self._open_error = error\n            self.ballast = bytearray(1 << 20)\n",
        ),
    ),
    bug(
        "the worker keeps its owner",
        "test_dropped_without_close",
        (
            "worker.py",
            "        self._owner = weakref.ref(owner,",
            "        self._kept = owner\n        self._owner = weakref.ref(owner,",
        ),
    ),
    bug(
        "close returns before its turn has come",
        "test_a_close_that_waits_for_a_call_leaves_the_loop_to_others",
        (
            "worker.py",
            "            if self._thread is not None and not self._ended:\n                self._closers",
            "            if False:\n                self._closers",
        ),
    ),
    bug(
        "close returns before the thread is gone",
        "test_the_thread_is_gone_when_close_returns",
        ("worker.py", "    if wait is not None:\n        wait()\n", ""),
        (
            "worker.py",
            "            self._deliver(closer.get_loop(), [closer, None, None, error], wait)\n            error = None\n",
            "            self._deliver(closer.get_loop(), [closer, None, None, error], wait)\n            error = None\n        time.sleep(0.001)\n",
        ),
    ),
    bug(
        "the end is told to the first who closes",
        "test_closed_twice_and_by_two_tasks",
        ("worker.py", "        for closer in closers:\n", "        for closer in closers[:1]:\n"),
    ),
    bug(
        "a close that is cancelled takes the end with it",
        "test_a_close_that_is_cancelled",
        (
            "worker.py",
            "        return Closing(self.tell_end)\n",
            "        future = asyncio.get_event_loop().create_future()\n        self.tell_end(future)\n        self.close = lambda close=None: Call(future, future.cancel)\n        return Call(future, future.cancel)\n",
        ),
    ),
    bug(
        "dropped without close, it does not warn",
        "test_dropped_without_close",
        (
            "worker.py",
            "        if self.stop():\n            # Where",
            "        if self.stop() and False:\n            # Where",
        ),
    ),
    bug(
        "dropped without close, its thread stays",
        "test_dropped_without_close",
        (
            "worker.py",
            "    if worker is not None:\n        worker.warn_and_stop()",
            "    if worker is not None:\n        warnings.warn(worker._name, ResourceWarning, stacklevel=2)",
        ),
    ),
    bug(
        "whoever closes in another loop is told in the wrong one",
        "test_closed_from_two_loops_at_once",
        (
            "worker.py",
            "            event_loop.call_soon_threadsafe(_settle, outcome, wait)\n",
            "            loop = event_loop if wait is None else self.loop\n"
            "            loop.call_soon_threadsafe(_settle, outcome, wait)\n",
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
        "test_exit_with",
        ("worker.py", "and (left := deadline - time.monotonic()) > 0", "and (left := 1.0) > 0"),
        ways="never",
    ),
    bug(
        "the exception of a closed loop ends the thread",
        "test_closed_with_work_under_way",
        (
            "worker.py",
            "        except RuntimeError:\n            return False",
            "        except KeyError:\n            return False",
        ),
        ways="running",
    ),
    bug(
        "a call that nobody waits for any more closes the object with its loop",
        "test_cancelled_before_its_loop_is_closed",
        ("worker.py", "not delivered and not outcome[0].done()", "not delivered"),
        ways="queued",
    ),
    bug(
        "a closed loop leaves the worker waiting",
        "test_closed_with_work_under_way",
        ("worker.py", "        self.stop(LOOP_CLOSED)\n", "        pass\n"),
        ways="running",
    ),
    bug(
        "a fork shares the worker",
        "test_fork",
        ("worker.py", 'if hasattr(os, "register_at_fork"):', "if False:"),
        ways="idle",
    ),
    bug(
        "the thread keeps the process alive",
        "test_exit_with",
        ("worker.py", "name=self.thread_name, daemon=True)", "name=self.thread_name, daemon=False)"),
        ways="global and not module",
    ),
    bug(
        "the end of the process waits for what is queued",
        "test_exit_with",
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
        ways="query and running and behind",
    ),
    bug(
        "the end of the process leaves the database open to a write",
        "test_exit_closes_what_is_open",
        ("worker.py", "    for worker in workers:\n        worker.stop_at_exit()\n", "    return\n"),
        (
            "worker.py",
            "        self._object = None\n        # The system",
            "        logger.error('closed')\n        self._object = None\n        # The system",
        ),
    ),
    bug(
        "closing what could not be opened leaves its thread",
        "test_an_open_that_fails",
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
        ways="such",
    ),
    bug(
        "there are threads for no more than 512 connections",
        "test_a_thousand_connections_at_once",
        (
            "worker.py",
            "        _running.add(self)\n",
            "        if len(_running) >= 512:\n            raise RuntimeError('no more threads')\n        _running.add(self)\n",
        ),
    ),
    bug(
        "the end of the process tells what it found open",
        "test_exit_by",
        (
            "worker.py",
            "        self.queue.skip(self._interrupt_object)\n        self.stop()\n",
            "        self.queue.skip(self._interrupt_object)\n        logger.error('it was not closed')\n        self.stop()\n",
        ),
        ways="sys",
    ),
    bug(
        "a statement goes on after Ctrl-C, in a thread that is waited for",
        "test_interrupted_from_the_keyboard",
        ("worker.py", "name=self.thread_name, daemon=True)", "name=self.thread_name, daemon=False)"),
        (
            "worker.py",
            "                self._interrupt_object()\n        future.get_loop()",
            "                pass\n        future.get_loop()",
        ),
        ways="uncaught",
    ),
    bug(
        "what was queued before the close is refused",
        "test_closed_with_a_full_queue",
        ("worker.py", "            skips = self._skips\n", "            skips = self._skips or self.queue.closed\n"),
    ),
    bug(
        "a close interrupts what was called before it",
        "test_closed_while_a_query_runs",
        (
            "worker.py",
            "        if self.stop() and close is not None:\n",
            "        self._interrupt_object()\n        if self.stop() and close is not None:\n",
        ),
    ),
    bug(
        "a property of what is closed raises whatever is at hand",
        "test_every_call_after_close_is_refused",
        (
            "call_queue.py",
            "            raise self.closed_error(self._refusal)\n",
            "            raise AttributeError(self._refusal)\n",
        ),
    ),
    bug(
        "whoever closes waits for a thread that an exception has ended",
        "test_closed_while_a_callback_raises",
        (
            "worker.py",
            "    except BaseException as error:\n        return None, raisable(error)",
            "    except Exception as error:\n        return None, raisable(error)",
        ),
        ways="SystemExit",
    ),
    bug(
        "what was not committed is committed by the close",
        "test_a_close_behind_an_open_transaction",
        (
            "worker.py",
            "        if self._object is not None and self._close is not None:\n",
            "        if self._object is not None and self._close is not None:\n            self._object.commit()\n",
        ),
    ),
    bug(
        "what a cancelled call was made of is kept",
        "test_dropped_by_a_task_that_is_cancelled",
        (
            "worker.py",
            "    future, _, result, error = outcome\n    outcome.clear()\n",
            "    future, function, result, error = outcome\n    outcome.clear()\n"
            "    if future.cancelled():\n        globals().setdefault('kept', []).append(function)\n",
        ),
    ),
    bug(
        "what a closed loop has left running cannot be interrupted",
        "test_closed_with_an_endless_query_running",
        (
            "worker.py",
            "        opened = self.in_place\n",
            "        opened = self.in_place\n"
            "        if self._current is not None and self._current.get_loop().is_closed():\n"
            "            raise self.queue.closed_error(LOOP_CLOSED)\n",
        ),
    ),
    bug(
        "a connection wants a loop where it is made",
        "test_made_outside_of_a_loop",
        (
            "worker.py",
            "        self.queue = CallQueue(closed_error)\n",
            "        self.queue = CallQueue(closed_error)\n        asyncio.get_running_loop()\n",
        ),
    ),
    bug(
        "a connection belongs to the loop that used it first",
        "test_used_from_one_loop_after_the_other",
        (
            "call_queue.py",
            "        future, _ = item\n        if future is not None and self.server",
            "        future, _ = item\n"
            "        home = self.__dict__.setdefault('home', future and future.get_loop())\n"
            "        if future is not None and home is not future.get_loop():\n"
            "            raise RuntimeError('it belongs to another loop')\n"
            "        if future is not None and self.server",
        ),
    ),
    bug(
        "the loop that called last is told of every result",
        "test_used_from_two_loops_at_once",
        (
            "call_queue.py",
            "        future, _ = item\n        if future is not None and self.server",
            "        future, _ = item\n"
            "        self.latest = future and future.get_loop()\n"
            "        if future is not None and self.server",
        ),
        (
            "worker.py",
            "            event_loop.call_soon_threadsafe(_settle, outcome, wait)\n",
            "            loop = getattr(self.queue, 'latest', None) or event_loop\n"
            "            loop.call_soon_threadsafe(_settle, outcome, wait)\n",
        ),
    ),
    bug(
        "all rows are read in the thread of the loop",
        "test_the_loop_goes_on_while_rows_are_read",
        (
            "lib_aio.py",
            "        return self._put(lambda: self._worker.opened.execute(sql, parameters).fetchall())\n",
            "        async def read():\n"
            "            await self._put(lambda: None)\n"
            "            return self._worker.opened.execute(sql, parameters).fetchall()\n\n"
            "        return read()\n",
        ),
        ways="execute_fetchall",
    ),
    bug(
        "what is dropped needs a loop that runs",
        "test_dropped_behind_a_closed_loop",
        (
            "worker.py",
            "        worker.warn_and_stop()",
            "        asyncio.get_running_loop().call_soon(worker.warn_and_stop)",
        ),
    ),
    bug(
        "a thread waits for the connection to be awaited, which it never is",
        "test_an_open_that_is_never_awaited",
        (
            "worker.py",
            "        self.queue = CallQueue(closed_error)\n",
            "        self.queue = CallQueue(closed_error)\n"
            "        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
        ),
    ),
]
