"""Bugs of the side of the native queue that is written in Python; what runs its calls is written in Rust."""

from __future__ import annotations

import functools

from bug import NATIVE_QUEUE, bug

native_bug = functools.partial(bug, worker=NATIVE_QUEUE)

NATIVE_CALLS = [
    native_bug(
        "rows on their way to a read that is given up are not there for the next",
        "test_a_read_that_is_given_up_when_it_has_run",
        ("rows.py", "            self._native_call.give_up()\n", "            pass\n"),
    ),
    native_bug(
        "a native call that is cancelled goes on",
        "test_timed_out_in_a_transaction",
        (
            "call_queue.py",
            "isinstance(items, NativeQueue) and items.cancel(call, interrupt)",
            "isinstance(items, NativeQueue) and False",
        ),
        ways="wait_for",
    ),
    native_bug(
        "an interrupt between two chunks of a native read is lost",
        "test_an_interrupt_of_a_long_read",
        ("call_queue.py", "            self._items.tell_interrupt()\n", "            pass\n"),
    ),
    native_bug(
        "a native worker goes on when the loop of a call is closed",
        "test_closed_with_work_under_way",
        ("worker.py", "        self.stop(LOOP_CLOSED)\n", "        pass\n"),
    ),
    native_bug(
        "the loop has no turn between results that are there already",
        "test_results_that_are_there_already",
        (
            "lib_aio.py",
            "        if not made.finish_soon():\n",
            "        if not made.finish_soon() and not made.as_future().done():\n",
        ),
    ),
    native_bug(
        "a loop that watches no descriptors gets the native queue",
        "test_a_loop_that_watches_no_descriptors",
        ("call_queue.py", '== "native" and NativeQueue.can_tell(event_loop):', '== "native":'),
    ),
    native_bug(
        "what is told like native results is taken for told where the loop is closed",
        "test_closed_with_work_under_way",
        (
            "call_queue.py",
            "isinstance(items, NativeQueue) and items.tell(event_loop, outcome, wait)",
            "isinstance(items, NativeQueue) and (items.tell(event_loop, outcome, wait) or True)",
        ),
    ),
    native_bug(
        "what is told like native results is told to the first loop",
        "test_closed_from_two_loops_at_once",
        (
            "call_queue.py",
            "        return isinstance(items, NativeQueue) and items.tell(event_loop, outcome, wait)",
            "        self.first = getattr(self, 'first', event_loop)\n"
            "        return isinstance(items, NativeQueue) and items.tell(self.first, outcome, wait)",
        ),
    ),
    native_bug(
        "close returns before the thread is gone, where it is told like native results",
        "test_the_thread_is_gone_when_close_returns",
        ("call_queue.py", "items.tell(event_loop, outcome, wait)", "items.tell(event_loop, outcome, None)"),
        (
            "worker.py",
            "            self._deliver(closer.get_loop(), [closer, None, None, error], wait)\n            error = None\n",
            "            self._deliver(closer.get_loop(), [closer, None, None, error], wait)\n            error = None\n"
            "        time.sleep(0.001)\n",
        ),
    ),
]
