//! A blocking API made for the tests of Rust proxies: it counts, waits, panics and fails on demand.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use async_proxy::{CallToken, async_proxy};

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
        wait_until("a call stands at the gate", || self.0.waiting.load(Ordering::SeqCst) > 0);
    }

    fn token(&self, name: &str) -> Alive {
        self.0.alive.fetch_add(1, Ordering::SeqCst);
        Alive { probe: self.clone(), name: name.to_owned() }
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

/// Waits for something that must come soon.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(10), "waited in vain until {what}");
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

/// Options, as an API has them.
#[derive(Clone, Default)]
pub struct Options {
    pub fail: bool,
    pub panic: bool,
    pub wait: bool,
}

/// An object that its worker alone owns: it is neither Send nor Sync.
pub struct Counter {
    count: Rc<Cell<i64>>,
    probe: Probe,
    _alive: Alive,
    arraysize: usize,
}

/// Counts, and reads its numbers as rows.
#[async_proxy]
impl Counter {
    /// Opens a counter.
    #[proxy(open)]
    pub fn open(probe: Probe, options: Options) -> Result<Self> {
        if options.wait {
            probe.wait_at_gate();
        }
        if options.panic {
            panic!("opening panicked");
        }
        if options.fail {
            return fault("can't open");
        }
        let alive = probe.token("counter");
        Ok(Self { count: Rc::new(Cell::new(0)), probe, _alive: alive, arraysize: 1 })
    }

    /// Adds one and gives the sum.
    pub fn increment(&mut self) -> i64 {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    /// Reads without changing.
    pub fn read(&self) -> Result<i64> {
        Ok(self.count.get())
    }

    /// Notes a text, borrowed.
    pub fn note(&mut self, text: &str) -> Result<usize> {
        self.probe.note(text);
        Ok(text.len())
    }

    /// Waits until the test lets it go on.
    pub fn wait(&mut self) {
        self.probe.wait_at_gate();
    }

    /// Fails.
    pub fn fail(&mut self) -> Result<()> {
        fault("asked to fail")
    }

    /// Panics.
    pub fn panic(&mut self, text: String) -> Result<i64> {
        std::panic::panic_any(text)
    }

    /// Panics with a payload whose drop panics.
    pub fn panic_badly(&mut self) -> Result<i64> {
        std::panic::panic_any(Bomb)
    }

    /// Gives something that panics when it is dropped.
    pub fn bomb(&mut self) -> Bomb {
        Bomb
    }

    /// Takes something that panics when it is dropped.
    pub fn take_bomb(&mut self, bomb: Bomb) {
        let _ = &bomb;
        std::mem::forget(bomb);
    }

    /// The count with each call.
    #[proxy(property, snapshot)]
    pub fn count(&self) -> i64 {
        self.count.get()
    }

    /// How many rows `fetch_many` reads.
    #[proxy(property, snapshot)]
    pub fn arraysize(&self) -> usize {
        self.arraysize
    }

    /// Sets it.
    #[proxy(setter, check = "check_arraysize")]
    pub fn set_arraysize(&mut self, size: usize) -> Result<()> {
        self.arraysize = size;
        Ok(())
    }

    fn check_arraysize(size: &usize) -> Result<()> {
        if *size == 0 { fault("arraysize must be positive") } else { Ok(()) }
    }

    /// Hands out an object that holds on to this one.
    #[proxy(child)]
    pub fn numbers(&mut self, from: i64, to: i64) -> Result<Numbers> {
        if from > to {
            return fault("backwards");
        }
        Ok(Numbers::new(self.count.clone(), self.probe.clone(), from, to))
    }

    /// Every way to pass an argument.
    #[allow(clippy::too_many_arguments)]
    pub fn describe<'a>(
        &self,
        path: &Path,
        bytes: &[u8],
        name: Option<&str>,
        title: impl Into<String>,
        place: impl AsRef<Path>,
        numbers: impl IntoIterator<Item = u32>,
        cow: Cow<'a, str>,
        object: Option<&Options>,
        callback: Box<dyn Fn(u32) -> u32 + Send>,
    ) -> Result<String> {
        let sum: u32 = numbers.into_iter().map(callback).sum();
        let title: String = title.into();
        let fails = object.is_some_and(|options| options.fail);
        Ok(format!("{path:?} {bytes:?} {name:?} {title} {:?} {sum} {cow} {fails}", place.as_ref()))
    }

    /// A generic call.
    pub fn apply<T, F>(&mut self, function: F) -> T
    where
        F: FnOnce(i64) -> T + Send + 'static,
        T: Send + 'static + async_proxy::Plain,
    {
        function(self.count.get())
    }

    /// Old.
    #[deprecated = "use `read`"]
    pub fn old(&self) -> i64 {
        7
    }

    #[cfg(any())]
    pub fn never(&self) -> Absent {
        unreachable!()
    }

    /// Ends it.
    #[proxy(close)]
    pub fn close(self) -> Result<()> {
        self.probe.note("closed");
        if self.count.get() == 99 { fault("can't close at 99") } else { Ok(()) }
    }

    /// Stays blocking.
    #[proxy(skip = "gives out what only its thread may hold")]
    pub fn raw(&self) -> &Rc<Cell<i64>> {
        &self.count
    }
}

pub struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a bomb went off");
    }
}

impl async_proxy::Plain for Bomb {}

/// Rows.
pub struct Numbers {
    count: Rc<Cell<i64>>,
    probe: Probe,
    next: i64,
    end: i64,
    fail_at: Option<i64>,
    slow: Duration,
    read: i64,
    _alive: Alive,
}

impl Numbers {
    fn new(count: Rc<Cell<i64>>, probe: Probe, from: i64, to: i64) -> Self {
        let alive = probe.token("numbers");
        Self { count, probe, next: from, end: to, fail_at: None, slow: Duration::ZERO, read: 0, _alive: alive }
    }
}

#[async_proxy]
impl Numbers {
    /// Begins anew.
    pub fn restart(&mut self, from: i64, to: i64) -> Result<&mut Self> {
        if from > to {
            return fault("backwards");
        }
        self.probe.note(format!("restart {from}"));
        self.next = from;
        self.end = to;
        self.fail_at = None;
        Ok(self)
    }

    /// Begins anew, without a way to fail.
    pub fn rewind(&mut self) -> &mut Self {
        self.next = 0;
        self
    }

    /// Fails at a number, once; so long for each row.
    pub fn restart_badly(&mut self, to: i64, fail_at: i64, slow: Duration) -> Result<&mut Self> {
        self.next = 0;
        self.end = to;
        self.fail_at = Some(fail_at);
        self.slow = slow;
        Ok(self)
    }

    /// The next.
    #[proxy(rows)]
    pub fn fetch_one(&mut self) -> Result<Option<i64>> {
        if !self.slow.is_zero() {
            std::thread::sleep(self.slow);
        }
        if self.fail_at.is_some_and(|fail_at| fail_at == self.next) {
            self.fail_at = None;
            self.next += 1;
            return fault("bad row");
        }
        if self.next >= self.end {
            return Ok(None);
        }
        self.next += 1;
        self.read += 1;
        Ok(Some(self.next - 1))
    }

    /// The next ones.
    #[proxy(rows)]
    pub fn fetch_many(&mut self, size: Option<usize>) -> Result<Vec<i64>> {
        let mut rows = Vec::new();
        for _ in 0..size.unwrap_or(self.arraysize()) {
            match self.fetch_one()? {
                Some(row) => rows.push(row),
                None => break,
            }
        }
        Ok(rows)
    }

    /// All.
    #[proxy(rows)]
    pub fn fetch_all(&mut self) -> Result<Vec<i64>> {
        self.fetch_many(Some(usize::MAX))
    }

    /// Iteration.
    #[proxy(rows)]
    pub fn rows(&mut self) -> Rows<'_> {
        Rows(self)
    }

    /// Three.
    #[proxy(property, snapshot)]
    pub fn arraysize(&self) -> usize {
        3
    }

    /// How many were read.
    #[proxy(property, snapshot)]
    pub fn read(&self) -> i64 {
        self.read
    }

    /// The counter.
    #[proxy(parent)]
    pub fn counter(&self) -> &Counter {
        unreachable!("the async side answers by itself")
    }

    /// Adds to the counter's count.
    pub fn add(&mut self, number: i64) -> i64 {
        self.count.set(self.count.get() + number);
        self.count.get()
    }

    /// Ends it.
    #[proxy(close)]
    pub fn close(&mut self) -> Result<()> {
        self.probe.note("numbers closed");
        Ok(())
    }
}

pub struct Rows<'a>(&'a mut Numbers);

impl Iterator for Rows<'_> {
    type Item = Result<i64>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.fetch_one().transpose()
    }
}

/// An object that is shared: members run in place, in lanes, and interrupt.
pub struct Station {
    probe: Probe,
    stop: AtomicBool,
    stop_network: AtomicBool,
    level: Mutex<i64>,
    panics_when_dropped: bool,
    _alive: Alive,
}

/// Opens a station.
#[async_proxy]
pub fn station(probe: &Probe, path: impl AsRef<Path>) -> Result<Station> {
    let path: PathBuf = path.as_ref().to_owned();
    if path.as_os_str().is_empty() {
        return fault("no path");
    }
    let alive = probe.token("station");
    Ok(Station {
        probe: probe.clone(),
        stop: AtomicBool::new(false),
        stop_network: AtomicBool::new(false),
        level: Mutex::new(1),
        panics_when_dropped: path.ends_with("bomb"),
        _alive: alive,
    })
}

impl Drop for Station {
    fn drop(&mut self) {
        if self.panics_when_dropped {
            panic!("a station's drop panicked");
        }
    }
}

#[async_proxy]
impl Station {
    /// Runs until it is interrupted or its time is up; says which.
    pub fn work(&self, limit: Duration) -> Result<&'static str> {
        self.stop.store(false, Ordering::SeqCst);
        let started = Instant::now();
        while started.elapsed() < limit {
            if self.stop.load(Ordering::SeqCst) {
                return fault("interrupted");
            }
            std::thread::yield_now();
        }
        Ok("done")
    }

    /// Runs until its future is dropped, by its token.
    pub fn work_until_cancelled(&self) -> Result<()> {
        let token = CallToken::current().expect("a call has a token");
        self.probe.note("running");
        while !token.is_cancelled() {
            std::thread::yield_now();
        }
        self.probe.note("cancelled");
        fault("cancelled")
    }

    /// Stands at the gate.
    pub fn wait(&self) -> Result<()> {
        self.probe.wait_at_gate();
        Ok(())
    }

    /// Notes.
    pub fn note(&self, text: impl Into<String>) -> Result<()> {
        self.probe.note(text);
        Ok(())
    }

    /// In the other lane.
    #[proxy(lane = "network")]
    pub fn transfer(&self, limit: Duration) -> Result<String> {
        self.stop_network.store(false, Ordering::SeqCst);
        let started = Instant::now();
        while started.elapsed() < limit {
            if self.stop_network.load(Ordering::SeqCst) {
                return fault("interrupted");
            }
            std::thread::yield_now();
        }
        Ok(thread_name())
    }

    /// Stops what runs.
    #[proxy(interrupt)]
    pub fn interrupt(&self) {
        self.probe.count_interrupt();
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Stops what runs in the other lane.
    #[proxy(interrupt, lane = "network")]
    pub fn interrupt_network(&self) {
        self.probe.count_interrupt();
        self.stop_network.store(true, Ordering::SeqCst);
    }

    /// In place.
    #[proxy(direct)]
    pub fn thread(&self, prefix: &str) -> String {
        format!("{prefix}{}", thread_name())
    }

    /// In place, panicking.
    #[proxy(direct)]
    pub fn direct_panic(&self) -> Result<u8> {
        panic!("in place");
    }

    /// Live.
    #[proxy(property, live)]
    pub fn level(&self) -> i64 {
        *self.level.lock().unwrap()
    }

    /// Sets it, rounded.
    #[proxy(setter, check = "round")]
    pub fn set_level(&self, level: i64) -> Result<()> {
        *self.level.lock().unwrap() = level;
        Ok(())
    }

    fn round(level: &i64) -> Result<i64> {
        if *level < 0 { fault("negative") } else { Ok(level / 10 * 10) }
    }

    /// A cursor alike, owned by the station's worker.
    #[proxy(child)]
    pub fn numbers_of_station(&self) -> Result<Slow> {
        Ok(Slow { probe: self.probe.clone(), _alive: self.probe.token("slow") })
    }

    /// Ends it.
    #[proxy(close)]
    pub fn close(&self) -> Result<()> {
        self.probe.note("station closed");
        Ok(())
    }
}

/// A child without an interrupt of its own.
pub struct Slow {
    probe: Probe,
    _alive: Alive,
}

#[async_proxy]
impl Slow {
    /// Until its future is dropped.
    pub fn work(&mut self) -> Result<()> {
        let token = CallToken::current().expect("a call has a token");
        self.probe.note("slow running");
        while !token.is_cancelled() {
            std::thread::yield_now();
        }
        self.probe.note("slow cancelled");
        fault("cancelled")
    }

    /// Its station, not by a `parent` member.
    pub fn is_slow(&self) -> bool {
        true
    }
}

#[async_proxy(extend)]
impl Station {
    /// From a second block.
    pub fn second_block(&self, text: &str) -> Result<String> {
        Ok(text.to_uppercase())
    }
}

/// A station and more.
pub struct Relay {
    station: Station,
}

impl Deref for Relay {
    type Target = Station;
    fn deref(&self) -> &Station {
        &self.station
    }
}

/// A station and more.
#[async_proxy(extends = Station)]
impl Relay {
    /// Opens one.
    #[proxy(open)]
    pub fn open(probe: Probe) -> Result<Self> {
        Ok(Self { station: station(&probe, "relay")? })
    }

    /// Its own member.
    pub fn forward(&self, text: &str) -> Result<()> {
        self.station.note(format!("forward {text}"))
    }

    /// Its own lane.
    #[proxy(lane = "radio")]
    pub fn radio(&self) -> Result<String> {
        Ok(thread_name())
    }
}

/// An owned class that extends an owned one.
pub struct FineCounter {
    counter: Counter2,
    half: bool,
}

/// Base of [`FineCounter`].
pub struct Counter2 {
    count: Rc<Cell<i64>>,
}

#[async_proxy]
impl Counter2 {
    /// Adds one.
    pub fn increment(&mut self) -> i64 {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    /// The count.
    #[proxy(property, snapshot)]
    pub fn count(&self) -> i64 {
        self.count.get()
    }

    /// Ends it.
    #[proxy(close)]
    pub fn close(&mut self) -> i64 {
        self.count.get()
    }
}

impl Deref for FineCounter {
    type Target = Counter2;
    fn deref(&self) -> &Counter2 {
        &self.counter
    }
}

impl DerefMut for FineCounter {
    fn deref_mut(&mut self) -> &mut Counter2 {
        &mut self.counter
    }
}

#[async_proxy(extends = Counter2, name = "FineProxy", error = MyError)]
impl FineCounter {
    /// Opens one.
    #[proxy(open)]
    pub fn open() -> Self {
        Self { counter: Counter2 { count: Rc::new(Cell::new(0)) }, half: false }
    }

    /// Adds a half.
    pub fn add_half(&mut self) -> Result<i64> {
        if self.half {
            self.half = false;
            Ok(self.increment())
        } else {
            self.half = true;
            fault("only a half")
        }
    }

    /// Whether there is a half.
    #[proxy(property, snapshot)]
    pub fn half(&self) -> bool {
        self.half
    }
}

/// An error of the caller's own.
#[derive(Debug)]
pub enum MyError {
    Base(String),
    Worker,
}

impl<E: std::fmt::Display> From<async_proxy::CallError<E>> for MyError {
    fn from(error: async_proxy::CallError<E>) -> Self {
        match error {
            async_proxy::CallError::Call(error) => Self::Base(error.to_string()),
            _ => Self::Worker,
        }
    }
}
