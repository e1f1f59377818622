pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(interrupt)]
    pub fn stop(&self) {}

    #[proxy(interrupt)]
    pub fn halt(&self) {}
}
