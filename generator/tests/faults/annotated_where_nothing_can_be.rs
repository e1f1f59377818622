#[async_proxy]
pub mod lamps {}
