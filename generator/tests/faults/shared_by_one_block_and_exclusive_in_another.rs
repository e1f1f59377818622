pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    pub fn dim(&mut self) {}
}

#[async_proxy(extend)]
impl Lamp {
    #[proxy(direct)]
    pub fn colour(&self) -> u32 {
        0
    }
}
