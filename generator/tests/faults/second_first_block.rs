pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    pub fn dim(&self) {}
}

#[async_proxy]
impl Lamp {
    pub fn blink(&self) {}
}
