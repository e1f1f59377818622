pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub fn watch(&self, callback: Box<dyn Fn(u8)>) {}
}
