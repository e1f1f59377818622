use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(property, live)]
    pub fn size(&self) -> usize {
        0
    }

    #[proxy(setter)]
    pub fn set_size(&self, width: usize, height: usize) -> usize {
        width * height
    }
}

fn main() {}
