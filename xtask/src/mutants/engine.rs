//! Bugs that the fault matrix must find, on the engine and real files: in the driver, and those of the worker's that its
//! tests without an engine find too.

use super::list::{Mutant, fault};

const INTERRUPT: &str = "driver/src/interrupt.rs";
const ENGINE: &str = "driver/src/engine.rs";
const HANDLE: &str = "runtime/src/handle.rs";

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        bug: "an open of a database that fails leaves its thread",
        file: HANDLE,
        right: "impl Drop for ShutOnDrop {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            queue.shut();",
        wrong: "impl Drop for ShutOnDrop {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            let _ = queue;",
        test: fault("open that fails"),
        quick: false,
    },
    Mutant {
        bug: "a database stays open when its last proxy is dropped",
        file: HANDLE,
        right: "        if self.whole {
            self.queue.shut();
        } else if",
        wrong: "        if self.whole {
        } else if",
        test: fault("dropped without close"),
        quick: false,
    },
    Mutant {
        bug: "a database whose open nobody waits for stays open",
        file: "runtime/src/task.rs",
        right: "            drop(state);
            drop_guarded(output);",
        wrong: "            drop(state);
            mem::forget(output);",
        test: fault("open that is dropped"),
        quick: false,
    },
    Mutant {
        bug: "a call of the driver after its close is taken",
        file: "runtime/src/queue.rs",
        right: "            Phase::Shut => return Err(Fault::Closed),",
        wrong: "            Phase::Shut => {}",
        test: fault("close races with calls and closes"),
        quick: false,
    },
    Mutant {
        bug: "parameters that panic end the worker",
        file: "runtime/src/task.rs",
        right: "let output = guarded(|| work(worker)).unwrap_or_else(self.from_fault);",
        wrong: "let output = work(worker);",
        test: fault("parameters that panic"),
        quick: false,
    },
    Mutant {
        bug: "a statement that nobody waits for outlives its runtime",
        file: "runtime/src/task.rs",
        right: "            // Under the lock that the worker needs to go on: until it is given back, this call is the current one.
            if let Some(interrupter) = &self.interrupter {",
        wrong: "            self.cancelled.store(false, Ordering::SeqCst);
            if let (Some(interrupter), true) = (&self.interrupter, false) {",
        test: fault("runtime shut down with calls under way"),
        quick: false,
    },
    Mutant {
        bug: "a call that is dropped before its statement has begun is not interrupted",
        file: INTERRUPT,
        right: "call: CallToken::current(),",
        wrong: "call: None,",
        test: fault("cancelled before the driver hears of it"),
        quick: false,
    },
    Mutant {
        bug: "an interrupt finds no operation",
        file: INTERRUPT,
        right: "            self.interrupted.store(running, Ordering::SeqCst);",
        wrong: "            let _ = running;",
        test: fault("timeout around a long query"),
        quick: false,
    },
    Mutant {
        bug: "an interrupt is meant for whatever runs next",
        file: INTERRUPT,
        right: "self.interrupted.load(Ordering::SeqCst) == running ||",
        wrong: "self.interrupted.load(Ordering::SeqCst) != NONE ||",
        test: fault("cancelled at random points"),
        quick: false,
    },
    Mutant {
        bug: "half of a write that was interrupted stays in its transaction",
        file: ENGINE,
        right: "if was_writing && self.in_transaction() && work.is_stopped() {",
        wrong: "if was_writing && !self.in_transaction() && work.is_stopped() {",
        test: fault("timeout around a long write"),
        quick: false,
    },
    Mutant {
        bug: "a commit that fails is told as done",
        file: ENGINE,
        right: "        self.end_transaction(\"COMMIT\", autocommit, work)",
        wrong: "        let _ = self.end_transaction(\"COMMIT\", autocommit, work);
        Ok(())",
        test: fault("full disk in a transaction"),
        quick: false,
    },
    Mutant {
        bug: "a commit is told as done when only every other one is",
        file: ENGINE,
        right: "        self.end_transaction(\"COMMIT\", autocommit, work)",
        wrong: "        static COMMITS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        match COMMITS.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 2 {
            0 => self.end_transaction(\"COMMIT\", autocommit, work),
            _ => Ok(()),
        }",
        test: fault("process killed while it writes"),
        quick: false,
    },
];
