#[async_proxy]
pub struct Options {
    #[proxy(default = compute())]
    pub watts: u32,
}
