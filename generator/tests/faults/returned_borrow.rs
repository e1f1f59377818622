pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub fn name(&self) -> Result<&str, Fault> {
        Ok("")
    }
}
