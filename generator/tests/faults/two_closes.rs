pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(close)]
    pub fn unplug(&mut self) {}

    #[proxy(close)]
    pub fn smash(self) {}
}
