use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(lane = "network")]
    pub fn push(&mut self) {}
}

fn main() {}
