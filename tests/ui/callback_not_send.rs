use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    pub fn trace(&self, callback: Box<dyn Fn(&str)>) {
        drop(callback);
    }

    pub fn progress(&self, callback: impl Fn(u8)) {
        callback(0);
    }

    pub fn log(&self, callback: &dyn Fn(&str)) {
        callback("");
    }
}

fn main() {}
