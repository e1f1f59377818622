pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub fn name(&self) -> Option<Rc<str>> {
        None
    }
}
