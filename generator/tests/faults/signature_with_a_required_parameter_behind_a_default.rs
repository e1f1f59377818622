pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(signature = (percent = 50, fade))]
    pub fn dim(&mut self, percent: u8, fade: f64) {}
}
