pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub async fn dim(&self) {}
}
