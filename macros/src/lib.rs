//! The attribute macro `#[async_proxy]`.
