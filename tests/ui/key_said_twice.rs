use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(name = "a", name = "b")]
    pub fn commit(&self) {}
}

fn main() {}
