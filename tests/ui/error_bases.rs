use async_proxy::async_proxy;

#[async_proxy]
pub enum Error {
    #[proxy(exception = "First", base = "Second")]
    First,
    #[proxy(exception = "Second", base = "First")]
    Second,
    #[proxy(exception = "Third", base = "Exeption")]
    Third,
    #[proxy(exception = "ValueError", base = "Third")]
    Value,
}

fn main() {}
