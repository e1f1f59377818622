pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub extern "C" fn dim(&self) {}
}
