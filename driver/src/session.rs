//! What all handles of one connection share, and the taking of turns on its engine.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

#[cfg(feature = "sync")]
use crate::engine::LastPushed;
use crate::engine::{Engine, StatementKey};
use crate::interrupt::{INSTRUCTIONS_BETWEEN_LOOKS, Operation, Operations, Work};
use crate::refusing_io::refusing;
use crate::{Autocommit, Error, IsolationLevel, Result};

/// What all handles of one connection share. What may be read while a statement runs is an atomic; the rest is behind
/// the engine's lock, which an operation holds from its start to its end.
pub(crate) struct Shared {
    /// `None` once the connection is closed, so that the file is let go while handles of it are still about.
    engine: Mutex<Option<Engine>>,
    operations: Arc<Operations>,
    closed: AtomicBool,
    in_transaction: AtomicBool,
    total_changes: AtomicI64,
    isolation_level: AtomicU8,
    autocommit: AtomicU8,
    /// In nanoseconds; 0 for none.
    query_timeout: AtomicU64,
    /// Statements of cursors that were dropped while another operation held the engine.
    abandoned: Mutex<Vec<StatementKey>>,
    /// What else is interrupted and closed with the connection.
    companion: OnceLock<Box<dyn Companion>>,
}

/// What belongs to a connection and is interrupted and closed with it: the side of it that talks to a server.
pub(crate) trait Companion: Send + Sync {
    /// Ends what a statement waits for. Never waits.
    fn interrupt(&self);

    /// Ends all that is under way. Never waits.
    fn close(&self);
}

impl Shared {
    pub(crate) fn new(
        core: Arc<turso_core::Connection>,
        cached_statements: usize,
        busy_timeout: Duration,
        isolation_level: Option<IsolationLevel>,
        autocommit: Autocommit,
    ) -> Self {
        let operations = Arc::new(Operations::new());
        let asked = Arc::clone(&operations);
        core.set_progress_handler(INSTRUCTIONS_BETWEEN_LOOKS, Some(Box::new(move || asked.must_stop())));
        core.set_busy_timeout(busy_timeout);
        Self {
            engine: Mutex::new(Some(Engine::new(core, cached_statements, busy_timeout))),
            operations,
            closed: AtomicBool::new(false),
            in_transaction: AtomicBool::new(false),
            total_changes: AtomicI64::new(0),
            isolation_level: AtomicU8::new(level_to_number(isolation_level)),
            autocommit: AtomicU8::new(autocommit_to_number(autocommit)),
            query_timeout: AtomicU64::new(0),
            abandoned: Mutex::new(Vec::new()),
            companion: OnceLock::new(),
        }
    }

    /// Gives the connection a companion, once.
    #[cfg(feature = "sync")]
    pub(crate) fn accompany(&self, companion: Box<dyn Companion>) {
        let is_first = self.companion.set(companion).is_ok();
        debug_assert!(is_first, "a connection has one companion");
    }

    /// Has the connection refuse to alter tables of which changes wait for a push; the function tells the last one that does not.
    ///
    /// # Errors
    /// [`Error::Programming`] if the connection is closed.
    #[cfg(feature = "sync")]
    pub(crate) fn keep_shape_until_push(&self, last_pushed: LastPushed) -> Result<()> {
        self.with_engine(|engine| {
            engine.keep_shape_until_push(last_pushed);
            Ok(())
        })
    }

    /// Does something to the file while no statement of this connection runs; those that come wait.
    ///
    /// If it fails, the schema is read anew: the sync engine lets all connections know that of the server's pages before it puts the
    /// local changes on top, and not that these pages are gone again.
    ///
    /// # Errors
    /// The task's, or [`Error::Programming`] if the connection is closed.
    #[cfg(feature = "sync")]
    pub(crate) fn while_idle<T>(&self, task: impl FnOnce() -> Result<T>) -> Result<T> {
        self.with_engine(|engine| {
            let done = task();
            if let Err(error) = &done
                && !matches!(
                    error.fault().engine_error(),
                    Some(turso_core::LimboError::Busy | turso_core::LimboError::BusySnapshot)
                )
            {
                // The task's error is the one to tell.
                let _ = engine.reread_schema();
            }
            done
        })
    }

    /// Runs a task as one operation under the query timeout, with the engine to itself.
    ///
    /// # Errors
    /// The task's, or [`Error::Programming`] if the connection is closed.
    pub(crate) fn operate<T>(&self, task: impl FnOnce(&mut Engine, Work<'_>) -> Result<T>) -> Result<T> {
        let operation = self.operations.begin(self.query_timeout());
        self.with_engine(|engine| {
            let previous = self.operations.enter(&operation);
            let result = task(
                engine,
                Work {
                    operation: &operation,
                    operations: &self.operations,
                },
            );
            self.operations.leave(&previous);
            result
        })
    }

    /// Tries a task that gives up where it would have to wait, if nobody has the engine. For long it does not run either.
    pub(crate) fn attempt<T>(&self, task: impl FnOnce(&mut Engine, &Operations) -> Option<T>) -> Option<T> {
        if self.query_timeout().is_some() {
            return None;
        }
        let outcome = {
            let mut engine = self.engine.try_lock().ok()?;
            let engine = engine.as_mut().filter(|engine| engine.may_try())?;
            let operation = self.operations.begin_attempt();
            let previous = self.operations.enter(&operation);
            let outcome = refusing(|| task(engine, &self.operations));
            self.operations.leave(&previous);
            outcome
        };
        self.try_release_abandoned();
        outcome
    }

    /// Begins an operation under the query timeout that takes the engine part by part and lets others in between.
    pub(crate) fn begin(&self) -> LongOperation<'_> {
        LongOperation {
            shared: self,
            operation: self.operations.begin(self.query_timeout()),
        }
    }

    /// Waits for the engine and gives it to a task.
    fn with_engine<T>(&self, task: impl FnOnce(&mut Engine) -> Result<T>) -> Result<T> {
        let result = {
            let mut engine = self.lock();
            let engine = engine.as_mut().ok_or_else(Error::closed_database)?;
            self.release_abandoned(engine);
            let result = task(engine);
            engine.release_waiting();
            engine.settle_snapshot();
            engine.note_pages_in_memory();
            self.in_transaction.store(engine.in_transaction(), Ordering::SeqCst);
            self.total_changes
                .store(engine.core().total_changes(), Ordering::SeqCst);
            result
        };
        self.try_release_abandoned();
        result
    }

    /// An error if the connection is closed.
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::SeqCst) {
            Err(Error::closed_database())
        } else {
            Ok(())
        }
    }

    /// Tells the operation that runs now to stop; none, if none runs.
    pub(crate) fn interrupt(&self) {
        self.operations.interrupt();
        if let Some(companion) = self.companion.get() {
            companion.interrupt();
        }
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.in_transaction.load(Ordering::SeqCst)
    }

    pub(crate) fn total_changes(&self) -> i64 {
        self.total_changes.load(Ordering::SeqCst)
    }

    pub(crate) fn isolation_level(&self) -> Option<IsolationLevel> {
        level_from_number(self.isolation_level.load(Ordering::SeqCst))
    }

    pub(crate) fn set_isolation_level(&self, level: Option<IsolationLevel>) {
        self.isolation_level.store(level_to_number(level), Ordering::SeqCst);
    }

    pub(crate) fn autocommit(&self) -> Autocommit {
        autocommit_from_number(self.autocommit.load(Ordering::SeqCst))
    }

    pub(crate) fn set_autocommit(&self, autocommit: Autocommit) {
        self.autocommit
            .store(autocommit_to_number(autocommit), Ordering::SeqCst);
    }

    pub(crate) fn query_timeout(&self) -> Option<Duration> {
        match self.query_timeout.load(Ordering::SeqCst) {
            0 => None,
            nanoseconds => Some(Duration::from_nanos(nanoseconds)),
        }
    }

    pub(crate) fn set_query_timeout(&self, timeout: Option<Duration>) {
        let nanoseconds = timeout.map_or(0, |timeout| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX));
        self.query_timeout.store(nanoseconds, Ordering::SeqCst);
    }

    /// Closes the connection, once: ends all statements and rolls back an open transaction. What comes later finds it
    /// closed.
    pub(crate) fn close(&self) -> Result<()> {
        if let Some(companion) = self.companion.get() {
            companion.close();
        }
        let mut engine = self.lock();
        self.closed.store(true, Ordering::SeqCst);
        self.in_transaction.store(false, Ordering::SeqCst);
        match engine.take() {
            Some(engine) => engine.close(),
            None => Ok(()),
        }
    }

    /// Ends the statement of a cursor that is dropped: now, or, if another operation holds the engine, when that ends.
    /// Never waits.
    pub(crate) fn abandon(&self, key: StatementKey) {
        // Into the list first: whoever holds the engine looks there again after letting it go.
        self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        self.try_release_abandoned();
    }

    fn try_release_abandoned(&self) {
        let has_abandoned = !self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if has_abandoned
            && let Ok(mut engine) = self.engine.try_lock()
            && let Some(engine) = engine.as_mut()
        {
            self.release_abandoned(engine);
            engine.settle_snapshot();
        }
    }

    fn release_abandoned(&self, engine: &mut Engine) {
        let abandoned = std::mem::take(&mut *self.abandoned.lock().unwrap_or_else(PoisonError::into_inner));
        for key in abandoned {
            // Nobody is left to whom an error could be told; the statement is dropped with it.
            let _ = engine.release(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Engine>> {
        // A panic in the engine has reached its caller; the engine has its own ways of noticing a broken state.
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A connection that nobody closed: as much as can be done without anyone to tell.
        let _ = self.close();
    }
}

/// An operation that takes the engine part by part. An interrupt finds it also between its parts.
pub(crate) struct LongOperation<'a> {
    shared: &'a Shared,
    operation: Operation,
}

impl LongOperation<'_> {
    /// Runs one part of it, with the engine to itself.
    ///
    /// # Errors
    /// The task's, or [`Error::Programming`] if the connection is closed.
    pub(crate) fn part<T>(&self, task: impl FnOnce(&mut Engine, Work<'_>) -> Result<T>) -> Result<T> {
        self.shared.with_engine(|engine| {
            self.shared.operations.enter(&self.operation);
            task(
                engine,
                Work {
                    operation: &self.operation,
                    operations: &self.shared.operations,
                },
            )
        })
    }
}

impl Drop for LongOperation<'_> {
    fn drop(&mut self) {
        self.shared.operations.finish(&self.operation);
    }
}

fn level_to_number(level: Option<IsolationLevel>) -> u8 {
    match level {
        None => 0,
        Some(IsolationLevel::Unspecified) => 1,
        Some(IsolationLevel::Deferred) => 2,
        Some(IsolationLevel::Immediate) => 3,
        Some(IsolationLevel::Exclusive) => 4,
    }
}

fn level_from_number(number: u8) -> Option<IsolationLevel> {
    match number {
        0 => None,
        2 => Some(IsolationLevel::Deferred),
        3 => Some(IsolationLevel::Immediate),
        4 => Some(IsolationLevel::Exclusive),
        _ => Some(IsolationLevel::Unspecified),
    }
}

fn autocommit_to_number(autocommit: Autocommit) -> u8 {
    match autocommit {
        Autocommit::Legacy => 0,
        Autocommit::Enabled => 1,
        Autocommit::Disabled => 2,
    }
}

fn autocommit_from_number(number: u8) -> Autocommit {
    match number {
        1 => Autocommit::Enabled,
        2 => Autocommit::Disabled,
        _ => Autocommit::Legacy,
    }
}
