pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(dirct)]
    pub fn dim(&self) {}

    pub async fn blink(&self) {}

    pub fn name(&self) -> &str {
        ""
    }
}

#[async_proxy]
pub enum Fault {
    Dark,
}
