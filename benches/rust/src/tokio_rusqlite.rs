//! tokio-rusqlite: a closure for each call, run by a thread for each connection.

use std::path::Path;
use std::sync::Arc;

use tokio_rusqlite::Connection;

use crate::peer::{COUNT_ENTRIES, Entry, HEAVY, INSERT_ENTRY, Peer, SELECT_POINT};

#[derive(Clone)]
pub(crate) struct TokioRusqlite(Connection);

impl Peer for TokioRusqlite {
    async fn open(path: &Path) -> Self {
        Self(Connection::open(path).await.expect("it opens"))
    }

    async fn nothing(&self) {
        self.0
            .call(|_| Ok::<_, rusqlite::Error>(()))
            .await
            .expect("it does nothing");
    }

    async fn select_one(&self, id: i64) -> i64 {
        let found = self.0.call(move |connection| {
            connection
                .prepare_cached(SELECT_POINT)?
                .query_row([id], |row| row.get(0))
        });
        found.await.expect("it runs")
    }

    async fn heavy(&self) -> i64 {
        let found = self
            .0
            .call(|connection| connection.query_row(HEAVY, [], |row| row.get(0)));
        found.await.expect("it runs")
    }
    async fn insert_all(&self, entries: Arc<Vec<Entry>>) -> i64 {
        let count = self.0.call(move |connection| {
            connection.execute_batch("BEGIN")?;
            let mut insert = connection.prepare_cached(INSERT_ENTRY)?;
            for entry in entries.iter() {
                insert.execute((entry.0, &entry.1, entry.2))?;
            }
            let count = connection.query_row(COUNT_ENTRIES, [], |row| row.get(0))?;
            connection.execute_batch("ROLLBACK")?;
            Ok::<_, rusqlite::Error>(count)
        });
        count.await.expect("it runs")
    }
}
