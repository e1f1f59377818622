pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(direct, interrupt)]
    pub fn dim(&self) {}
}
