//! `executemany` inserts many rows with one run of the engine where nobody can tell: each test runs it with parameters that are
//! there, of which it does so, and with an iterator's, of which it does not.

use super::Scratch;
use crate::engine::batch::runs;
use crate::{ConnectOptions, Connection, IsolationLevel, Params, ParamsSequence, Value, connect};

/// More than are needed for batches to be worth their preparation.
const ROWS: i64 = 240;

/// What can be seen of a run, and behind it.
#[derive(Debug, PartialEq)]
struct Seen {
    outcome: Result<(i64, Option<i64>), String>,
    in_transaction: bool,
    total_changes: i64,
    counts: Vec<Vec<Value>>,
    rows: Vec<Vec<Value>>,
    rows_behind_rollback: Vec<Vec<Value>>,
}

fn rows_of(connection: &Connection, sql: &str) -> Vec<Vec<Value>> {
    let rows = connection.execute(sql, ()).unwrap().fetchall().unwrap();
    rows.into_iter().map(crate::Row::into_values).collect()
}

/// Runs it, and looks. With that, the number of batches.
fn see(schema: &str, sql: &str, parameters: &[Params], in_batches: bool) -> (Seen, usize) {
    let connection = connect(":memory:", ConnectOptions::default()).unwrap();
    connection.executescript(schema).unwrap();
    connection.execute("CREATE TABLE before (a)", ()).unwrap();
    connection.execute("INSERT INTO before VALUES (1)", ()).unwrap();
    let parameters = parameters.to_vec();
    let sequence = if in_batches {
        ParamsSequence::from(parameters)
    } else {
        ParamsSequence::new(parameters)
    };
    runs::take();
    let mut cursor = connection.cursor().unwrap();
    let outcome = cursor
        .executemany(sql, sequence)
        .map(|_| ())
        .map_err(|error| error.to_string());
    let batches = runs::take();
    let outcome = outcome.map(|()| (cursor.rowcount(), cursor.lastrowid()));
    let (in_transaction, total_changes) = (
        connection.in_transaction().unwrap(),
        connection.total_changes().unwrap(),
    );
    let counts = rows_of(&connection, "SELECT changes(), last_insert_rowid(), total_changes()");
    assert_eq!(rows_of(&connection, "PRAGMA integrity_check"), [[Value::from("ok")]]);
    let all = "SELECT * FROM t UNION ALL SELECT 'before', a, 0 FROM before";
    let rows = rows_of(&connection, all);
    connection.rollback().unwrap();
    let rows_behind_rollback = rows_of(&connection, all);
    (
        Seen {
            outcome,
            in_transaction,
            total_changes,
            counts,
            rows,
            rows_behind_rollback,
        },
        batches,
    )
}

/// Runs it both ways, which must look the same. The number of batches.
fn compare(schema: &str, sql: &str, parameters: &[Params]) -> usize {
    let (expected, none) = see(schema, sql, parameters, false);
    assert_eq!(none, 0);
    let (seen, batches) = see(schema, sql, parameters, true);
    assert_eq!(seen, expected, "{schema}: {sql}");
    batches
}

/// So many rows of three values.
fn rows(count: i64) -> Vec<Params> {
    (1..=count)
        .map(|number| Params::from((number, format!("number {number}"), number as f64 / 2.0)))
        .collect()
}

const INSERT: &str = "INSERT INTO t VALUES (?, ?, ?)";

/// Tables whose rows are inserted in batches.
const TABLES: &[&str] = &[
    "CREATE TABLE t (a, b, c)",
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c)",
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL, c REAL) STRICT",
    "CREATE TABLE t (a UNIQUE, b TEXT COLLATE NOCASE, c REAL DEFAULT 7)",
    "CREATE TABLE t (a INT, b TEXT, c INT, PRIMARY KEY (a, b))",
    "CREATE TABLE t (a INT CHECK (a > 0 AND a <> 1000), b NOT NULL, c); CREATE INDEX i ON t (b); CREATE UNIQUE INDEX u ON t (a)",
    "CREATE TABLE t (a, b, c); CREATE UNIQUE INDEX u ON t (a) WHERE c > 10",
];

/// Bug: rows of a batch are counted, numbered or converted in another way than those of single runs.
#[test]
fn rows_of_batches_are_those_of_single_runs() {
    for schema in TABLES {
        for count in [0, 1, 33, 192, 193, 225, 226, ROWS] {
            let batches = compare(schema, INSERT, &rows(count));
            assert_eq!(batches > 0, count >= 193, "{schema}: {count}: {batches}");
        }
        for insert in [
            "insert into \"t\" (a, b, c) values(?,?,?);\n",
            "-- rows\nINSERT INTO t VALUES (\n ?, ?, ? )  ",
        ] {
            assert!(compare(schema, insert, &rows(ROWS)) > 0, "{schema}: {insert}");
        }
    }
    assert!(
        compare(
            "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c)",
            "INSERT INTO t (b, c) VALUES (?, ?)",
            &{
                (1..=ROWS)
                    .map(|number| Params::from((number, Value::Null)))
                    .collect::<Vec<_>>()
            }
        ) > 0
    );
}

/// Bug: a row that fails takes those before it along that came in the same batch; or what fails is another row, or is told
/// otherwise.
#[test]
fn a_row_that_fails_leaves_those_before_it() {
    let wrong: [Params; 5] = [
        // The row before, once more.
        Params::None,
        Params::from((Value::Null, Value::Null, Value::Null)),
        Params::from((-5, "below", 1.0)),
        Params::from(("text", "no number", "no number")),
        Params::from((1, "one value is missing")),
    ];
    for schema in TABLES {
        for place in [1, 40, 64, 65, 225, 239] {
            for wrong in &wrong {
                let mut parameters = rows(ROWS);
                parameters[place] = match wrong {
                    Params::None => parameters[place - 1].clone(),
                    wrong => wrong.clone(),
                };
                compare(schema, INSERT, &parameters);
            }
        }
    }
}

/// Bug: one of several rows that fail in the same batch is told that is not the first of them.
#[test]
fn the_first_of_several_rows_that_fail_is_told() {
    let schema = "CREATE TABLE t (a UNIQUE, b NOT NULL, c)";
    let mut parameters = rows(ROWS);
    parameters[50] = Params::from((1_050, Value::Null, 0));
    parameters[45] = parameters[44].clone();
    compare(schema, INSERT, &parameters);
    parameters.swap(45, 50);
    compare(schema, INSERT, &parameters);
}

/// Bug: what sees or is done for each row by itself, sees or is done for a batch.
#[test]
fn no_batch_is_run_where_it_would_be_noticed() {
    let plain = "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c)";
    let with = |more: &str| format!("{plain}; {more}");
    let schemas = [
        with("CREATE TABLE log (a); CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO log VALUES (changes()); END"),
        with(
            "CREATE TABLE log (a); CREATE TEMP TRIGGER r BEFORE INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END",
        ),
        "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b, c)".to_owned(),
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b, c CHECK (abs(c) >= 0))".to_owned(),
        "CREATE TABLE t (a UNIQUE ON CONFLICT IGNORE, b, c)".to_owned(),
        "CREATE TABLE t (a UNIQUE ON CONFLICT REPLACE, b, c)".to_owned(),
        "CREATE TABLE t (a INTEGER PRIMARY KEY ON CONFLICT FAIL, b, c)".to_owned(),
        "CREATE TABLE t (a, b NOT NULL ON CONFLICT ROLLBACK, c)".to_owned(),
        with("CREATE INDEX i ON t (lower(b))"),
        with("PRAGMA unstable_capture_data_changes_conn('full')"),
        "PRAGMA foreign_keys = 1; CREATE TABLE t (a INTEGER PRIMARY KEY, b, c REFERENCES t (a))".to_owned(),
    ];
    let mut parameters = rows(ROWS);
    parameters[200] = parameters[199].clone();
    for schema in &schemas {
        assert_eq!(compare(schema, INSERT, &rows(ROWS)), 0, "{schema}");
        assert_eq!(compare(schema, INSERT, &parameters), 0, "{schema}");
    }
    for insert in [
        "INSERT OR IGNORE INTO t VALUES (?, ?, ?)",
        "REPLACE INTO t VALUES (?, ?, ?)",
        "INSERT INTO t VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        "INSERT INTO t VALUES (?, ?, ?) RETURNING a",
        "INSERT INTO t VALUES (?1, ?2, ?3)",
        "INSERT INTO t VALUES (?, ?, ?) -- (?, ?, ?)",
        "INSERT INTO t VALUES (?, ?, ?) /* (?, ?, ?)",
        "INSERT INTO t VALUES (?, ?, ?) /* (?, ?, ?) */",
        "INSERT INTO t VALUES (?, /* (?, ?, ?), */ ?, ?)",
        "INSERT INTO t VALUES (?, ?, (SELECT count(*) FROM t) + ?)",
        "INSERT INTO t SELECT 0, 0, 0 WHERE 0 UNION VALUES (?, ?, ?)",
        "UPDATE t SET b = ? WHERE a = ? AND c = ?",
    ] {
        assert_eq!(compare(plain, insert, &rows(ROWS)), 0, "{insert}");
    }
}

/// Bug: outside of a transaction each row is committed by itself, and those of a batch together.
#[test]
fn no_batch_is_run_outside_of_a_transaction_or_beside_a_cursor_that_is_half_read() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let insert = "INSERT INTO t VALUES (?, ?)";
    let two = |from: i64| -> Vec<Params> { (from..from + ROWS).map(|number| Params::from((number, 0))).collect() };
    runs::take();
    connection.set_isolation_level(None).unwrap();
    connection.executemany(insert, two(1)).unwrap();
    assert_eq!(runs::take(), 0);
    connection
        .set_isolation_level(Some(IsolationLevel::Unspecified))
        .unwrap();
    let mut reader = connection.execute("SELECT a FROM t", ()).unwrap();
    reader.fetchone().unwrap();
    connection.executemany(insert, two(1_001)).unwrap();
    assert_eq!(runs::take(), 0);
    reader.close().unwrap();
    connection.executemany(insert, two(2_001)).unwrap();
    assert!(runs::take() > 0);
}

/// Bug: a table in another database that has the same name is taken for that of the statement.
#[test]
fn a_temporary_table_gets_its_rows_one_by_one() {
    let schema = "CREATE TABLE t (a UNIQUE, b, c); CREATE TEMP TABLE t (a UNIQUE ON CONFLICT IGNORE, b, c)";
    assert_eq!(compare(schema, INSERT, &rows(ROWS)), 0);
}

/// Bug: an iterator that uses the connection is asked before the rows that it gave are there.
#[test]
fn an_iterator_sees_the_rows_that_it_gave() {
    let connection = connect(":memory:", ConnectOptions::default()).unwrap();
    connection.execute("CREATE TABLE t (a)", ()).unwrap();
    let same = connection.clone();
    let counts = (0..ROWS).map(move |given| {
        let rows = rows_of(&same, "SELECT count(*) FROM t");
        assert_eq!(rows, [[Value::Integer(given)]]);
        (given,)
    });
    connection
        .executemany("INSERT INTO t VALUES (?)", ParamsSequence::new(counts))
        .unwrap();
}

/// Bug: what a batch has inserted when it is interrupted stays in its transaction; or an interrupt between two of them is lost.
#[test]
fn an_interrupt_of_a_batch_takes_the_transaction_with_it() {
    let mut interrupted = 0;
    for look in 0.. {
        let connection = connect(":memory:", ConnectOptions::default()).unwrap();
        connection.execute("CREATE TABLE t (a UNIQUE, b, c)", ()).unwrap();
        connection.execute("INSERT INTO t VALUES (0, 0, 0)", ()).unwrap();
        let run = || connection.executemany(INSERT, rows(ROWS)).map(|_| ());
        let (outcome, came_to_it) = crate::interrupt::moments::interrupt_at(look, run);
        let counted = rows_of(&connection, "SELECT count(*) FROM t");
        if outcome.is_ok() {
            assert_eq!(counted, [[Value::Integer(ROWS + 1)]], "{look}");
        } else {
            // If it came before the first of the rows, what was there before them stays.
            let kept = i64::from(connection.in_transaction().unwrap());
            assert_eq!(counted, [[Value::Integer(kept)]], "{look}");
            interrupted += 1 - kept;
        }
        if !came_to_it {
            break;
        }
    }
    assert!(interrupted > 8);
}

/// Bug: a batch for which there is no room is undone by itself. The engine's pager is in the middle of taking a page then, and the
/// next row panics.
#[test]
fn a_batch_without_room_takes_the_transaction_with_it() {
    let mut parameters = rows(2_000);
    parameters[100] = Params::from((10_000, "the last", 0));
    for in_batches in [false, true] {
        let connection = connect(":memory:", ConnectOptions::default()).unwrap();
        connection
            .execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b, c)", ())
            .unwrap();
        for pages in 3..=6 {
            let limit = |pages: u32| rows_of(&connection, &format!("PRAGMA max_page_count = {pages}"));
            limit(pages);
            let parameters = parameters.clone();
            let sequence = if in_batches {
                ParamsSequence::from(parameters)
            } else {
                ParamsSequence::new(parameters)
            };
            runs::take();
            let outcome = connection.executemany(INSERT, sequence).map(|_| ());
            assert_eq!(outcome.unwrap_err().to_string(), "database or disk is full", "{pages}");
            assert_eq!(runs::take() > 0, in_batches, "{pages}");
            assert!(!connection.in_transaction().unwrap(), "{pages}");
            assert_eq!(rows_of(&connection, "SELECT count(*) FROM t"), [[Value::Integer(0)]]);
            limit(1_000);
            connection
                .executemany(INSERT, ParamsSequence::new(rows(1_000)))
                .unwrap();
            assert_eq!(rows_of(&connection, "PRAGMA integrity_check"), [[Value::from("ok")]]);
            connection.rollback().unwrap();
        }
    }
}
