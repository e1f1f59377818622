use async_proxy::async_proxy;

#[async_proxy]
pub enum Error {
    #[proxy(exception = "OperationalError")]
    Operational(String),
    Programming,
    #[proxy(exeption = "DataError")]
    Data,
}

fn main() {}
