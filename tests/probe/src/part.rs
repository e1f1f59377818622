//! A part of a probe: an object that a call makes, and calls on which are queued before it is made.

use std::collections::VecDeque;

use async_proxy::async_proxy;

use crate::charge::{Charge, Heavy};

/// A part of a probe, with numbers to be read.
pub struct Part {
    numbers: VecDeque<u64>,
}

/// A part of a probe, with numbers to be read.
#[async_proxy]
impl Part {
    /// Accepts a charge, and drops it.
    pub fn accept(&mut self, charge: Charge) {
        drop(charge);
    }

    /// How many numbers have not been read yet, ahead of those who ask for them or by them.
    // In Rust it is called like what the tool has beside the calls on an object with rows.
    #[proxy(name = "unread")]
    pub fn take(&mut self) -> usize {
        self.numbers.len()
    }

    /// The next number.
    #[proxy(rows)]
    pub fn next_number(&mut self) -> Option<Heavy> {
        self.numbers.pop_front().map(Heavy)
    }

    /// All numbers that are left.
    #[proxy(rows)]
    pub fn numbers(&mut self) -> Vec<Heavy> {
        std::iter::from_fn(|| self.next_number()).collect()
    }
}

impl Part {
    pub(crate) fn of(end: u64) -> Self {
        Self {
            numbers: (0..end).collect(),
        }
    }
}
