pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(property)]
    pub fn colour(&self) -> u32 {
        0
    }
}
