use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(property, live)]
    pub fn size(&self, unit: usize) -> usize {
        unit
    }
}

fn main() {}
