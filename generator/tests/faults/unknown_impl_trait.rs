pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub fn show(&self, text: impl Display) {}
}
