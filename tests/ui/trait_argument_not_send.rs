//! An argument that can't cross to the worker, behind a name that hides it from the macro.

use std::cell::RefCell;

use async_proxy::async_proxy;

type Log = std::rc::Rc<RefCell<String>>;

pub struct Connection;

#[async_proxy]
impl Connection {
    pub fn log_to(&mut self, log: Log) {
        log.borrow_mut().push('x');
    }
}

fn main() {}
