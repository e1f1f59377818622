pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(direct)]
    pub fn colour(&self) -> u32 {
        0
    }

    pub fn dim(&mut self) {}
}
