use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(interrupt)]
    pub fn interrupt(&self) {}

    #[proxy(interrupt)]
    pub fn cancel(&self) {}
}

fn main() {}
