pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(close)]
    pub fn unplug(&mut self) {}

    #[proxy(close)]
    pub fn smash(self) {}
}
