use async_proxy::sync_proxy;

pub struct Client;

#[sync_proxy]
impl Client {
    pub fn length(&self) -> usize {
        0
    }

    #[proxy(direct)]
    pub async fn is_open(&self) -> bool {
        true
    }

    #[proxy(rows)]
    pub async fn next(&self) -> Option<u8> {
        None
    }
}

fn main() {}
