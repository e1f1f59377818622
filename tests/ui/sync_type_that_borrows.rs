use async_proxy::sync_proxy;

pub struct Client;

pub struct Transaction<'client> {
    client: &'client Client,
}

#[sync_proxy]
impl Transaction<'_> {
    pub async fn commit(self) {}
}

fn main() {}
