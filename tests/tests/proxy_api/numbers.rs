//! A class that is handed out by another and reads rows.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use async_proxy::async_proxy;

use super::{Alive, Counter, Probe, Result, fault};

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
    pub fn new(count: Rc<Cell<i64>>, probe: Probe, from: i64, to: i64) -> Self {
        let alive = probe.token("numbers");
        Self {
            count,
            probe,
            next: from,
            end: to,
            fail_at: None,
            slow: Duration::ZERO,
            read: 0,
            _alive: alive,
        }
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
    #[proxy(rows, size = "page")]
    pub fn fetch_many(&mut self, size: Option<usize>) -> Result<Vec<i64>> {
        let mut rows = Vec::new();
        for _ in 0..size.unwrap_or(self.page()) {
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
    pub fn page(&self) -> usize {
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
