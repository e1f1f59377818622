use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Result<(), String> {
        Ok(())
    }

    #[proxy(open)]
    pub fn reopen(&self) -> Self {
        Store
    }
}

fn main() {}
