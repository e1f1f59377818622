//! What one writes without a library: the blocking connection behind a lock, and a thread of tokio's pool for each call.

use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use crate::peer::{COUNT_ENTRIES, Entry, HEAVY, INSERT_ENTRY, Peer, SELECT_POINT};

#[derive(Clone)]
pub(crate) struct SpawnBlocking(Arc<Mutex<Connection>>);

impl SpawnBlocking {
    async fn call<T: Send + 'static>(&self, run: impl FnOnce(&Connection) -> T + Send + 'static) -> T {
        let connection = Arc::clone(&self.0);
        let running = tokio::task::spawn_blocking(move || run(&connection.lock().expect("no call panics")));
        running.await.expect("no call panics")
    }
}

impl Peer for SpawnBlocking {
    async fn open(path: &Path) -> Self {
        Self(Arc::new(Mutex::new(Connection::open(path).expect("it opens"))))
    }

    async fn nothing(&self) {
        self.call(|_| ()).await;
    }

    async fn select_one(&self, id: i64) -> i64 {
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(SELECT_POINT).expect("it compiles");
            statement.query_row([id], |row| row.get(0)).expect("it runs")
        })
        .await
    }

    async fn heavy(&self) -> i64 {
        self.call(|connection| connection.query_row(HEAVY, [], |row| row.get(0)).expect("it runs"))
            .await
    }
    async fn insert_all(&self, entries: Arc<Vec<Entry>>) -> i64 {
        let insert = move |connection: &Connection| {
            connection.execute_batch("BEGIN")?;
            let mut insert = connection.prepare_cached(INSERT_ENTRY)?;
            for entry in entries.iter() {
                insert.execute((entry.0, &entry.1, entry.2))?;
            }
            let count = connection.query_row(COUNT_ENTRIES, [], |row| row.get(0))?;
            connection.execute_batch("ROLLBACK")?;
            Ok::<_, rusqlite::Error>(count)
        };
        self.call(insert).await.expect("it runs")
    }
}
