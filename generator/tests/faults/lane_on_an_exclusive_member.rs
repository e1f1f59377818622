pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(lane = "network")]
    pub fn fetch(&mut self) {}
}
