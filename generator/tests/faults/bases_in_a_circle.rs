pub struct Lamp;

#[async_proxy(extends = Light)]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    pub fn dim(&self) {}
}

pub struct Light;

#[async_proxy(extends = Lamp)]
impl Light {
    #[proxy(open)]
    pub fn make() -> Self {
        Light
    }

    pub fn blink(&self) {}
}
