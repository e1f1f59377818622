use async_proxy::async_proxy;

pub struct Cursor;

#[async_proxy]
impl Cursor {
    #[proxy(rows)]
    pub fn fetchone(&mut self) -> Option<u32> {
        None
    }

    #[proxy(rows)]
    pub fn fetchmany(&mut self, size: Option<usize>) -> Vec<u32> {
        let _ = size;
        Vec::new()
    }
}

#[async_proxy(extend)]
impl Cursor {
    #[proxy(direct, when_closed)]
    pub fn is_open(&self) -> bool {
        true
    }
}

fn main() {}
