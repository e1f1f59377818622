pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub fn read(&mut self, buffer: &mut Vec<u8>) {}
}
