pub struct Lamp;

#[async_proxy]
impl Lamp {
    pub fn share(&self, name: Rc<str>) {}
}
