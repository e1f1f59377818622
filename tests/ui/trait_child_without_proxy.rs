//! A child whose type has no proxy: nothing in the block shows it, so rustc says it, in our words.

use async_proxy::async_proxy;

pub struct Statement;

pub struct Connection;

#[async_proxy]
impl Connection {
    #[proxy(child)]
    pub fn prepare(&self, sql: &str) -> Result<Statement, std::io::Error> {
        let _ = sql;
        Ok(Statement)
    }
}

fn main() {}
