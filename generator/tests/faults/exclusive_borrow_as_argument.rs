pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    pub fn read(&mut self, buffer: &mut Vec<u8>) {}
}
