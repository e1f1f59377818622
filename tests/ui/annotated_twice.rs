use async_proxy::async_proxy;

struct Store;

#[async_proxy]
#[async_proxy(name = "AsyncShop")]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }
}

fn main() {}
