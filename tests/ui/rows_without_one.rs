use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(rows)]
    pub fn fetchall(&mut self) -> Vec<u8> {
        Vec::new()
    }
}

fn main() {}
