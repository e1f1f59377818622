//! A blocking API made for the tests of Rust proxies: it counts, waits, panics and fails on demand.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    missing_docs,
    reason = "each test file uses its part"
)]

mod counter;
mod derived;
mod numbers;
mod station;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

pub use counter::*;
pub use derived::*;
pub use numbers::*;
pub use station::*;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(pub String);

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

pub type Result<T, E = Error> = std::result::Result<T, E>;

pub fn fault<T>(text: &str) -> Result<T> {
    Err(Error(text.to_owned()))
}

/// What a test and the objects that it opened tell each other.
#[derive(Clone, Default)]
pub struct Probe(Arc<ProbeState>);

#[derive(Default)]
struct ProbeState {
    log: Mutex<Vec<String>>,
    dropped: AtomicUsize,
    alive: AtomicUsize,
    gate: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
    interrupts: AtomicUsize,
    begun: AtomicUsize,
}

impl Probe {
    pub fn note(&self, text: impl Into<String>) {
        self.0.log.lock().unwrap().push(text.into());
    }

    pub fn log(&self) -> Vec<String> {
        self.0.log.lock().unwrap().clone()
    }

    pub fn alive(&self) -> usize {
        self.0.alive.load(Ordering::SeqCst)
    }

    pub fn interrupts(&self) -> usize {
        self.0.interrupts.load(Ordering::SeqCst)
    }

    pub fn count_interrupt(&self) {
        self.0.interrupts.fetch_add(1, Ordering::SeqCst);
    }

    /// How many calls that say so have begun.
    pub fn begun(&self) -> usize {
        self.0.begun.load(Ordering::SeqCst)
    }

    pub fn count_begun(&self) {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
    }

    /// Blocks until the test opens the gate.
    pub fn wait_at_gate(&self) {
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        let mut open = self.0.gate.lock().unwrap();
        while !*open {
            open = self.0.opened.wait(open).unwrap();
        }
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    pub fn open_gate(&self) {
        *self.0.gate.lock().unwrap() = true;
        self.0.opened.notify_all();
    }

    pub fn close_gate(&self) {
        *self.0.gate.lock().unwrap() = false;
    }

    /// Waits until a call stands at the gate.
    pub fn until_waiting(&self) {
        wait_until("a call stands at the gate", || {
            self.0.waiting.load(Ordering::SeqCst) > 0
        });
    }

    pub fn token(&self, name: &str) -> Alive {
        self.0.alive.fetch_add(1, Ordering::SeqCst);
        Alive {
            probe: self.clone(),
            name: name.to_owned(),
        }
    }
}

/// Notes where and that an object was dropped.
pub struct Alive {
    probe: Probe,
    name: String,
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.probe.note(format!("dropped {} in {}", self.name, thread_name()));
        self.probe.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

pub fn thread_name() -> String {
    std::thread::current().name().unwrap_or("?").to_owned()
}

/// Waits for something that must come soon: ten seconds, or as many as the environment says, where a test is to fail.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let patience = std::env::var("ASYNC_PROXY_TEST_PATIENCE").ok();
    let patience = patience.and_then(|seconds| seconds.parse().ok()).unwrap_or(10);
    let started = Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < Duration::from_secs(patience),
            "waited in vain until {what}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How many threads of this process have that name; only Linux tells.
pub fn threads_named(name: &str) -> usize {
    #[cfg(target_os = "linux")]
    {
        let wanted: String = name.chars().take(15).collect();
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        tasks
            .flatten()
            .filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok())
            .filter(|comm| comm.trim_end() == wanted)
            .count()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = name;
        0
    }
}

/// Polls once, for a future that is to be left half way.
pub fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Opens a counter.
pub async fn open_counter(probe: &Probe) -> AsyncCounter {
    AsyncCounter::open(probe.clone(), Options::default()).await.unwrap()
}

/// Small random numbers, the same in each run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }
}
