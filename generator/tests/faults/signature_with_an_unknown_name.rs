pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(signature = (percent, fade = 0.5))]
    pub fn dim(&mut self, percent: u8) {}
}
