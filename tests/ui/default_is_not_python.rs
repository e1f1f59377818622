use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(signature = (deep = true))]
    pub fn walk(&self, deep: bool) {
        let _ = deep;
    }

    #[proxy(signature = (size = 5u8))]
    pub fn resize(&self, size: u8) {
        let _ = size;
    }

    #[proxy(signature = (names = []))]
    pub fn rename(&self, names: Vec<String>) {
        drop(names);
    }
}

fn main() {}
