pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(lane = "network")]
    pub fn fetch(&mut self) {}
}
