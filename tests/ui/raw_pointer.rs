use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn put(&self, value: *const u8) {
        let _ = value;
    }
}

fn main() {}
