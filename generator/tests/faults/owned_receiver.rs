pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub fn dim(self) {}
}
