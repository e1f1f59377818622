pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(property, snapshot)]
    pub fn colour(&self) -> u32 {
        0
    }

    #[proxy(setter)]
    pub fn set_colour(&mut self, red: u32, blue: u32) {}
}
