use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Clone for Store {
    fn clone(&self) -> Self {
        Store
    }
}

fn main() {}
