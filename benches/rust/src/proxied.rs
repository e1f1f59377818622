//! What this repository generates: a proxied object that does nothing, and the proxies of the driver.

use std::path::Path;
use std::sync::Arc;

use async_proxy::async_proxy;
use turso_driver::{AsyncConnection, ConnectOptions, Params, connect_async};

use crate::peer::{COUNT_ENTRIES, Entry, HEAVY, INSERT_ENTRY, Peer, SELECT_POINT};

/// An object whose calls cost nothing but the way to it.
pub struct Nothing;

#[async_proxy]
impl Nothing {
    /// Makes one.
    #[proxy(open)]
    #[must_use]
    pub fn make() -> Self {
        Self
    }

    /// Does nothing.
    pub fn nothing(&mut self) {}
}

/// The proxy of a connection, and that of nothing.
#[derive(Clone)]
pub(crate) struct Proxied {
    nothing: AsyncNothing,
    connection: AsyncConnection,
}

impl Peer for Proxied {
    async fn open(path: &Path) -> Self {
        let nothing = AsyncNothing::make().await.expect("it opens");
        let connection = connect_async(path, ConnectOptions::default()).await;
        let connection = connection.expect("it opens");
        Self { nothing, connection }
    }

    async fn nothing(&self) {
        self.nothing.nothing().await.expect("it does nothing");
    }

    async fn select_one(&self, id: i64) -> i64 {
        first_column(&self.connection, SELECT_POINT, Some(id)).await
    }

    async fn heavy(&self) -> i64 {
        first_column(&self.connection, HEAVY, None).await
    }

    async fn insert_all(&self, entries: Arc<Vec<Entry>>) -> i64 {
        let connection = &self.connection;
        connection.execute("BEGIN", ()).await.expect("it begins");
        let rows: Vec<Params> = entries.iter().cloned().map(Params::from).collect();
        connection.executemany(INSERT_ENTRY, rows).await.expect("it inserts");
        let count = first_column(connection, COUNT_ENTRIES, None).await;
        connection.rollback().await.expect("it rolls back");
        count
    }
}

async fn first_column(connection: &AsyncConnection, sql: &str, parameter: Option<i64>) -> i64 {
    let parameters: Vec<i64> = parameter.into_iter().collect();
    let cursor = connection.execute(sql, parameters).await.expect("it runs");
    let row = cursor.fetchone().await.expect("it reads").expect("there is a row");
    row.get::<i64>(0).expect("it is a number")
}
