//! A member that runs in place on a type that other threads may not reach.

use std::cell::Cell;

use async_proxy::async_proxy;

pub struct Connection {
    changes: Cell<u64>,
}

#[async_proxy]
impl Connection {
    #[proxy(property, live)]
    pub fn changes(&self) -> u64 {
        self.changes.get()
    }
}

fn main() {}
