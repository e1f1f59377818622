//! A class that extends another and can't be used as one; and one that extends a type without a proxy.

use async_proxy::async_proxy;

pub struct Connection;

#[async_proxy]
impl Connection {
    pub fn commit(&mut self) {}
}

pub struct Replica(Connection);

#[async_proxy(extends = Connection)]
impl Replica {
    pub fn pull(&mut self) {
        self.0.commit();
    }
}

fn main() {}
