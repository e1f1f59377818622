use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn put(&self, #[proxy(py = "list[int")] values: Vec<u8>) {
        drop(values);
    }
}

fn main() {}
