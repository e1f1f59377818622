use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn read(&self, source: impl std::io::Read) {
        drop(source);
    }

    pub fn describe(&self, name: impl ToString) {
        drop(name);
    }
}

fn main() {}
