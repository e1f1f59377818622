pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(child)]
    pub fn bulb(&self) -> Result<Bulb, Fault> {
        todo!()
    }
}
