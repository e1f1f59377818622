pub struct Lamp;

#[async_proxy(extends = Light)]
impl Lamp {
    pub fn dim(&self) {}
}
