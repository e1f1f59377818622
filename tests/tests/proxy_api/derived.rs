//! Classes that extend others.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use async_proxy::async_proxy;

use super::{Library, Probe, Reader, Result, Station, fault, station, thread_name};

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
        Ok(Self {
            station: station(&probe, "relay")?,
        })
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
        Self {
            counter: Counter2 {
                count: Rc::new(Cell::new(0)),
            },
            half: false,
        }
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

/// A library and more, which hands out readers of its own.
pub struct Archive {
    library: Library,
}

impl Deref for Archive {
    type Target = Library;
    fn deref(&self) -> &Library {
        &self.library
    }
}

#[async_proxy(extends = Library)]
impl Archive {
    /// Opens one.
    #[proxy(open)]
    pub fn open(probe: &Probe) -> Self {
        Self {
            library: Library::open(probe, -1),
        }
    }

    /// A reader of the archive, which knows it as a library.
    #[proxy(child)]
    pub fn archivist(&self, probe: Probe) -> Result<Reader> {
        Ok(self.library.reader(probe))
    }
}
