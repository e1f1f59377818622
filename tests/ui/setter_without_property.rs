use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(property, live)]
    pub fn array_size(&self) -> usize {
        0
    }

    #[proxy(setter)]
    pub fn set_arraysize(&self, size: usize) {
        let _ = size;
    }

    #[proxy(setter)]
    pub fn resize(&self, size: usize) {
        let _ = size;
    }
}

fn main() {}
