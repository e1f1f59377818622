use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(direct)]
    pub fn size(&mut self) -> usize {
        0
    }
}

fn main() {}
