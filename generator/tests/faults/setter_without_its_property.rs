pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(setter)]
    pub fn set_colour(&mut self, colour: u32) {}
}
