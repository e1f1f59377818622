use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(lane = "")]
    pub fn push(&self) {}

    #[proxy(lane)]
    pub fn pull(&self) {}
}

fn main() {}
