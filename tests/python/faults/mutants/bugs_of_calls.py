"""Bugs of single calls: their results, their cancelling, the rows that they read, the callbacks in them.

Every one of them is a bug that a published driver has, that this one once had, or that would be easily made.
"""

from __future__ import annotations

from bug import bug

CALLS = [
    bug(
        "a result is set on a finished future",
        "test_cancelled_at_random_points",
        ("worker.py", "    if future.done():\n        return\n    if error is None:", "    if error is None:"),
    ),
    bug(
        "an exception that is none of Exception ends the thread",
        "test_a_panic",
        (
            "worker.py",
            "    except BaseException as error:\n        return None, raisable(error)",
            "    except Exception as error:\n        return None, raisable(error)",
        ),
    ),
    bug(
        "an interrupt hits whatever runs",
        "test_cancelled_at_random_points",
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
        "test_timed_out_in_a_transaction",
        ("worker.py", "        self._interrupt_call(call, future)\n\n", "\n"),
        ways="query and wait_for and not fetch",
    ),
    bug(
        "a long read is not ended between two of its chunks",
        "test_timed_out_in_a_transaction",
        ("rows.py", "            if is_interrupted():\n                break\n", ""),
        ways="fetch and wait_for and not query",
    ),
    bug(
        "an interrupt tells the engine, and not the call",
        "test_an_interrupt_of_a_long_read",
        ("worker.py", "            self._interrupted = self._current is not None\n", "            pass\n"),
    ),
    bug(
        "rows of a chunk are lost on break",
        "test_an_iteration_that_is_broken_off_goes_on",
        (
            "lib_aio.py",
            "    def __aiter__(self) -> AsyncIterator[RowT]:\n        return self\n",
            "    async def __aiter__(self):\n        while rows := await self.fetchmany(64):\n            for row in rows:\n                yield row\n",
        ),
    ),
    bug(
        "rows of a cancelled read are lost",
        "test_a_cancelled_read_loses_no_row",
        ("rows.py", "            self._ahead.extendleft(reversed(taken.rows))\n", ""),
    ),
    bug(
        "rows read ahead are kept over execute",
        "test_rows_read_ahead_end_with_their_result_set",
        (
            "lib_aio.py",
            "                if cursor._begun != begun:\n                    self._rows.drop()\n",
            "                pass\n",
        ),
    ),
    bug(
        "an error comes before the rows that were read with it",
        "test_an_iteration_ends_at_an_error_and_not_before",
        (
            "rows.py",
            "        if size is None or count < size:\n            error, self._error",
            "        if True:\n            error, self._error",
        ),
    ),
    bug(
        "a cancelled call that is queued runs",
        "test_cancelled_at_random_points",
        ("worker.py", "wanted = future is None or not future.done()", "wanted = True"),
    ),
    bug(
        "StopIteration hangs its caller",
        "test_a_callback_raises",
        (
            "calls.py",
            "(StopIteration, StopAsyncIteration, GeneratorExit)",
            "(StopAsyncIteration, GeneratorExit)",
        ),
        # Since then a future makes an error of it by itself.
        before=(3, 12),
        ways="StopIteration and in_adapter",
    ),
    bug(
        "StopAsyncIteration just ends an iteration",
        "test_a_callback_raises",
        (
            "calls.py",
            "(StopIteration, StopAsyncIteration, GeneratorExit)",
            "(StopIteration, GeneratorExit)",
        ),
        ways="StopAsyncIteration and iteration",
    ),
    bug(
        "GeneratorExit closes the coroutine of its caller",
        "test_a_callback_raises",
        (
            "calls.py",
            "(StopIteration, StopAsyncIteration, GeneratorExit)",
            "(StopIteration, StopAsyncIteration)",
        ),
        ways="GeneratorExit and in_adapter",
    ),
    bug(
        "a call from within a call waits for itself",
        "test_a_callback_calls_back",
        (
            "call_queue.py",
            "        if future is not None and self.server == threading.get_ident():\n",
            "        if False:\n",
        ),
        ways="loop and in_adapter and not close",
    ),
    bug(
        "a close from within a call waits for itself",
        "test_a_callback_calls_back",
        ("worker.py", "        if self.queue.server == threading.get_ident():\n", "        if False:\n"),
        ways="close and in_adapter",
    ),
    bug(
        "a limit on the time of a call begins anew with each chunk of rows",
        "test_a_time_limit_counts_for_the_whole_of_a",
        ("rows.py", "asked, time.monotonic() - began)", "asked, 0.0)"),
        ways="fetchall",
    ),
    bug(
        "a limit on the time of a call counts from the first call on",
        "test_a_time_limit_does_not_count_for_an_iteration",
        ("rows.py", "began = time.monotonic()", "began = globals().setdefault('BEGAN', time.monotonic())"),
    ),
    bug(
        "an error that reaches its caller is logged as well",
        "test_nothing_is_logged_for_errors_of_callbacks",
        (
            "worker.py",
            "    except BaseException as error:\n        return None, raisable(error)",
            "    except BaseException as error:\n        logger.exception('a call failed')\n        return None, raisable(error)",
        ),
    ),
    bug(
        "executemany keeps what it had inserted when it is cancelled",
        "test_endless_parameters_that_are_cancelled",
        (
            "lib_aio.py",
            "        return Cursor(self, lambda connection: connection.executemany(sql, seq_of_parameters))\n",
            "        def feed():\n"
            "            for parameters in seq_of_parameters:\n"
            "                if self._worker.is_interrupted():\n"
            "                    return\n"
            "                yield parameters\n\n"
            "        return Cursor(self, lambda connection: connection.executemany(sql, feed()))\n",
        ),
        ("worker.py", "            self._interrupt(self._object)\n", "            pass\n"),
    ),
    bug(
        "an INSERT with RETURNING writes no more rows than are read ahead of its reader",
        "test_a_returning_that_is_broken_off_is_whole",
        (
            "lib_aio.py",
            "        return Cursor(self, lambda connection: connection.execute(sql, parameters))\n",
            "        sql = sql.replace(' RETURNING', f' LIMIT {self.iter_chunk_size} RETURNING')\n"
            "        return Cursor(self, lambda connection: connection.execute(sql, parameters))\n",
        ),
    ),
]
