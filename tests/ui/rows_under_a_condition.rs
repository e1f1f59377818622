use async_proxy::async_proxy;

pub struct Cursor;

#[async_proxy]
impl Cursor {
    #[cfg(unix)]
    #[proxy(rows)]
    pub fn fetchone(&mut self) -> Option<u32> {
        None
    }
}

fn main() {}
