pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub fn dim(&self) {}
}

pub struct Light;

#[async_proxy(name = "AsyncLamp")]
impl Light {
    pub fn blink(&self) {}
}
