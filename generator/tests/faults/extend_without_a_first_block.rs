pub struct Lamp;

#[async_proxy(extend)]
impl Lamp {
    pub fn dim(&self) {}
}
