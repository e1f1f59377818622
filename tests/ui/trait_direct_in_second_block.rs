//! A second block that asks for a shared object, when the first has decided that the worker owns it.

use async_proxy::async_proxy;

pub struct Connection;

#[async_proxy]
impl Connection {
    pub fn commit(&self) {}
}

#[async_proxy(extend)]
impl Connection {
    #[proxy(direct)]
    pub fn changes(&self) -> u64 {
        0
    }
}

fn main() {}
