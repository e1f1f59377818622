//! A base whose close takes the object away: it can't be had of an object that is more than that.

use std::ops::{Deref, DerefMut};

use async_proxy::async_proxy;

pub struct Connection;

#[async_proxy]
impl Connection {
    #[proxy(close)]
    pub fn close(self) {}
}

pub struct Replica(Connection);

impl Deref for Replica {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Replica {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

#[async_proxy(extends = Connection)]
impl Replica {
    pub fn pull(&mut self) {}
}

fn main() {}
