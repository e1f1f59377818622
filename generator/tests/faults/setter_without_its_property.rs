pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(setter)]
    pub fn set_colour(&mut self, colour: u32) {}
}
