use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn name(&self) -> &str {
        ""
    }

    pub fn first(&self) -> Option<std::borrow::Cow<'_, str>> {
        None
    }
}

fn main() {}
