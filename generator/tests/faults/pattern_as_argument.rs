pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub fn dim(&self, (from, to): (u8, u8)) {}
}
