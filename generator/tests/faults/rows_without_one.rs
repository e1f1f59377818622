pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn make() -> Self {
        Lamp
    }

    #[proxy(rows)]
    pub fn all(&mut self) -> Vec<u8> {
        Vec::new()
    }
}
