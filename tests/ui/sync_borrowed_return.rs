use async_proxy::sync_proxy;

pub struct Client {
    name: String,
}

#[sync_proxy]
impl Client {
    pub async fn name(&self) -> &str {
        &self.name
    }
}

fn main() {}
