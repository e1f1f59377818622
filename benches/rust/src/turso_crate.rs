//! The `turso` crate: the same engine, run in the thread of whoever polls.

use std::path::Path;
use std::sync::Arc;

use turso::{Builder, Connection, Row};

use crate::peer::{COUNT_ENTRIES, Entry, HEAVY, INSERT_ENTRY, Peer, SELECT_POINT};

#[derive(Clone)]
pub(crate) struct TursoCrate(Connection);

impl Peer for TursoCrate {
    async fn open(path: &Path) -> Self {
        let path = path.to_str().expect("the path of a measurement is plain");
        let database = Builder::new_local(path).build().await.expect("it opens");
        Self(database.connect().expect("it connects"))
    }

    async fn nothing(&self) {
        panic!("this driver has no thread to go to: there is no hop to measure");
    }

    async fn select_one(&self, id: i64) -> i64 {
        let mut statement = self.0.prepare_cached(SELECT_POINT).await.expect("it compiles");
        number(&statement.query_row((id,)).await.expect("it runs"))
    }

    async fn heavy(&self) -> i64 {
        let mut statement = self.0.prepare_cached(HEAVY).await.expect("it compiles");
        number(&statement.query_row(()).await.expect("it runs"))
    }

    async fn insert_all(&self, entries: Arc<Vec<Entry>>) -> i64 {
        self.0.execute("BEGIN", ()).await.expect("it begins");
        let mut insert = self.0.prepare_cached(INSERT_ENTRY).await.expect("it compiles");
        for (id, name, score) in entries.iter() {
            insert.execute((*id, name.clone(), *score)).await.expect("it inserts");
        }
        let mut count = self.0.prepare_cached(COUNT_ENTRIES).await.expect("it compiles");
        let count = number(&count.query_row(()).await.expect("it runs"));
        self.0.execute("ROLLBACK", ()).await.expect("it rolls back");
        count
    }
}

fn number(row: &Row) -> i64 {
    row.get::<i64>(0).expect("it is a number")
}
