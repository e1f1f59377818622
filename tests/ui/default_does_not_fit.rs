use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(signature = (size = None))]
    pub fn resize(&self, size: usize) {
        let _ = size;
    }

    #[proxy(signature = (name = 1))]
    pub fn rename(&self, name: &str) {
        let _ = name;
    }
}

fn main() {}
