use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn read(&self, buffer: &mut [u8]) {
        drop(buffer);
    }
}

fn main() {}
