use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy]
    pub fn commit(&self) {}

    #[proxy()]
    pub fn rollback(&self) {}
}

fn main() {}
