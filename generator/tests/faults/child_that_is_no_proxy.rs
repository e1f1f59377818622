pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(child)]
    pub fn bulb(&self) -> Result<Bulb, Fault> {
        todo!()
    }
}
