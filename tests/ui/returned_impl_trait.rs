use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn names(&self) -> impl Iterator<Item = String> {
        std::iter::empty()
    }
}

fn main() {}
