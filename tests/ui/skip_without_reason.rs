use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(skip)]
    pub fn raw(&self) {}

    #[proxy(skip = " ")]
    pub fn rawer(&self) {}
}

fn main() {}
