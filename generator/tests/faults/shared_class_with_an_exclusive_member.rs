pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(direct)]
    pub fn colour(&self) -> u32 {
        0
    }

    pub fn dim(&mut self) {}
}
