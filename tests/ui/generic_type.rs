use async_proxy::async_proxy;

struct Store<'a, T>(&'a T);

#[async_proxy]
impl<'a, T> Store<'a, T> {
    pub fn size(&self) -> usize {
        0
    }
}

fn main() {}
