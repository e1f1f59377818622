pub struct Lamp;

#[async_proxy]
impl Clone for Lamp {
    fn clone(&self) -> Self {
        Lamp
    }
}
