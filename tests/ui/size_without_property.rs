use async_proxy::async_proxy;

pub struct Shelf;

#[async_proxy]
impl Shelf {
    #[proxy(rows)]
    pub fn next(&mut self) -> Option<u32> {
        None
    }

    #[proxy(rows, size = "page")]
    pub fn take(&mut self, size: Option<usize>) -> Vec<u32> {
        let _ = size;
        Vec::new()
    }

    #[proxy(rows, size = "page")]
    pub fn rest(&mut self) -> Vec<u32> {
        Vec::new()
    }
}

fn main() {}
