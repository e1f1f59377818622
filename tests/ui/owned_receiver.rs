use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn into_parts(self) -> (u8, u8) {
        (0, 0)
    }
}

fn main() {}
