pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(skip)]
    pub fn dim(&mut self) {}
}
