use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(close)]
    pub fn close(&mut self, force: bool) {
        let _ = force;
    }
}

fn main() {}
