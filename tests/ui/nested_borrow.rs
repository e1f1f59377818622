use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn put_all(&self, keys: Vec<&str>) {
        drop(keys);
    }
}

fn main() {}
