//! A class with a `parent` member that is opened by itself: there would be no parent to answer with.

use async_proxy::async_proxy;

pub struct Connection;

#[async_proxy]
impl Connection {
    pub fn commit(&self) {}
}

pub struct Cursor(Connection);

#[async_proxy]
impl Cursor {
    #[proxy(open)]
    pub fn open() -> Self {
        Cursor(Connection)
    }

    #[proxy(parent)]
    pub fn connection(&self) -> &Connection {
        &self.0
    }
}

fn main() {}
