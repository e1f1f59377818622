//! A type that two threads may not look at: an awaitable runs on one, and the object stays on another.

use std::cell::Cell;

use async_proxy::sync_proxy;

pub struct Client {
    count: Cell<u64>,
}

#[sync_proxy]
impl Client {
    pub async fn count(&self) -> u64 {
        self.count.set(self.count.get() + 1);
        std::future::ready(()).await;
        self.count.get()
    }
}

fn main() {}
