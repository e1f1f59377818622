//! A result that can't come back from the worker, behind a name that hides it from the macro.

use async_proxy::async_proxy;

type Log = std::rc::Rc<String>;

pub struct Connection;

#[async_proxy]
impl Connection {
    pub fn log(&mut self) -> Result<Log, std::io::Error> {
        Ok(Log::default())
    }
}

fn main() {}
