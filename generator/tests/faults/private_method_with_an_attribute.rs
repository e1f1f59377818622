pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(direct)]
    fn dim(&self) {}
}
