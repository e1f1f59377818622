#[async_proxy]
pub enum Fault {
    #[proxy(exception = "OSError")]
    Dark,
    Bulb(String),
}
