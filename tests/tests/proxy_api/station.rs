//! A class whose objects are shared between threads.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_proxy::{CallToken, async_proxy};

use super::{Alive, Probe, Result, fault, thread_name};

/// An object that is shared: members run in place, in lanes, and interrupt.
pub struct Station {
    probe: Probe,
    stop: AtomicBool,
    stop_network: AtomicBool,
    level: Mutex<i64>,
    interrupt_takes: Mutex<Duration>,
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
        interrupt_takes: Mutex::new(Duration::ZERO),
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
        self.probe.count_begun();
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
        self.probe.count_begun();
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
        std::thread::sleep(*self.interrupt_takes.lock().unwrap());
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

    /// Has the interrupt take its time, so that one that is late can be seen.
    #[proxy(direct)]
    pub fn set_interrupt_takes(&self, time: Duration) {
        *self.interrupt_takes.lock().unwrap() = time;
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
        if *level < 0 {
            fault("negative")
        } else {
            Ok(level / 10 * 10)
        }
    }

    /// A cursor alike, owned by the station's worker.
    #[proxy(child)]
    pub fn numbers_of_station(&self) -> Result<Slow> {
        Ok(Slow {
            probe: self.probe.clone(),
            _alive: self.probe.token("slow"),
        })
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

/// A shared class that reads rows, answers when it is closed, and hands out objects that know it.
pub struct Library {
    next: Mutex<i64>,
    closed: AtomicBool,
    panics_at: i64,
    _alive: Alive,
}

#[async_proxy]
impl Library {
    /// Opens one that has a hundred books and panics at one of them.
    #[proxy(open)]
    pub fn open(probe: &Probe, panics_at: i64) -> Self {
        Self {
            next: Mutex::new(0),
            closed: AtomicBool::new(false),
            panics_at,
            _alive: probe.token("library"),
        }
    }

    /// The next book.
    #[proxy(rows)]
    pub fn book(&self) -> Option<i64> {
        let book = {
            let mut next = self.next.lock().unwrap();
            *next += 1;
            *next - 1
        };
        assert_ne!(book, self.panics_at, "this book is missing");
        (book < 100).then_some(book)
    }

    /// The next books.
    #[proxy(rows)]
    pub fn books(&self, size: u32) -> Vec<i64> {
        (0..size).map_while(|_| self.book()).collect()
    }

    /// Whether it was closed.
    #[proxy(direct, when_closed)]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Somebody who knows the library.
    #[proxy(child)]
    pub fn reader(&self, probe: Probe) -> Reader {
        Reader {
            _alive: probe.token("reader"),
        }
    }

    /// Ends it.
    #[proxy(close)]
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }
}

/// Handed out by a [`Library`].
pub struct Reader {
    _alive: Alive,
}

#[async_proxy]
impl Reader {
    /// Its library.
    #[proxy(parent)]
    pub fn library(&self) -> &Library {
        unreachable!("the async side answers by itself")
    }

    /// A call with a callback that may do what it likes.
    pub fn call_back(&mut self, callback: Box<dyn FnOnce() + Send>) {
        callback();
    }
}
