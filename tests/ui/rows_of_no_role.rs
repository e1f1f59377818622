use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(rows)]
    pub fn fetch(&mut self, from: usize, to: usize) -> Vec<u8> {
        vec![0; to - from]
    }
}

fn main() {}
