use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(name = "import")]
    pub fn load(&self) {}

    #[proxy(name = "load all")]
    pub fn load_all(&self) {}
}

fn main() {}
