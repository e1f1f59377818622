use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(interrupt)]
    pub fn interrupt(&self) {}

    pub fn put(&mut self, key: &str) {
        let _ = key;
    }

    #[proxy(close)]
    pub fn close(self) {}
}

fn main() {}
