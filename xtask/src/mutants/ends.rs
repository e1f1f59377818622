//! Bugs in how objects begin and end.

use super::list::{Mutant, proxy};

const CLOSING: &str = "runtime/src/closing.rs";
const HANDLE: &str = "runtime/src/handle.rs";
const STORAGE: &str = "runtime/src/storage.rs";

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        bug: "a close is complete before it has run",
        file: CLOSING,
        right: "        let Some(work) = lock(&self.work).take() else { return };
",
        wrong: "        let Some(work) = lock(&self.work).take() else { return };
        self.closing.complete();
        std::thread::sleep(std::time::Duration::from_millis(5));
",
        test: proxy("proxy_closing", "a_close_that_fails_says_so_and_is_a_close"),
        quick: true,
    },
    Mutant {
        bug: "a close is complete before the objects that were handed out are dropped",
        file: CLOSING,
        right: "            worker.closings.push(self.closing.clone());",
        wrong: "            self.closing.complete();
            std::thread::sleep(std::time::Duration::from_millis(5));",
        test: proxy(
            "proxy_closing",
            "close_runs_what_was_queued_before_it_and_refuses_the_rest_at_once",
        ),
        quick: false,
    },
    Mutant {
        bug: "a close is never complete",
        file: "runtime/src/worker.rs",
        right: "            closing.complete();",
        wrong: "            let _ = closing;",
        test: proxy("proxy_closing", "a_close_is_not_undone_by_dropping_its_future"),
        quick: true,
    },
    Mutant {
        bug: "a second close is done at once",
        file: CLOSING,
        right: "        if !closing.begin() {
            return this;",
        wrong: "        if !closing.begin() {
            this.closing = Arc::default();
            this.closing.complete();
            return this;",
        test: proxy(
            "proxy_closing",
            "close_runs_what_was_queued_before_it_and_refuses_the_rest_at_once",
        ),
        quick: true,
    },
    Mutant {
        bug: "a second close runs the close again",
        file: CLOSING,
        right: "        !mem::replace(&mut lock(&self.0).begun, true)",
        wrong: "        lock(&self.0).begun = true;
        true",
        test: proxy(
            "proxy_closing",
            "close_runs_what_was_queued_before_it_and_refuses_the_rest_at_once",
        ),
        quick: false,
    },
    Mutant {
        bug: "a close whose future is dropped is not done",
        file: CLOSING,
        right: "        if let Some(place) = self.place {
            self.closing.forget(place);
        }",
        wrong: "        if let Some(place) = self.place {
            self.closing.forget(place);
        }
        lock(&self.closing.0).begun = false;",
        test: proxy("proxy_closing", "a_close_is_not_undone_by_dropping_its_future"),
        quick: false,
    },
    Mutant {
        bug: "the error of a close is lost",
        file: CLOSING,
        right: "        *lock(&self.answer) = Some(answer);",
        wrong: "        drop(answer);",
        test: proxy("proxy_closing", "a_close_that_fails_says_so_and_is_a_close"),
        quick: false,
    },
    Mutant {
        bug: "an open that fails leaves its thread",
        file: HANDLE,
        right: "impl Drop for ShutOnDrop {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            queue.shut();",
        wrong: "impl Drop for ShutOnDrop {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            let _ = queue;",
        test: proxy("proxy_closing", "a_failed_open_leaves_no_thread_and_no_object"),
        quick: true,
    },
    Mutant {
        bug: "an open panics where no thread can be had",
        file: HANDLE,
        right: "Role::Main).is_err() {",
        wrong: "Role::Main).map(|_| false).expect(\"a thread\") {",
        test: proxy(
            "proxy_corners",
            "an_open_for_which_no_thread_can_be_started_is_an_error",
        ),
        quick: true,
    },
    Mutant {
        bug: "an object that was handed out stays when its proxy is dropped",
        file: HANDLE,
        right: "            self.submit_unawaited(move |worker| worker.arena.end(&place));",
        wrong: "            let _ = place;",
        test: proxy("proxy_closing", "a_dropped_child_is_dropped_on_the_worker_at_once"),
        quick: true,
    },
    Mutant {
        bug: "the thread stays when the last proxy is dropped",
        file: HANDLE,
        right: "        if self.whole {
            self.queue.shut();
        } else if",
        wrong: "        if self.whole {
        } else if",
        test: proxy(
            "proxy_closing",
            "dropping_all_proxies_runs_what_is_queued_and_ends_the_worker",
        ),
        quick: true,
    },
    Mutant {
        bug: "a close waits for what runs in a lane",
        file: CLOSING,
        right: "            slot.lanes.cancel();",
        wrong: "            let _ = slot;",
        test: proxy("proxy_closing", "close_drains_the_main_lane_and_cancels_the_others"),
        quick: true,
    },
    Mutant {
        bug: "an object is dropped under the call of a lane",
        file: STORAGE,
        right: "                slot.lanes.join();
                if !slot.outlives_close {",
        wrong: "                if !slot.outlives_close {",
        test: proxy(
            "proxy_closing",
            "dropping_all_proxies_lets_the_lanes_finish_and_drops_the_object_on_its_worker",
        ),
        quick: true,
    },
    Mutant {
        bug: "an object that answers when it is closed is dropped by its close",
        file: STORAGE,
        right: "                if !slot.outlives_close {",
        wrong: "                {",
        test: proxy(
            "proxy_corners",
            "a_member_that_answers_when_closed_does_so_as_long_as_there_is_a_proxy",
        ),
        quick: false,
    },
    Mutant {
        bug: "an object that panics when it is dropped ends the worker before its close is complete",
        file: STORAGE,
        right: "                    drop_guarded(slot.take());",
        wrong: "                    drop(slot.take());",
        test: proxy(
            "proxy_closing",
            "an_object_that_panics_when_it_is_dropped_is_closed_all_the_same",
        ),
        quick: false,
    },
    Mutant {
        bug: "an object is closed under those that it handed out",
        file: "runtime/src/class.rs",
        right: "Keeper(Some(Arc::new(self.clone())))",
        wrong: "Keeper(None)",
        test: proxy(
            "proxy_corners",
            "an_object_that_was_handed_out_keeps_the_one_that_it_comes_from_open",
        ),
        quick: true,
    },
    Mutant {
        bug: "the members of a closed object that was handed out still run",
        file: HANDLE,
        right: "(!self.whole && self.closing.has_begun()).then_some(Fault::Closed)",
        wrong: "None",
        test: proxy("proxy_calls", "every_kind_works_on_a_simple_executor"),
        quick: false,
    },
];
