use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn put<T: Clone>(&self, value: Vec<T>) {
        drop(value);
    }
}

fn main() {}
