pub struct Lamp;

#[async_proxy(rename = "Light")]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    pub fn dim(&self) {}
}
