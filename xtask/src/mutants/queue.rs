//! Bugs in how calls wait, run and give their results.

use super::list::{Mutant, proxy};

const TASK: &str = "runtime/src/task.rs";
const QUEUE: &str = "runtime/src/queue.rs";

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        bug: "a call that is dropped while it waits runs all the same",
        file: TASK,
        right: "        let waker = state.waker.take();
        let stage = mem::replace(&mut state.stage, Stage::Over);
",
        wrong: "        if matches!(state.stage, Stage::Queued(_)) {
            return;
        }
        let waker = state.waker.take();
        let stage = mem::replace(&mut state.stage, Stage::Over);
",
        test: proxy("proxy_endings", "a_call_whose_future_is_dropped_before_it_has_begun_never_runs"),
        quick: true,
    },
    Mutant {
        bug: "a call that is dropped while it runs is not interrupted",
        file: TASK,
        right: "            // Under the lock that the worker needs to go on: until it is given back, this call is the current one.
            if let Some(interrupter) = &self.interrupter {",
        wrong: "            if let (Some(interrupter), true) = (&self.interrupter, false) {",
        test: proxy(
            "proxy_endings",
            "a_call_whose_future_is_dropped_while_it_runs_is_interrupted_and_the_next_one_is_not",
        ),
        quick: true,
    },
    Mutant {
        bug: "the interrupt comes outside of the lock and may hit the next call",
        file: TASK,
        right: "            // Under the lock that the worker needs to go on: until it is given back, this call is the current one.
            if let Some(interrupter) = &self.interrupter {
                interrupter.interrupt();
            }
        }
        drop(state);
",
        wrong: "            drop(state);
            if let Some(interrupter) = &self.interrupter {
                interrupter.interrupt();
            }
        }
",
        test: proxy("proxy_endings", "the_next_call_does_not_begin_before_the_interrupt_of_the_last_is_over"),
        quick: true,
    },
    Mutant {
        bug: "a token does not tell that its call was dropped",
        file: TASK,
        right: "            self.cancelled.store(true, Ordering::SeqCst);
            // Under the lock that the worker needs to go on",
        wrong: "            // Under the lock that the worker needs to go on",
        test: proxy("proxy_endings", "a_token_tells_a_running_call_and_a_childs_call_that_they_were_dropped"),
        quick: false,
    },
    Mutant {
        bug: "a panic of a call ends the worker",
        file: TASK,
        right: "let output = guarded(|| work(worker)).unwrap_or_else(self.from_fault);",
        wrong: "let output = work(worker);",
        test: proxy("proxy_endings", "a_panic_is_the_error_of_its_call_and_the_worker_goes_on"),
        quick: true,
    },
    Mutant {
        bug: "a panic whose payload panics ends the worker",
        file: "runtime/src/error.rs",
        right: "    if let Err(second) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
        mem::forget(second);
    }",
        wrong: "    drop(payload);",
        test: proxy("proxy_endings", "a_panic_is_the_error_of_its_call_and_the_worker_goes_on"),
        quick: false,
    },
    Mutant {
        bug: "a result that nobody takes and that panics when it is dropped ends the worker",
        file: TASK,
        right: "            drop(state);
            drop_guarded(output);",
        wrong: "            drop(state);
            drop(output);",
        test: proxy("proxy_endings", "a_result_that_panics_when_it_is_dropped_on_the_worker_does_not_end_it"),
        quick: false,
    },
    Mutant {
        bug: "a result that nobody takes is never dropped",
        file: TASK,
        right: "            drop(state);
            drop_guarded(output);",
        wrong: "            drop(state);
            mem::forget(output);",
        test: proxy("proxy_closing", "an_open_that_is_dropped_leaves_no_thread_and_no_object"),
        quick: true,
    },
    Mutant {
        bug: "a waker that panics ends the worker",
        file: TASK,
        right: "            let _ = guarded(move || waker.wake());",
        wrong: "            waker.wake();",
        test: proxy("proxy_endings", "a_waker_that_panics_does_not_end_the_worker"),
        quick: false,
    },
    Mutant {
        bug: "a call wakes the task that polled it first, not the last",
        file: TASK,
        right: "                    _ => state.waker.replace(context.waker().clone()),",
        wrong: "                    Some(_) => None,
                    None => state.waker.replace(context.waker().clone()),",
        test: proxy("proxy_calls", "a_future_that_moves_to_another_task_wakes_that_one"),
        quick: true,
    },
    Mutant {
        bug: "a close wakes the task that polled it first, not the last",
        file: "runtime/src/closing.rs",
        right: "            _ => state.wakers[index].replace(context.waker().clone()),",
        wrong: "            Some(_) => None,
            None => state.wakers[index].replace(context.waker().clone()),",
        test: proxy("proxy_calls", "a_future_that_moves_to_another_task_wakes_that_one"),
        quick: false,
    },
    Mutant {
        bug: "the call that was made last runs first",
        file: QUEUE,
        right: "        state.items.push_back(item);",
        wrong: "        state.items.push_front(item);",
        test: proxy("proxy_calls", "calls_run_in_the_order_in_which_they_were_made_however_they_are_polled"),
        quick: true,
    },
    Mutant {
        bug: "calls are taken after the one that closes",
        file: QUEUE,
        right: "            Phase::Shut => return Err(Fault::Closed),",
        wrong: "            Phase::Shut => {}",
        test: proxy("proxy_closing", "no_call_hangs_when_it_races_with_close"),
        quick: true,
    },
    Mutant {
        bug: "the item that ends the worker overtakes what was queued before it",
        file: QUEUE,
        right: "        state.items.push_back(item);",
        wrong: "        match next {
            Phase::Shut => state.items.push_front(item),
            _ => state.items.push_back(item),
        }",
        test: proxy("proxy_closing", "close_runs_what_was_queued_before_it_and_refuses_the_rest_at_once"),
        quick: true,
    },
    Mutant {
        bug: "what is queued is forgotten when the last proxy is dropped",
        file: QUEUE,
        right: "        while state.items.is_empty() {
            if state.phase != Phase::Open {
                return false;
            }
",
        wrong: "        while state.items.is_empty() || state.phase != Phase::Open {
            if state.phase != Phase::Open {
                return false;
            }
",
        test: proxy("proxy_closing", "dropping_all_proxies_runs_what_is_queued_and_ends_the_worker"),
        quick: false,
    },
    Mutant {
        bug: "a worker that sleeps is not told that nobody is left",
        file: QUEUE,
        right: "            self.set_phase(&mut state, Phase::Shut);
        }
        let wake = mem::take(&mut state.sleeping);",
        wrong: "            self.set_phase(&mut state, Phase::Shut);
        }
        let wake = false;",
        test: proxy(
            "proxy_corners",
            "a_thousand_objects_opened_used_and_closed_at_once_leave_nothing",
        ),
        quick: true,
    },
    Mutant {
        bug: "a call of a lane that waits runs in spite of the close",
        file: QUEUE,
        right: "            current.cancelled = true;",
        wrong: "",
        test: proxy("proxy_closing", "close_drains_the_main_lane_and_cancels_the_others"),
        quick: false,
    },
    Mutant {
        bug: "the interrupt of one lane hits the other",
        file: "runtime/src/storage.rs",
        right: "object.interrupt(self.lane)",
        wrong: "object.interrupt(\"\")",
        test: proxy("proxy_endings", "a_cancelled_call_interrupts_its_own_lane_only"),
        quick: true,
    },
];
