use async_proxy::async_proxy;

#[async_proxy]
pub trait Store {
    fn size(&self) -> usize;
}

#[async_proxy]
pub mod store {}

fn main() {}
