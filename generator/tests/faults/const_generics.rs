pub struct Lamp<const WATTS: u32>;

#[async_proxy]
impl<const WATTS: u32> Lamp<WATTS> {
    pub fn dim(&self) {}
}
