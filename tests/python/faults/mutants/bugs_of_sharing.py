"""Bugs of what is shared: a connection between tasks, its lanes, and files that outlive a process.

Every one of them is a bug that a published driver has, that this one once had, or that would be easily made.
"""

from __future__ import annotations

from bug import bug

SHARING = [
    bug(
        "a block that is left by an error is committed",
        "test_cancelled_in_transactions_at_random_points",
        ("transactions.py", "            if error is None:\n", "            if True:\n"),
    ),
    bug(
        "a call from outside runs in the middle of a block",
        "test_cancelled_in_transactions_at_random_points",
        (
            "turns.py",
            "        return self._pass_or_line_up(Waiting(self, item, self._owner()))\n",
            "        self._put(item)\n        return False\n",
        ),
    ),
    bug(
        "a cancelled begin leaves its turn open",
        "test_cancelled_in_transactions_at_random_points",
        (
            "transactions.py",
            "            self._worker.queue.end_turn_at_once(self, (None, self._roll_back_unseen))\n            self._connection = None\n",
            "            self._connection = None\n",
        ),
    ),
    bug(
        "a close forgets those who wait for their turn",
        "test_closed_in_a_transaction_while_others_wait",
        (
            "turns.py",
            "            self.leave(future)\n            _fail(future, error())\n",
            "            self.leave(future)\n",
        ),
    ),
    bug(
        "two tasks wait for each other's blocks",
        "test_waiting_for_ones_own_transaction",
        ("turns.py", "        if self._waits_for_itself(waiting):\n", "        if False:\n"),
    ),
    bug(
        "a close leaves the lanes as they are",
        "test_closed_while_a_pull_waits",
        (
            "lanes.py",
            "            for lane in self._lanes.values():\n                lane.cut_off(reason)\n",
            "            pass\n",
        ),
    ),
    bug(
        "the end of the process waits for the server that a lane waits for",
        "test_exit_while",
        (
            "lanes.py",
            "            for lane in self._lanes.values():\n                lane.cut_off(reason)\n",
            "            pass\n",
        ),
        ways="waits and not queued",
    ),
    bug(
        "a call in a lane is cancelled in the main one",
        "test_a_pull_is_cancelled_while_it_waits",
        ("lanes.py", "return Call(future, lane)", "return Call(future, self)"),
    ),
    bug(
        "dropped without close, its request goes on",
        "test_dropped_while_a_pull_waits",
        (
            "lanes.py",
            "            for lane in self._lanes.values():\n                lane.cut_off(reason)\n",
            "            pass\n",
        ),
    ),
    bug(
        "a commit that fails in a file that may not grow is told as done",
        "test_a_file_that_may_not_grow",
        (
            "lib_aio.py",
            "        return self._call(lambda connection: connection.commit())",
            "        self._call(lambda connection: connection.commit()).silence()\n        return Ready(None)",
        ),
    ),
    bug(
        "a commit that fails on a full disk is told as done",
        "test_a_full_disk",
        (
            "lib_aio.py",
            "        return self._call(lambda connection: connection.commit())",
            "        self._call(lambda connection: connection.commit()).silence()\n        return Ready(None)",
        ),
    ),
    bug(
        "a commit is told as done before it is",
        "test_killed_while_it_writes",
        (
            "lib_aio.py",
            "        return self._call(lambda connection: connection.commit())",
            "        self._call(lambda connection: connection.commit()).silence()\n        return Ready(None)",
        ),
    ),
    bug(
        "the child of a fork cuts off what the parent waits for, since lanes are not told of the fork",
        "test_fork_while_a_pull_waits",
        ("lanes.py", "            lane.forget()\n", "            pass\n"),
    ),
    bug(
        "the child of a fork interrupts what the parent runs",
        "test_fork_while_a_pull_waits",
        (
            "worker.py",
            "        self._current = None\n        self._ended = True\n        self.queue.forget(FORKED)\n",
            "        self._ended = True\n        self.queue.forget(FORKED)\n",
        ),
    ),
    bug(
        "what waits in a lane for a loop that is gone is not ended by the close",
        "test_the_loop_is_closed_while_a_pull_waits",
        (
            "lanes.py",
            "            self._skips = True\n            if self._current is not None:\n",
            "            self._skips = True\n"
            "            if self._current is not None and not self._current.get_loop().is_closed():\n",
        ),
        (
            "lanes.py",
            "                # The interrupt may have come between two steps of one call.\n"
            "                if self._current is not None:\n",
            "                if self._current is not None and not self._current.get_loop().is_closed():\n",
        ),
        ways="silent",
    ),
    bug(
        "a lane that loses its loop tells nobody",
        "test_the_loop_is_closed_while_a_pull_waits",
        ("lanes.py", "            self._main.stop(reason)\n", "            pass\n"),
        ways="answered",
    ),
    bug(
        "an open takes the log of a process that was killed for rubbish",
        "test_killed_while_a_pull_is_applied",
        (
            "lib_sync_aio.py",
            "        connection = lib_sync.connect_sync(\n",
            "        if os.path.exists(f'{path}-wal'):\n"
            "            os.unlink(f'{path}-wal')\n"
            "        connection = lib_sync.connect_sync(\n",
        ),
    ),
]
