//! The engine alone, in the caller's thread: what no driver can be faster than.

use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex};

use turso_core::{Database, DatabaseOpts, OpenFlags, SqliteDialect, Statement, StepResult, Value};

use crate::peer::{COUNT_ENTRIES, Entry, HEAVY, INSERT_ENTRY, Peer, SELECT_POINT};

#[derive(Clone)]
pub(crate) struct Engine {
    connection: Arc<turso_core::Connection>,
    select: Arc<Mutex<Statement>>,
}

impl Engine {
    fn prepare(&self, sql: &str) -> Statement {
        self.connection.prepare(sql).expect("it compiles")
    }
}

impl Peer for Engine {
    async fn open(path: &Path) -> Self {
        let path = path.to_str().expect("the path of a measurement is plain");
        let dialect = Arc::new(SqliteDialect);
        let (_, database) = Database::open_new(
            path,
            None::<&str>,
            OpenFlags::Create,
            DatabaseOpts::new(),
            None,
            dialect,
        )
        .expect("it opens");
        let connection = database.connect().expect("it connects");
        let select = Arc::new(Mutex::new(connection.prepare(SELECT_POINT).expect("it compiles")));
        Self { connection, select }
    }

    async fn nothing(&self) {
        panic!("this one has no thread to go to: there is no hop to measure");
    }

    async fn select_one(&self, id: i64) -> i64 {
        let mut statement = self.select.lock().expect("no call panics");
        run(&mut statement, [Value::from_i64(id)]).expect("there is a row")
    }

    async fn heavy(&self) -> i64 {
        run(&mut self.prepare(HEAVY), []).expect("there is a row")
    }

    async fn insert_all(&self, entries: Arc<Vec<Entry>>) -> i64 {
        run(&mut self.prepare("BEGIN"), []);
        let mut insert = self.prepare(INSERT_ENTRY);
        for (id, name, score) in entries.iter() {
            run(
                &mut insert,
                [
                    Value::from_i64(*id),
                    Value::from_text(name.clone()),
                    Value::from_f64(*score),
                ],
            );
        }
        let count = run(&mut self.prepare(COUNT_ENTRIES), []).expect("there is a row");
        run(&mut self.prepare("ROLLBACK"), []);
        count
    }
}

/// Runs a statement to its end and makes it ready for the next run; the integer in its first column, if it gives a row.
fn run<const COUNT: usize>(statement: &mut Statement, values: [Value; COUNT]) -> Option<i64> {
    for (index, value) in (1..).map_while(NonZero::new).zip(values) {
        statement.bind_at(index, value).expect("it has that parameter");
    }
    let mut found = None;
    loop {
        match statement.step().expect("it runs") {
            StepResult::Row => found = statement.row().and_then(|row| row.get(0).ok()),
            StepResult::Done => break,
            StepResult::IO => statement._io().step().expect("it reads"),
            _ => panic!("nobody else has the file"),
        }
    }
    statement.reset().expect("it has ended");
    found
}
