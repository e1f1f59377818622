//! Rows that are packed are those that would be fetched one by one.

use std::time::Duration;

use super::Scratch;
use crate::packing::Packing;
use crate::{Connection, Cursor, Value};

/// What the rest of a result set gives, up to its first error or its end.
type Given = Vec<Result<Vec<Value>, String>>;

fn fetched(cursor: &mut Cursor) -> Given {
    let mut given = Vec::new();
    while let Some(row) = cursor.fetchone().transpose() {
        let is_last = row.is_err();
        given.push(row.map(|row| row.into_values()).map_err(|error| error.to_string()));
        if is_last {
            break;
        }
    }
    given
}

/// The same, packed so many rows at a time.
fn packed(cursor: &mut Cursor, size: usize) -> Given {
    let mut given = Vec::new();
    loop {
        let mut packing = Packing::default();
        let outcome = cursor.pack(&mut packing, &mut |packing| packing.len() < size);
        assert!(packing.len() <= size, "{} rows, and {size} were wanted", packing.len());
        given.extend((0..packing.len()).map(|place| Ok(packing.values(place))));
        match outcome {
            Ok(false) => assert!(packing.len() > 0, "no row, and more behind it"),
            Ok(true) => return given,
            Err(error) => {
                given.push(Err(error.to_string()));
                return given;
            }
        }
    }
}

fn filled(scratch: &Scratch) -> Connection {
    let connection = scratch.with_table();
    connection
        .executescript(
            "CREATE TABLE j (a); INSERT INTO j VALUES ('1'), ('2'), ('3'), ('{'), ('5'); \
             INSERT INTO t VALUES (1, 'text'), (2, NULL), (3, x'00ff'), (4, 0.5), (5, zeroblob(9000)), (6, ''), (7, -1)",
        )
        .unwrap();
    connection
}

/// Bugs: a row is lost or comes twice between two chunks or before a `fetchone`; an error comes before or behind its row; the rows of
/// a statement that changes data, which are read at once, do not come.
#[test]
fn packed_rows_are_those_that_are_fetched() {
    for query_timeout in [None, Some(600.0)] {
        let scratch = Scratch::new();
        let connection = filled(&scratch);
        connection.set_query_timeout(query_timeout).unwrap();
        for sql in [
            "SELECT value, 'row ' || value FROM generate_series(1, 20)",
            "SELECT a, b FROM t ORDER BY a",
            "SELECT a, b FROM t ORDER BY b DESC",
            "SELECT json(a) FROM j ORDER BY rowid",
            "SELECT a FROM t WHERE a > 100",
            "SELECT max(a) OVER (), b FROM t",
            "UPDATE t SET b = b RETURNING a, b",
            "UPDATE t SET b = b",
        ] {
            let expected = fetched(&mut connection.execute(sql, ()).unwrap());
            for size in [1, 2, 3, 1000] {
                let mut cursor = connection.execute(sql, ()).unwrap();
                assert_eq!(packed(&mut cursor, size), expected, "{size} at a time: {sql}");
                assert_eq!(packed(&mut cursor, size), [], "behind its end: {sql}");

                let mut cursor = connection.execute(sql, ()).unwrap();
                let mut packing = Packing::default();
                let outcome = cursor.pack(&mut packing, &mut |packing| packing.len() < size);
                let count = packing.len();
                if let Ok(false) = outcome {
                    assert_eq!(
                        fetched(&mut cursor),
                        expected[count..],
                        "fetched behind {size} packed: {sql}"
                    );
                }
            }
        }
    }
}

/// Bug: the rows of a query that a rollback has cut off seem to be at their end.
#[test]
fn what_is_cut_off_says_so_behind_the_row_that_was_read_before() {
    let scratch = Scratch::new();
    let connection = filled(&scratch);
    connection.commit().unwrap();
    let mut cursor = connection.execute("SELECT a FROM t", ()).unwrap();
    connection.execute("INSERT INTO t (b) VALUES (8)", ()).unwrap();
    connection.rollback().unwrap();
    let given = packed(&mut cursor, 1000);
    assert_eq!(given[0], Ok(vec![Value::Integer(1)]));
    assert!(
        given[1].as_ref().is_err_and(|error| error.contains("ROLLBACK")),
        "{given:?}"
    );
    assert_eq!(given.len(), 2);
}

/// Bug: a row is told to have taken too long because the rows before it have.
#[test]
fn a_limit_on_the_time_of_a_call_counts_for_each_row() {
    let scratch = Scratch::new();
    let connection = filled(&scratch);
    let timeout = Duration::from_secs(5);
    connection.set_query_timeout(Some(timeout.as_secs_f64())).unwrap();
    let mut cursor = connection.execute("SELECT a FROM t", ()).unwrap();
    let mut packing = Packing::default();
    let outcome = cursor.pack(&mut packing, &mut |packing| {
        if packing.len() == 1 {
            std::thread::sleep(timeout + Duration::from_millis(100));
        }
        true
    });
    assert_eq!((packing.len(), outcome.unwrap()), (7, true));
}
