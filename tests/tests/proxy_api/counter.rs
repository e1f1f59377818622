//! A class that its worker alone owns.

use std::borrow::Cow;
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use async_proxy::async_proxy;

use super::{Alive, Error, Numbers, Probe, Result, fault};

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
        Ok(Self {
            count: Rc::new(Cell::new(0)),
            probe,
            _alive: alive,
            arraysize: 1,
        })
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
        if *size == 0 {
            fault("arraysize must be positive")
        } else {
            Ok(())
        }
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
        Ok(format!(
            "{path:?} {bytes:?} {name:?} {title} {:?} {sum} {cow} {fails}",
            place.as_ref()
        ))
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
        if self.count.get() == 999 {
            fault("can't close at 999")
        } else {
            Ok(())
        }
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
