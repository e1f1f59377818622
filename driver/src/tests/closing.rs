use std::fs;
use std::path::PathBuf;

use super::{Scratch, integers};

impl Scratch {
    fn log(&self) -> PathBuf {
        self.directory.path().join("test.db-wal")
    }
}

fn insert_and_commit(connection: &crate::Connection, number: i64) {
    connection.execute("INSERT INTO t (a) VALUES (?)", (number,)).unwrap();
    connection.commit().unwrap();
}

#[test]
fn the_last_connection_writes_the_log_back_also_when_another_one_wrote_it() {
    let scratch = Scratch::new();
    let writer = scratch.with_table();
    writer.commit().unwrap();
    let idle = scratch.connect();
    insert_and_commit(&writer, 1);
    writer.close().unwrap();
    assert!(
        fs::metadata(scratch.log()).unwrap().len() > 0,
        "the idle one has it open"
    );
    idle.close().unwrap();
    assert_eq!(fs::metadata(scratch.log()).unwrap().len(), 0);
    assert_eq!(integers(&scratch.connect(), "SELECT a FROM t"), [1]);
}

#[test]
fn what_a_connection_left_in_the_log_when_its_process_died_is_written_back_by_one_that_only_opens_and_closes() {
    let scratch = Scratch::new();
    let writer = scratch.with_table();
    insert_and_commit(&writer, 1);
    // As the files are when the process dies here.
    let after = Scratch::new();
    fs::copy(scratch.path(), after.path()).unwrap();
    fs::copy(scratch.log(), after.log()).unwrap();
    after.connect().close().unwrap();
    assert_eq!(fs::metadata(after.log()).unwrap().len(), 0);
    assert_eq!(integers(&after.connect(), "SELECT a FROM t"), [1]);
}

#[test]
fn a_transaction_that_is_open_at_the_close_is_rolled_back_and_the_next_connection_may_write() {
    let scratch = Scratch::new();
    scratch.with_table().close().unwrap();
    let connection = scratch.connect();
    assert_eq!(fs::metadata(scratch.log()).unwrap().len(), 0);
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    connection.close().unwrap();
    let next = scratch.connect();
    assert_eq!(integers(&next, "SELECT a FROM t"), [0; 0]);
    insert_and_commit(&next, 2);
    assert_eq!(integers(&next, "SELECT a FROM t"), [2]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_connection_that_wrote_nothing_lets_go_of_the_file() {
    let open_files = |scratch: &Scratch| {
        let descriptors = fs::read_dir("/proc/self/fd").unwrap();
        let files = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        files.filter(|file| file.starts_with(scratch.directory.path())).count()
    };
    let scratch = Scratch::new();
    scratch.with_table().close().unwrap();
    let connection = scratch.connect();
    let mut half_read = connection
        .execute(
            "SELECT 1 FROM t UNION ALL SELECT value FROM generate_series(1, 300)",
            (),
        )
        .unwrap();
    half_read.fetchone().unwrap();
    assert!(open_files(&scratch) > 0);
    connection.close().unwrap();
    assert_eq!(open_files(&scratch), 0);
}
