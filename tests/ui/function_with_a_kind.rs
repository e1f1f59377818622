use async_proxy::async_proxy;

#[async_proxy(extend)]
#[proxy(open)]
pub fn connect() -> String {
    String::new()
}

fn main() {}
