//! A method that hands out an object whose type has no blocking form.

use async_proxy::sync_proxy;

pub struct Client;

pub struct Transaction;

#[sync_proxy]
impl Client {
    #[proxy(child)]
    pub async fn transaction(&self) -> Result<Transaction, std::io::Error> {
        Ok(Transaction)
    }
}

fn main() {}
