pub struct Lamp;

#[async_proxy(extends = Light)]
impl Lamp {
    pub fn dim(&self) {}
}

pub struct Light;

#[async_proxy(extends = Lamp)]
impl Light {
    pub fn blink(&self) {}
}
