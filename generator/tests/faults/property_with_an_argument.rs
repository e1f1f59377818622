pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(property, live)]
    pub fn colour(&self, part: u8) -> u32 {
        0
    }
}
