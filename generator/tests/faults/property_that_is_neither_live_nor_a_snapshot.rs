pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(property)]
    pub fn colour(&self) -> u32 {
        0
    }
}
