use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(child)]
    pub fn cursor(&self) -> Option<String> {
        None
    }
}

fn main() {}
