use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn name(&self) -> &str {
        ""
    }

    #[proxy(property)]
    pub fn size(&self) -> usize {
        0
    }

    #[proxy(setter)]
    pub fn set_length(&mut self, length: usize) {
        let _ = length;
    }

    pub fn read(&mut self, (from, to): (usize, usize), buffer: &mut [u8]) {
        let _ = (from, to, buffer);
    }

    #[proxy(close)]
    pub async fn close(&mut self) {}
}

fn main() {}
