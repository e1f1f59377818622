pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(close)]
    pub fn unplug(&mut self) {}
}

#[async_proxy(extend)]
impl Lamp {
    #[proxy(close)]
    pub fn smash(&mut self) {}
}
