pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub fn plug_in(socket: &str) -> Self {
        Lamp
    }
}
