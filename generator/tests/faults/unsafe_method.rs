pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub unsafe fn dim(&self) {}
}
