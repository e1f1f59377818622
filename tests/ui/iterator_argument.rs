use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn put_all(&self, items: impl Iterator<Item = u8>) {
        drop(items);
    }

    pub fn put_any(&self, items: impl IntoIterator) {
        drop(items);
    }
}

fn main() {}
