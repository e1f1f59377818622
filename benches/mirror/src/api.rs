//! Futures that cost nothing themselves.

use async_proxy::sync_proxy;

/// Makes what is measured.
#[sync_proxy]
pub async fn make() -> Futures {
    Futures
}

/// Futures that cost nothing themselves.
pub struct Futures;

#[sync_proxy]
impl Futures {
    /// A future that is ready when it is first polled.
    pub async fn ready(&self, number: u64) -> u64 {
        number
    }

    /// A future that waits for another task of the runtime.
    pub async fn hop(&self, number: u64) -> u64 {
        tokio::spawn(async move { number }).await.unwrap_or_default()
    }

    /// A future that is never ready: what its twin waits for is Ctrl-C.
    pub async fn never(&self) {
        std::future::pending().await
    }
}
