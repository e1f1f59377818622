use async_proxy::async_proxy;

#[async_proxy]
pub struct Options<'a> {
    path: &'a str,
    #[proxy(default = None)]
    pub size: usize,
}

#[async_proxy]
pub struct Tuple(pub u8);

fn main() {}
