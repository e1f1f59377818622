use async_proxy::async_proxy;

struct Store;

#[async_proxy(extnds = Base, name = "Async Store", python = "class", error)]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn commit(&self) {}
}

fn main() {}
