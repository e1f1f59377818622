use async_proxy::sync_proxy;

pub struct Client;

#[sync_proxy]
impl Client {
    pub async fn insert(&self) {}

    pub async fn insert_sync(&self) {}
}

fn main() {}
