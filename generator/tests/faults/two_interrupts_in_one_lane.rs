pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(interrupt)]
    pub fn stop(&self) {}

    #[proxy(interrupt)]
    pub fn halt(&self) {}
}
