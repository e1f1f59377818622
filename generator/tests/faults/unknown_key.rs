pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(dirct)]
    pub fn dim(&self) {}
}
