pub struct Options;

pub struct Lamp;

#[async_proxy]
impl Lamp {
    #[proxy(open)]
    pub fn plug_in(#[proxy(spread)] options: Options) -> Self {
        Lamp
    }
}
