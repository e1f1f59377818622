use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(lane = "network")]
    pub fn push(&self) {}

    #[proxy(property, snapshot)]
    pub fn count(&self) -> i64 {
        0
    }
}

fn main() {}
