pub struct Lamp;

#[async_proxy(extends = Light)]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    pub fn dim(&self) {}
}
