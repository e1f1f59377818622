pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    pub async fn dim(&self) {}
}
