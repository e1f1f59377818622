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
        quick: true,
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
        quick: true,
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
        bug: "calls belong to the thread in which the first of them was awaited",
        file: "runtime/src/task.rs",
        right: "            waiting => {
                state.stage = waiting;",
        wrong: "            waiting => {
                static HOME: std::sync::OnceLock<std::thread::ThreadId> = std::sync::OnceLock::new();
                let here = std::thread::current().id();
                assert_eq!(*HOME.get_or_init(|| here), here, \"there is no runtime here\");
                state.stage = waiting;",
        test: fault("made outside of any runtime"),
        quick: false,
    },
    Mutant {
        bug: "whoever waits latest is told of every result, and the others of none",
        file: "runtime/src/task.rs",
        right: "                    _ => state.waker.replace(context.waker().clone()),",
        wrong: "                    _ => {
                        static LATEST: Mutex<Option<Waker>> = Mutex::new(None);
                        struct Latest;
                        impl std::task::Wake for Latest {
                            fn wake(self: Arc<Self>) {
                                if let Some(waker) = lock(&LATEST).clone() {
                                    waker.wake();
                                }
                            }
                        }
                        *lock(&LATEST) = Some(context.waker().clone());
                        state.waker.replace(Waker::from(Arc::new(Latest)))
                    }",
        test: fault("two runtimes at once"),
        quick: false,
    },
    Mutant {
        bug: "a call that is made and dropped on its own worker waits for itself",
        file: "runtime/src/task.rs",
        right: "        drop(stage);
        drop(waker);",
        wrong: "        while matches!(stage, Stage::Queued(_)) && CURRENT.with_borrow(Option::is_some) {
            std::thread::park();
        }
        drop(stage);
        drop(waker);",
        test: fault("callback on its own connection"),
        quick: true,
    },
    Mutant {
        bug: "what executemany has inserted when it is interrupted stays in its transaction",
        file: "driver/src/execution/many.rs",
        right: "                if let Err(error) = self.run(engine, &mut statement, work) {
                    return Err(engine.abandon(statement, error, work));
                }
                // Rows of RETURNING",
        wrong: "                if let Err(error) = self.run(engine, &mut statement, work) {
                    engine.give_back(statement)?;
                    return Err(error);
                }
                // Rows of RETURNING",
        test: fault("parameters whose call is cancelled"),
        quick: false,
    },
    Mutant {
        bug: "a panic of a call of a class of the user's ends the worker",
        file: "runtime/src/task.rs",
        right: "let output = guarded(|| work(worker)).unwrap_or_else(self.from_fault);",
        wrong: "let output = work(worker);",
        test: fault("panic in a call"),
        quick: false,
    },
    Mutant {
        bug: "there are threads for no more than 512 objects",
        file: "runtime/src/worker.rs",
        right: "    Builder::new().name(",
        wrong: "    static STARTED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    if STARTED.fetch_add(1, std::sync::atomic::Ordering::SeqCst) >= 512 {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    Builder::new().name(",
        test: fault("a thousand connections at once"),
        quick: false,
    },
    Mutant {
        bug: "each call leaves a little behind",
        file: "runtime/src/task.rs",
        right: "        CURRENT.set(before);",
        wrong: "        CURRENT.set(before);
        mem::forget(vec![1_u8; 1 << 15]);",
        test: fault("soak"),
        quick: false,
    },
    Mutant {
        bug: "an object whose proxy nobody took stays",
        file: "runtime/src/task.rs",
        right: "            drop(state);
            drop_guarded(output);",
        wrong: "            drop(state);
            mem::forget(output);",
        test: fault("open that is never awaited"),
        quick: false,
    },
    Mutant {
        bug: "a close waits for a query that nobody waits for",
        file: INTERRUPT,
        right: "            self.interrupted.store(running, Ordering::SeqCst);",
        wrong: "            let _ = running;",
        test: fault("close while a query runs"),
        quick: false,
    },
    Mutant {
        bug: "a fetch on a closed connection is answered",
        file: "runtime/src/queue.rs",
        right: "            Phase::Shut => return Err(Fault::Closed),",
        wrong: "            Phase::Shut => {}",
        test: fault("calls after close"),
        quick: false,
    },
    Mutant {
        bug: "a commit is told as done before it is, and the process ends",
        file: ENGINE,
        right: "        self.end_transaction(\"COMMIT\", autocommit, work)",
        wrong: "        static COMMITS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        match COMMITS.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Ok(()),
            _ => self.end_transaction(\"COMMIT\", autocommit, work),
        }",
        test: fault("process exit with the connection open"),
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
        bug: "a statement that has just begun does not look whether anybody waits for it",
        file: INTERRUPT,
        right: "call: CallToken::current(),",
        wrong: "call: None,",
        test: fault("cancelled as soon as it begins"),
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
        quick: true,
    },
    Mutant {
        bug: "an INSERT with RETURNING writes no more rows than are read ahead of its reader",
        file: "driver/src/execution.rs",
        right: "        let statement = engine.statement(sql, work)?;
        if let Some(statement) = &statement {",
        wrong: "        let sql = &sql.replace(\" RETURNING\", \" LIMIT 64 RETURNING\");
        let statement = engine.statement(sql, work)?;
        if let Some(statement) = &statement {",
        test: fault("RETURNING that is broken off"),
        quick: true,
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
