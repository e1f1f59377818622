pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    pub fn colour(&self) -> u32 {
        0
    }
}

#[async_proxy(extend)]
impl Lamp {
    #[proxy(setter = "colour")]
    pub fn paint(&mut self, colour: u32) {}
}
