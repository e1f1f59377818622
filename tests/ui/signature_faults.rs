use async_proxy::async_proxy;

struct Store;

#[async_proxy]
impl Store {
    #[proxy(open)]
    pub fn open() -> Self {
        Store
    }

    #[proxy(signature = (sql, parameter = None))]
    pub fn execute(&self, sql: &str, parameters: Option<u8>) {
        let _ = (sql, parameters);
    }

    #[proxy(signature = (first = 1, second))]
    pub fn ordered(&self, first: u8, second: u8) {
        let _ = (first, second);
    }

    #[proxy(signature = (second, first))]
    pub fn turned(&self, first: u8, second: u8) {
        let _ = (first, second);
    }

    #[proxy(signature = (*values))]
    pub fn variadic(&self, values: Vec<u8>) {
        drop(values);
    }

    #[proxy(signature = (value, value))]
    pub fn twice(&self, value: u8) {
        let _ = value;
    }
}

fn main() {}
