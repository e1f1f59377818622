use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn name(&self) -> Result<std::rc::Rc<str>, String> {
        Err(String::new())
    }
}

fn main() {}
