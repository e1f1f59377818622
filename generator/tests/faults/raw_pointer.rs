pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub fn read(&self, buffer: *mut u8) {}
}
