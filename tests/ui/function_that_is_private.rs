use async_proxy::async_proxy;

#[async_proxy]
fn connect() -> String {
    String::new()
}

fn main() {}
