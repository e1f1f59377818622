use async_proxy::async_proxy;

struct Store;

#[async_proxy(extend, python = "Shop")]
impl Store {
    #[proxy(rows)]
    pub fn fetchone(&mut self) -> Option<u8> {
        None
    }
}

fn main() {}
