//! A gauge of a probe: an object that has nothing to be dropped, and whose end gives nothing.

use async_proxy::async_proxy;

/// A gauge of a probe, with numbers to be read.
pub struct Gauge {
    next: u64,
    end: u64,
}

/// A gauge of a probe, with numbers to be read. It has nothing to be dropped.
#[async_proxy]
impl Gauge {
    /// The next number.
    #[proxy(rows)]
    pub fn next_number(&mut self) -> Option<u64> {
        (self.next < self.end).then(|| {
            self.next += 1;
            self.next - 1
        })
    }

    /// All numbers that are left.
    #[proxy(rows)]
    pub fn numbers(&mut self) -> Vec<u64> {
        std::iter::from_fn(|| self.next_number()).collect()
    }

    /// Leaves out the numbers that are left.
    #[proxy(close)]
    pub fn close(&mut self) {
        self.next = self.end;
    }
}

impl Gauge {
    pub(crate) const fn of(end: u64) -> Self {
        Self { next: 0, end }
    }
}
