//! A type of the API's own in the place of a `Result`: the proxy can't tell whether it is an error.

use async_proxy::async_proxy;

pub struct Settings;

pub struct Connection;

#[async_proxy]
impl Connection {
    pub fn settings(&self) -> Settings {
        Settings
    }
}

fn main() {}
