pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(property, live)]
    pub fn colour(&self, part: u8) -> u32 {
        0
    }
}
