pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    pub fn dim(&self, (from, to): (u8, u8)) {}
}
