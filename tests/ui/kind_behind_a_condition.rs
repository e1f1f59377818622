use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[cfg_attr(all(), proxy(direct))]
    pub fn size(&self) -> usize {
        0
    }
}

fn main() {}
