//! A class as a user would write one on top of the driver: it can be watched, made to wait and made to panic.
#![allow(
    unreachable_pub,
    reason = "a class is public where it stands, and so are its members"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::scratch::ENDLESS;
use async_proxy::async_proxy;
use turso_driver::{ConnectOptions, Connection, ParamsSequence, Result, connect};

/// What a fault and the desks that it opened tell each other.
#[derive(Clone, Default)]
pub struct Watch(Arc<State>);

#[derive(Default)]
struct State {
    begun: AtomicUsize,
    interrupts: AtomicUsize,
    alive: AtomicUsize,
    gate: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
}

impl Watch {
    /// How many endless statements have begun.
    pub(crate) fn begun(&self) -> usize {
        self.0.begun.load(Ordering::SeqCst)
    }

    /// How many calls were interrupted while they ran.
    pub(crate) fn interrupts(&self) -> usize {
        self.0.interrupts.load(Ordering::SeqCst)
    }

    /// How many desks there are: a count that every platform gives.
    pub(crate) fn alive(&self) -> usize {
        self.0.alive.load(Ordering::SeqCst)
    }

    fn wait_at_gate(&self) {
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        let mut open = self.0.gate.lock().expect("no panic");
        while !*open {
            open = self.0.opened.wait(open).expect("no panic");
        }
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Lets those who wait at the gate go on, for good.
    pub(crate) fn open_gate(&self) {
        *self.0.gate.lock().expect("no panic") = true;
        self.0.opened.notify_all();
    }

    /// Waits until a call stands at the gate.
    pub(crate) fn until_waiting(&self) {
        wait_until("a call stands at the gate", || {
            self.0.waiting.load(Ordering::SeqCst) > 0
        });
    }
}

/// Waits for something that must come soon, blocking the thread.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < crate::matrix::hanging(),
            "waited in vain until {what}"
        );
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// A connection that is watched.
pub struct Desk {
    connection: Connection,
    watch: Watch,
}

#[async_proxy]
impl Desk {
    /// Opens one, on a database in memory.
    #[proxy(open)]
    pub fn open(watch: Watch) -> Result<Self> {
        let connection = connect(":memory:", ConnectOptions::default())?;
        connection.execute("CREATE TABLE t (a INTEGER)", ())?;
        connection.commit()?;
        watch.0.alive.fetch_add(1, Ordering::SeqCst);
        Ok(Self { connection, watch })
    }

    /// The one number that a query gives.
    pub fn ask(&self, sql: &str, parameter: i64) -> Result<i64> {
        let mut cursor = self.connection.execute(sql, [parameter])?;
        let row = cursor.fetchone()?.expect("a row");
        row.get(0)
    }

    /// Runs until it is interrupted.
    pub fn run_endlessly(&self) -> Result<i64> {
        self.watch.0.begun.fetch_add(1, Ordering::SeqCst);
        let cursor = self.connection.execute(ENDLESS, ())?;
        Ok(cursor.rowcount())
    }

    /// The same as `ask`, but it stands at the gate before the driver hears of it.
    pub fn ask_late(&self, sql: &str) -> Result<i64> {
        self.watch.wait_at_gate();
        let mut cursor = self.connection.execute(sql, ())?;
        let row = cursor.fetchone()?.expect("a row");
        row.get(0)
    }

    /// Inserts what an iterator gives, which may do what it likes.
    pub fn insert(&self, numbers: Box<dyn Iterator<Item = i64> + Send>) -> Result<i64> {
        let numbers = ParamsSequence::new(numbers.map(|number| (number,)));
        let cursor = self.connection.executemany("INSERT INTO t VALUES (?)", numbers)?;
        Ok(cursor.rowcount())
    }

    /// Runs code on the worker, with the connection.
    pub fn call_back(&self, code: Box<dyn FnOnce(&Connection) -> i64 + Send>) -> i64 {
        code(&self.connection)
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> Result<bool> {
        self.connection.in_transaction()
    }

    /// Stops what runs.
    #[proxy(interrupt)]
    pub fn interrupt(&self) -> Result<()> {
        self.watch.0.interrupts.fetch_add(1, Ordering::SeqCst);
        self.connection.interrupt()
    }

    /// Ends it.
    #[proxy(close)]
    pub fn close(&self) -> Result<()> {
        self.connection.close()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.watch.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}
