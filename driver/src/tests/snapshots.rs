//! Queries of one connection that are half read outside of a transaction share a snapshot, and each gives all of its rows, whatever the
//! others, the connection itself or another one do meanwhile. The bug that all of these tests guard against: a query whose snapshot
//! was let go of with another query, or with a commit, gave no further row, without an error.

use std::collections::BTreeMap;

use super::{Scratch, integers};
use crate::{Autocommit, ConnectOptions, Connection, Cursor, Error, Result};

/// How many rows the table has.
const ROWS: i64 = 1_000;

/// The connection that reads and the one that writes beside it.
fn two(scratch: &Scratch) -> (Connection, Connection) {
    let connect = || scratch.connect_with(ConnectOptions::default().isolation_level(None).timeout(0.0));
    let writer = connect();
    writer
        .executescript(&format!(
            "CREATE TABLE item (id INTEGER PRIMARY KEY, v, pad); CREATE TABLE other (a); \
             INSERT INTO item SELECT value, 0, hex(zeroblob(40)) FROM generate_series(1, {ROWS})"
        ))
        .unwrap();
    (connect(), writer)
}

fn ids(rows: &[crate::Row]) -> Vec<i64> {
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

fn rest(cursor: &mut Cursor) -> Vec<i64> {
    ids(&cursor.fetchall().unwrap())
}

/// Whether nothing holds a snapshot: what another connection writes is seen, and its log can be written back and emptied.
fn assert_nothing_is_held(reader: &Connection, writer: &Connection) {
    writer.execute("UPDATE item SET v = v + 1 WHERE id = 1", ()).unwrap();
    let seen = integers(reader, "SELECT v FROM item WHERE id = 1");
    assert_eq!(seen, integers(writer, "SELECT v FROM item WHERE id = 1"));
    assert_eq!(
        integers(writer, "PRAGMA wal_checkpoint(TRUNCATE)"),
        [0],
        "0 is for not busy"
    );
}

#[test]
fn a_query_that_ends_takes_no_rows_from_those_beside_it() {
    // o: open, f: fetch 100, w: write by the other connection, e: fetch all, c: close, p: a select of one row.
    for script in [
        "o1 o2 f1 f2 w e2 o3 e1 e3",
        "o1 o2 f1 f2 w c2 o3 e1 e3",
        "o1 o2 f1 f2 e2 w o3 e1 e3",
        "o1 o2 f1 w f1 e2 f1 o3 f1 e1 e3",
        "o1 o2 f1 f2 e2 o3 w e1 e3",
        "o1 o2 f1 f2 w e2 f1 w o3 e3 e1",
        "o1 p w p e1",
        "o1 p w c1 p",
        "o1 o2 w e1 p w o3 e2 e3",
    ] {
        let scratch = Scratch::new();
        let (reader, writer) = two(&scratch);
        let mut cursors: BTreeMap<&str, (Cursor, Vec<i64>)> = BTreeMap::new();
        for step in script.split(' ') {
            let (step, name) = step.split_at(1);
            match step {
                "o" => {
                    let cursor = reader.execute("SELECT id FROM item LIMIT 500", ()).unwrap();
                    cursors.insert(name, (cursor, Vec::new()));
                }
                "w" => drop(writer.execute("UPDATE item SET v = v + 1 WHERE id = 700", ()).unwrap()),
                "p" => assert_eq!(integers(&reader, "SELECT id FROM item WHERE id = 900"), [900]),
                "c" => drop(cursors.remove(name)),
                _ => {
                    let (cursor, got) = cursors.get_mut(name).unwrap();
                    let size = if step == "f" { 100 } else { 1_000 };
                    got.extend(ids(&cursor.fetchmany(Some(size)).unwrap()));
                }
            }
        }
        for (name, (_, got)) in cursors {
            assert_eq!(got, (1..=500).collect::<Vec<_>>(), "{name} in {script}");
        }
        assert_nothing_is_held(&reader, &writer);
    }
}

#[test]
fn commits_beside_a_query_take_no_rows_from_it_also_where_the_log_is_written_back() {
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    let connection = scratch.connect();
    let mut cursor = connection.execute("SELECT id FROM item", ()).unwrap();
    let mut got = Vec::new();
    while let Some(row) = cursor.fetchone().unwrap() {
        let id: i64 = row.get(0).unwrap();
        got.push(id);
        if got.len() % 3 != 0 {
            let id = id * 7919 % ROWS + 1;
            connection
                .execute("UPDATE item SET pad = hex(randomblob(900)) WHERE id = ?", (id,))
                .unwrap();
            connection.commit().unwrap();
        }
    }
    assert_eq!(got, (1..=ROWS).collect::<Vec<_>>());
    assert_nothing_is_held(&connection, &writer);
    assert_nothing_is_held(&reader, &writer);
}

/// At how many frames in its log the engine writes it back with the next commit.
const FULL: u64 = 1_000;

/// Has the log as long as it can be without being written back.
fn fill_log(scratch: &Scratch, writer: &Connection) {
    let log = scratch.directory.path().join("test.db-wal");
    let frames = || (std::fs::metadata(&log).unwrap().len() - 32) / (4_096 + 24);
    writer
        .execute("INSERT INTO other VALUES (zeroblob(3850000))", ())
        .unwrap();
    while frames() < FULL {
        writer.execute("UPDATE item SET v = v + 1 WHERE id = 1", ()).unwrap();
    }
    assert_eq!(frames(), FULL);
}

#[test]
fn a_commit_of_many_rows_or_of_a_definition_takes_no_rows_from_a_query() {
    let writes = [
        "UPDATE item SET pad = hex(zeroblob(500))",
        "CREATE INDEX of_pad ON item (pad)",
        "PRAGMA user_version = 5",
        "INSERT INTO other VALUES (1)",
    ];
    for sql in writes {
        for in_transaction in [true, false] {
            for is_full in [true, false] {
                let scratch = Scratch::new();
                let (reader, writer) = two(&scratch);
                if is_full {
                    fill_log(&scratch, &writer);
                }
                let mut first = reader.execute("SELECT id FROM item", ()).unwrap();
                first.fetchmany(Some(10)).unwrap();
                let mut second = reader.execute("SELECT id FROM item ORDER BY id DESC", ()).unwrap();
                if in_transaction {
                    reader.executescript(&format!("BEGIN; {sql}; COMMIT")).unwrap();
                } else {
                    reader.execute(sql, ()).unwrap();
                }
                let third = integers(&reader, "SELECT count(*) FROM item");
                assert_eq!(third, [ROWS]);
                assert_eq!(rest(&mut second), (1..=ROWS).rev().collect::<Vec<_>>(), "{sql}");
                assert_eq!(rest(&mut first), (11..=ROWS).collect::<Vec<_>>(), "{sql}");
                assert_nothing_is_held(&reader, &writer);
            }
        }
    }
}

#[test]
fn a_commit_that_takes_rows_from_a_query_says_so() {
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    let mut first = reader.execute("SELECT id FROM item", ()).unwrap();
    // It writes the log back, and nobody could know that of one row.
    reader
        .execute("INSERT INTO other VALUES (zeroblob(5000000))", ())
        .unwrap();
    assert_eq!(ids(&first.fetchmany(Some(1)).unwrap()), [1], "it was read before");
    let error = first.fetchall().unwrap_err();
    assert!(error.to_string().contains("lost the rest of its rows"), "{error}");
    assert_eq!(integers(&reader, "SELECT count(*) FROM other"), [1]);
    assert_nothing_is_held(&reader, &writer);
}

#[test]
fn what_only_asks_takes_no_rows_from_a_query_that_is_behind_another_connection() {
    for sql in [
        "PRAGMA user_version",
        "PRAGMA table_info(item)",
        "SELECT count(*) FROM item",
        "BEGIN; SELECT 1; COMMIT",
        "BEGIN; SELECT count(*) FROM item; COMMIT; SELECT count(*) FROM item",
    ] {
        let scratch = Scratch::new();
        let (reader, writer) = two(&scratch);
        // Kept, and outdated by the other table.
        reader.execute("SELECT count(*) FROM item", ()).unwrap();
        writer.execute("CREATE TABLE third (a)", ()).unwrap();
        let mut first = reader.execute("SELECT id FROM item", ()).unwrap();
        let mut second = reader.execute("SELECT id FROM item WHERE id > 5", ()).unwrap();
        writer.execute("CREATE TABLE fourth (a)", ()).unwrap();
        writer.execute("DELETE FROM item WHERE id > 500", ()).unwrap();
        reader.executescript(sql).unwrap();
        assert_eq!(
            integers(&reader, "SELECT count(*) FROM item"),
            [ROWS],
            "the snapshot is the same"
        );
        assert_eq!(rest(&mut first).len(), 1_000, "{sql}");
        reader.executescript(sql).unwrap();
        assert_eq!(rest(&mut second).len(), 995, "{sql}");
        assert_eq!(integers(&reader, "SELECT count(*) FROM item"), [500]);
        assert_nothing_is_held(&reader, &writer);
    }
}

#[test]
fn a_query_that_fails_or_is_stopped_takes_no_rows_from_those_beside_it() {
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    writer.execute("UPDATE item SET pad = '{' WHERE id = 50", ()).unwrap();
    let mut first = reader.execute("SELECT id FROM item", ()).unwrap();
    let failing = "SELECT json(CASE WHEN id = 50 THEN pad END) FROM item";
    assert!(reader.execute(failing, ()).unwrap().fetchall().is_err());
    assert!(reader.executescript(failing).is_err());
    let mut stopped = reader.execute("SELECT a.id FROM item a, item b, item c", ()).unwrap();
    reader.set_query_timeout(Some(0.05)).unwrap();
    assert!(matches!(stopped.fetchall().unwrap_err(), Error::Operational(_)));
    reader.set_query_timeout(None).unwrap();
    writer.execute("DELETE FROM item WHERE id > 500", ()).unwrap();
    assert_eq!(integers(&reader, "SELECT count(*) FROM item"), [ROWS]);
    assert_eq!(rest(&mut first).len(), 1_000);
    assert_nothing_is_held(&reader, &writer);
}

#[test]
fn a_write_that_is_refused_beside_a_query_takes_no_rows_from_it() {
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    let mut first = reader.execute("SELECT id FROM item", ()).unwrap();
    writer.execute("DELETE FROM item WHERE id > 500", ()).unwrap();
    let error = reader.execute("INSERT INTO other VALUES (1)", ()).unwrap_err();
    assert!(
        matches!(error, Error::Operational(_)),
        "what it reads is out of date: {error:?}"
    );
    assert!(!reader.in_transaction().unwrap());
    assert_eq!(integers(&reader, "SELECT count(*) FROM item"), [ROWS]);
    assert_eq!(rest(&mut first).len(), 1_000);
    reader.execute("INSERT INTO other VALUES (1)", ()).unwrap();
    assert_nothing_is_held(&reader, &writer);
}

#[test]
fn a_query_that_has_lost_its_snapshot_says_so() {
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    // The next commit writes the log back.
    writer
        .execute("UPDATE item SET pad = hex(randomblob(900))", ())
        .unwrap();
    // More than is read ahead.
    let mut first = reader.execute("SELECT zeroblob(100000) FROM item", ()).unwrap();
    first.fetchmany(Some(10)).unwrap();
    reader.execute("UPDATE item SET v = v + 1", ()).unwrap();
    let ahead = first.fetchmany(Some(500)).unwrap();
    assert_eq!(ahead.len(), 500, "they were read before");
    let error = first.fetchall().map(|rows| rows.len()).unwrap_err();
    assert!(matches!(error, Error::Operational(_)), "{error:?}");
    assert!(error.to_string().contains("lost the rest of its rows"), "{error}");
    assert!(first.fetchall().unwrap().is_empty());
    assert_nothing_is_held(&reader, &writer);
}

#[test]
fn a_commit_to_another_file_takes_no_rows_from_a_query() {
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    reader.execute("CREATE TEMP TABLE mine (a)", ()).unwrap();
    let mut first = reader.execute("SELECT id FROM item", ()).unwrap();
    first.fetchmany(Some(10)).unwrap();
    reader.execute("BEGIN", ()).unwrap();
    reader.execute("INSERT INTO mine VALUES (1)", ()).unwrap();
    // Nothing keeps it from that: the transaction writes to no file that both share.
    writer.execute("UPDATE item SET v = 5", ()).unwrap();
    reader.execute("COMMIT", ()).unwrap();
    assert_eq!(rest(&mut first).len(), 990);
    assert_eq!(integers(&reader, "SELECT a FROM mine"), [1]);
    assert_nothing_is_held(&reader, &writer);
}

#[test]
fn a_commit_by_setting_autocommit_takes_no_rows_from_a_query() {
    for is_own in [false, true] {
        let scratch = Scratch::new();
        let (_, writer) = two(&scratch);
        let options = ConnectOptions::default().autocommit(Autocommit::Disabled).timeout(0.0);
        let reader = scratch.connect_with(options);
        let mut first = reader.execute("SELECT id FROM item WHERE v = 0", ()).unwrap();
        first.fetchmany(Some(10)).unwrap();
        let other = if is_own { &reader } else { &writer };
        other.execute("UPDATE other SET a = 1", ()).unwrap();
        other.execute("UPDATE item SET pad = hex(randomblob(900))", ()).unwrap();
        reader.set_autocommit(Autocommit::Enabled).unwrap();
        writer.execute("UPDATE item SET v = 1", ()).unwrap();
        assert_eq!(integers(&reader, "SELECT count(*) FROM item"), [ROWS]);
        assert_eq!(rest(&mut first).len(), 990, "own: {is_own}");
        drop(first);
        assert_nothing_is_held(&reader, &writer);
    }
}

/// Bug: what is read ahead for all is divided by the queries that there ever were.
#[test]
fn many_queries_that_have_ended_take_no_rows_from_one() {
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    let many: Vec<_> = (0..300)
        .map(|_| reader.execute("SELECT id FROM item", ()).unwrap())
        .collect();
    drop(many);
    writer
        .execute("UPDATE item SET pad = hex(randomblob(900))", ())
        .unwrap();
    let mut first = reader.execute("SELECT id, hex(zeroblob(1000)) FROM item", ()).unwrap();
    first.fetchmany(Some(10)).unwrap();
    reader.execute("UPDATE item SET v = v + 1", ()).unwrap();
    assert_eq!(rest(&mut first).len(), 990);
}

/// Bug: a commit looks for the next row of a query to its end, however long that takes, and nothing stops it.
#[test]
fn a_commit_beside_a_query_whose_next_row_is_far_away_can_be_stopped() {
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    let far = "SELECT a.id FROM item a, item b, item c WHERE c.id <= 20 AND a.id + b.id + c.id IN (3, 2020)";
    let (create, update) = ("CREATE TABLE another (a)", "UPDATE item SET v = v + 1 WHERE id <= 300");
    for commits in [create, update, "COMMIT"] {
        let mut first = reader.execute(far, ()).unwrap();
        let in_transaction = commits == "COMMIT";
        if in_transaction {
            reader.execute("BEGIN", ()).unwrap();
            reader.execute(update, ()).unwrap();
        }
        reader.set_query_timeout(Some(0.3)).unwrap();
        let stopped = reader.execute(commits, ());
        reader.set_query_timeout(None).unwrap();
        assert!(matches!(stopped, Err(Error::Operational(_))), "{stopped:?}");
        assert_eq!(reader.in_transaction().unwrap(), in_transaction);
        if in_transaction {
            reader.execute("COMMIT", ()).unwrap();
        }
        // Its last row was not looked for. The update is undone with a transaction around it.
        let error = first.fetchall().map(|rows| rows.len()).unwrap_err();
        let reason = if commits == update {
            "ROLLBACK"
        } else {
            "lost the rest of its rows"
        };
        assert!(error.to_string().contains(reason), "{commits}: {error}");
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'another'";
        assert_eq!(integers(&writer, tables), [0]);
        let changes = i64::from(in_transaction);
        assert_eq!(integers(&writer, "SELECT v FROM item WHERE id = 2"), [changes]);
        assert_nothing_is_held(&reader, &writer);
    }
}

#[test]
fn a_write_that_finds_the_database_locked_takes_no_rows_from_a_query() {
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    reader.execute("BEGIN", ()).unwrap();
    let mut first = reader.execute("SELECT id FROM item", ()).unwrap();
    first.fetchmany(Some(10)).unwrap();
    writer.execute("BEGIN IMMEDIATE", ()).unwrap();
    let error = reader.execute("UPDATE item SET v = abs(v)", ()).unwrap_err();
    assert!(error.to_string().contains("locked"), "{error}");
    assert_eq!(rest(&mut first).len(), 990);
    reader.execute("COMMIT", ()).unwrap();
    writer.execute("ROLLBACK", ()).unwrap();
    assert_nothing_is_held(&reader, &writer);
}

#[test]
fn queries_in_memory_and_of_versioned_rows_are_read_beside_each_other() -> Result<()> {
    let scratch = Scratch::new();
    let memory = crate::connect(":memory:", ConnectOptions::default())?;
    let versioned = scratch.connect();
    versioned.execute("PRAGMA journal_mode = mvcc", ())?;
    for connection in [memory, versioned] {
        connection.executescript("CREATE TABLE t (a); INSERT INTO t SELECT value FROM generate_series(1, 300)")?;
        let mut first = connection.execute("SELECT a FROM t", ())?;
        let mut second = connection.execute("SELECT a FROM t", ())?;
        second.fetchmany(Some(5))?;
        assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [300]);
        second.close()?;
        connection.execute("INSERT INTO t VALUES (0)", ())?;
        connection.rollback().or_else(|_| connection.rollback())?;
        drop(first.fetchall());
        assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [300]);
        let mut third = connection.execute("SELECT a FROM t", ())?;
        assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [300]);
        assert_eq!(third.fetchall()?.len(), 300);
        connection.execute("INSERT INTO t VALUES (0)", ())?;
        connection.commit()?;
        assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [301]);
    }
    Ok(())
}

#[test]
fn a_checkpoint_lets_go_of_a_transaction_in_which_all_is_read() {
    // The engine let go of its snapshot alone, and panicked in the next write.
    for mode in ["PASSIVE", "FULL", "RESTART", "TRUNCATE"] {
        let scratch = Scratch::new();
        let (reader, writer) = two(&scratch);
        let mut first = reader.execute("SELECT id FROM item", ()).unwrap();
        let checkpoint = format!("PRAGMA wal_checkpoint({mode})");
        reader.execute(&checkpoint, ()).unwrap().fetchall().unwrap();
        reader.execute("INSERT INTO other VALUES (1)", ()).unwrap();
        assert_eq!(rest(&mut first), (1..=ROWS).collect::<Vec<_>>(), "{mode}");
        assert_nothing_is_held(&reader, &writer);
    }
}

#[test]
fn a_query_that_was_kept_from_before_a_definition_runs_beside_another() {
    // The engine prepared it anew, dropped the transaction of the other for that, and panicked.
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    let kept = "SELECT count(*) FROM item";
    assert_eq!(integers(&reader, kept), [ROWS]);
    reader.execute("CREATE TABLE third (a)", ()).unwrap();
    let mut first = reader.execute("SELECT id FROM item", ()).unwrap();
    writer.execute("UPDATE item SET v = v + 1 WHERE id = 700", ()).unwrap();
    assert_eq!(integers(&reader, kept), [ROWS]);
    assert_eq!(rest(&mut first), (1..=ROWS).collect::<Vec<_>>());
    assert_nothing_is_held(&reader, &writer);
}

#[test]
fn a_refused_write_takes_no_schema_that_is_newer_than_the_snapshot() {
    // The engine took it for the write, which it had prepared before, and panicked in the next query.
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    let update = "UPDATE item SET v = v + 1 WHERE id = 5";
    reader.executescript("BEGIN IMMEDIATE").unwrap();
    reader.commit().unwrap();
    reader.execute("SAVEPOINT a", ()).unwrap();
    reader.execute(update, ()).unwrap();
    reader.rollback().unwrap();
    let mut first = reader
        .execute("SELECT a.id FROM item a JOIN item b ON a.id = b.id", ())
        .unwrap();
    writer.execute("CREATE TABLE third (a)", ()).unwrap();
    reader.execute(update, ()).unwrap_err();
    assert_eq!(integers(&reader, "SELECT count(*) FROM item"), [ROWS]);
    assert_eq!(rest(&mut first).len(), 1_000);
    assert_nothing_is_held(&reader, &writer);
}

#[test]
fn a_snapshot_that_is_lost_with_the_commit_before_a_script_is_missed() {
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    let mut first = reader.execute("SELECT id FROM item", ()).unwrap();
    reader.execute("BEGIN IMMEDIATE", ()).unwrap();
    // Behind it the engine takes the snapshot for another one.
    writer
        .execute("PRAGMA wal_checkpoint(PASSIVE)", ())
        .unwrap()
        .fetchall()
        .unwrap();
    reader
        .executescript("BEGIN; UPDATE item SET v = 1 WHERE id < 5; COMMIT")
        .unwrap();
    assert_eq!(ids(&first.fetchmany(Some(1)).unwrap()), [1], "it was read before");
    let error = first.fetchall().unwrap_err();
    assert!(error.to_string().contains("lost the rest of its rows"), "{error}");
    assert_nothing_is_held(&reader, &writer);
}

/// Numbers that look random, the same for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What one program does: cursors are opened, read and closed in any order, both connections write, and transactions come and go. No
/// write touches an `id`, so each query has to give the same rows whenever it is read.
fn run_program(seed: u64) {
    let scratch = Scratch::new();
    let (reader, writer) = two(&scratch);
    let mut numbers = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut open: Vec<(i64, Cursor, Vec<i64>)> = Vec::new();
    for step in 0..400 {
        let picked = usize::try_from(numbers.below(open.len().max(1) as u64)).unwrap();
        match numbers.below(12) {
            0..=1 if open.len() < 5 => {
                let begin = i64::try_from(numbers.below(700)).unwrap();
                let sql = "SELECT id FROM item WHERE id > ? LIMIT 200";
                open.push((begin, reader.execute(sql, (begin,)).unwrap(), Vec::new()));
            }
            2 => {
                // It may be locked by the reader's transaction.
                let _ = writer.execute(
                    "UPDATE item SET v = v + 1, pad = hex(randomblob(600)) WHERE id = ?",
                    (step,),
                );
            }
            // It is refused where the snapshot is out of date.
            3 => drop(reader.execute(
                "UPDATE item SET v = v + 1, pad = hex(randomblob(600)) WHERE id = ?",
                (step,),
            )),
            4 if !reader.in_transaction().unwrap() => drop(reader.execute("BEGIN", ()).unwrap()),
            4 => drop(reader.execute("COMMIT", ()).unwrap()),
            5 => assert_eq!(integers(&reader, "SELECT count(*) FROM item"), [ROWS]),
            6 if !open.is_empty() => drop(open.remove(picked)),
            7 => drop(reader.execute("PRAGMA user_version", ()).unwrap().fetchall().unwrap()),
            _ if !open.is_empty() => {
                let size = [1, 10, 64, 100][usize::try_from(numbers.below(4)).unwrap()];
                let (begin, cursor, got) = &mut open[picked];
                let rows = ids(&cursor.fetchmany(Some(size)).unwrap());
                got.extend(&rows);
                if rows.len() < size {
                    let expected: Vec<i64> = (*begin + 1..=*begin + 200).collect();
                    assert_eq!(*got, expected, "seed {seed}, step {step}");
                    drop(open.remove(picked));
                }
            }
            _ => {}
        }
    }
    drop(open);
    if reader.in_transaction().unwrap() {
        reader.execute("COMMIT", ()).unwrap();
    }
    assert_nothing_is_held(&reader, &writer);
}

#[test]
fn random_programs_lose_no_rows() {
    for seed in 1..=12 {
        run_program(seed);
    }
}
