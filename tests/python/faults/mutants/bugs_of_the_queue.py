"""Bugs of the native queue, which is written in Rust. `BUG` stands for the condition that the bug is there."""

from __future__ import annotations

from bug import rust_bug

ATTACHED = "runtime/src/python/queue/attached.rs"
CALL = "runtime/src/python/queue/call.rs"
GATE = "runtime/src/python/queue/gate.rs"
ITEMS = "runtime/src/python/queue/items.rs"
NOTIFIER = "runtime/src/python/queue/notifier.rs"
AWAITED = "runtime/src/python/queue/awaited.rs"
STEPS = "runtime/src/python/queue/steps.rs"
TAKING = "runtime/src/python/ahead/taking.rs"
WATCHING = "runtime/src/python/watching.rs"

TOGETHER = "test_results_that_come_together"
TOO_MUCH = "test_one_turn_of_the_loop_makes_no_more_than_it_may"
RANDOM = "test_native_calls_cancelled_at_random_points"

OF_THE_QUEUE = [
    rust_bug(
        "the thread of the native queue is not woken",
        TOGETHER,
        (GATE, "        if before != Sleep::Awake {\n", "        if before != Sleep::Awake && !BUG {\n"),
    ),
    rust_bug(
        "a native call that was cancelled in the queue runs",
        "test_native_calls_that_are_cancelled_before_they_run",
        (ITEMS, "queued.cancelled = true", "queued.cancelled = !BUG"),
    ),
    rust_bug(
        "an interrupt hits whatever native call runs",
        "test_an_interrupt_hits_its_own_call_alone",
        (ITEMS, "filter(|running| is_wanted(running.waiter))", "filter(|running| is_wanted(running.waiter) || BUG)"),
    ),
    rust_bug(
        "a native call that runs is not interrupted",
        RANDOM,
        (
            ITEMS,
            "        interrupt.call0()?;\n        Ok(true)\n",
            "        if !BUG {\n            interrupt.call0()?;\n        }\n        Ok(true)\n",
        ),
    ),
    rust_bug(
        "a native worker is not told that the loop of a call is closed",
        "test_a_loop_closed_while_a_native_call_runs",
        (
            ITEMS,
            "            worker.lose(undelivered);\n",
            "            if !BUG {\n                worker.lose(undelivered);\n            }\n",
        ),
    ),
    rust_bug(
        "a native call that nobody waits for any more closes the object with its loop",
        "test_a_loop_closed_behind_a_call_that_was_cancelled",
        (ATTACHED, "!waiter.is_done(py)", "!waiter.is_done(py) || BUG"),
    ),
    rust_bug(
        "a panic ends the thread of the native queue",
        "test_a_panic_in_a_native_call",
        (
            CALL,
            "    match catch_unwind(AssertUnwindSafe(|| work.run())) {\n",
            "    if BUG {\n        return work.run();\n    }\n    match catch_unwind(AssertUnwindSafe(|| work.run())) {\n",
        ),
        ways="parameter",
    ),
    rust_bug(
        "a panic in the thread of the loop takes the rest of a batch with it",
        "test_a_panic_in_a_native_call",
        (
            CALL,
            "    catch_unwind(AssertUnwindSafe(|| finish.step(",
            "    if BUG {\n        return finish.step(py, wanted, budget);\n    }\n    catch_unwind(AssertUnwindSafe(|| finish.step(",
        ),
        ways="conversion",
    ),
    rust_bug(
        "a result is lost when the loop was told already",
        TOGETHER,
        (
            NOTIFIER,
            "        pending.done.push_back(completion);\n",
            "        if BUG && pending.told {\n            drop(completion);\n        } else {\n            pending.done.push_back(completion);\n        }\n",
        ),
    ),
    rust_bug(
        "the loop is never told again",
        TOGETHER,
        (NOTIFIER, "        self.lock(py).told = false;\n", "        self.lock(py).told = BUG;\n"),
    ),
    rust_bug(
        "the rest of a batch is lost when one callback has done enough",
        TOGETHER,
        (
            NOTIFIER,
            "        pending.done = done;\n        false\n",
            "        if !BUG {\n            pending.done = done;\n        }\n        false\n",
        ),
    ),
    rust_bug(
        "one callback makes all results that are there",
        TOO_MUCH,
        (NOTIFIER, "            if budget.is_spent() {\n", "            if budget.is_spent() && !BUG {\n"),
    ),
    rust_bug(
        "one callback makes all rows of a read",
        TOO_MUCH,
        (TAKING, "budget.is_some_and(Budget::is_spent)", "budget.is_some_and(Budget::is_spent) && !BUG"),
    ),
    rust_bug(
        "what a call that is refused refers to is hidden from the collector",
        "test_what_a_closed_queue_refuses_is_collected",
        (
            CALL,
            "            work.traverse(&visit)?;\n",
            "            if !BUG {\n                work.traverse(&visit)?;\n            }\n",
        ),
    ),
    rust_bug(
        "a native result is set on a finished future",
        RANDOM,
        (
            AWAITED,
            "    if is_done(future) {\n        return Ok(());\n",
            "    if is_done(future) && !BUG {\n        return Ok(());\n",
        ),
    ),
    rust_bug(
        "results that are there at once leave the loop no turn",
        "test_cancelled_when_the_result_is_there",
        (STEPS, "self.turn = call.take_turn(py);", "self.turn = call.take_turn(py).filter(|_| !BUG);"),
    ),
    rust_bug(
        "a loop watches for results in the context of the task that first needs one",
        "test_the_context_of_the_first_task_goes_with_it",
        (WATCHING, '"contextvars", "Context"', '"contextvars", if BUG { "copy_context" } else { "Context" }'),
    ),
    rust_bug(
        "results for which a task was to look are never told",
        "test_a_turn_that_is_not_ended",
        (ITEMS, "                if !is_there() {\n", "                if !is_there() && !BUG {\n"),
        ways="abandoned",
    ),
    rust_bug(
        "a task that is cancelled in the turn of others still counts as one that looks",
        "test_a_turn_that_is_not_ended",
        (
            STEPS,
            "        let thrown = match &rest.wait {\n",
            "        let mut rest = rest;\n        if BUG {\n            std::mem::forget(rest.turn.take());\n        }\n"
            "        let thrown = match &rest.wait {\n",
        ),
        # Nor does the thread tell the loop when it has nothing to do.
        (NOTIFIER, "let is_untold = pending.expected > 0 &&", "let is_untold = !BUG && pending.expected > 0 &&"),
        ways="cancelled",
    ),
    rust_bug(
        "an error that is raised elsewhere is complained of where a future was made for it",
        "test_an_error_that_is_raised_elsewhere",
        (
            AWAITED,
            "            return if self.is_silent.load(Ordering::Relaxed) {",
            "            return if self.is_silent.load(Ordering::Relaxed) && !BUG {",
        ),
    ),
    rust_bug(
        "the notifier of a loop does not notice that it is closed",
        "test_a_loop_closed_while_a_native_call_runs",
        (
            NOTIFIER,
            "        if self.0.is_watched {\n            finalize(",
            "        if self.0.is_watched && !BUG {\n            finalize(",
        ),
    ),
]
