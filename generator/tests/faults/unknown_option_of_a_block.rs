pub struct Lamp;

#[async_proxy(rename = "Light")]
impl Lamp {
    pub fn dim(&self) {}
}
