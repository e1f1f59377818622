use async_proxy::async_proxy;

struct Store;

macro_rules! methods {
    () => {};
}

#[async_proxy]
impl Store {
    methods!();
}

fn main() {}
