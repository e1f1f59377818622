#[async_proxy]
pub struct Options(pub u8);
