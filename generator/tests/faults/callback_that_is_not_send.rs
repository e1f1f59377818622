pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    pub fn watch(&self, callback: Box<dyn Fn(u8)>) {}
}
