use async_proxy::async_proxy;

#[async_proxy]
pub struct Options {
    #[proxy(default = 5.0)]
    pub timeout: f64,
    pub path: String,
}

fn main() {}
