//! The scenarios.

use std::path::{Path, PathBuf};

use async_proxy_sync_tests::{Kind, Server};
use turso_driver::{Conflict, Keep, SyncOptions, Value};

use crate::face::{AnyResult, Face};

const ALL: &str = "SELECT id, typeof(v), CAST(v AS TEXT) FROM t ORDER BY id";

/// A server, and a folder for the replicas.
pub(crate) struct World {
    server: Server,
    folder: tempfile::TempDir,
}

impl World {
    /// `None` if there is no such server.
    pub(crate) fn new(kind: Kind) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(kind, &folder.path().join("remote.db"))?;
        Some(Self { server, folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn options(&self) -> SyncOptions {
        SyncOptions::new(self.server.url())
    }

    async fn open<F: Face>(&self, name: &str) -> AnyResult<F> {
        F::open(&self.path(name), self.options()).await
    }

    /// Runs statements on the server.
    fn run(&self, statements: &[&str]) {
        for statement in statements {
            self.server.rows(statement);
        }
    }

    /// Fails unless a replica and the server have the same rows, and the replica is sound.
    async fn assert_equal(&self, replica: &impl Face, rows: usize) -> AnyResult<()> {
        let there = self.server.rows(ALL);
        let here = replica.rows(ALL).await?;
        let here: Vec<Vec<_>> = here.iter().map(|row| row.iter().map(as_json).collect()).collect();
        assert_eq!(here, there);
        assert_eq!(here.len(), rows);
        assert_eq!(replica.rows("PRAGMA integrity_check").await?, [["ok".into()]]);
        Ok(())
    }
}

fn as_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(integer) => (*integer).into(),
        Value::Real(real) => (*real).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Blob(bytes) => format!("{bytes:02x?}").into(),
    }
}

async fn count(replica: &impl Face, table: &str) -> AnyResult<Vec<Vec<Value>>> {
    replica.rows(&format!("SELECT count(*) FROM {table}")).await
}

pub(crate) async fn an_empty_database_is_bootstrapped<F: Face>(world: &mut World) -> AnyResult<()> {
    let replica: F = world.open("a").await?;
    let tables = replica
        .rows("SELECT count(*) FROM sqlite_schema WHERE name = 't'")
        .await?;
    assert_eq!(tables, [[0.into()]]);
    assert!(!replica.pull().await?);
    replica.close().await
}

pub(crate) async fn a_filled_database_is_bootstrapped_at_once_and_in_chunks<F: Face>(
    world: &mut World,
) -> AnyResult<()> {
    world.run(&[
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
        "CREATE INDEX t_v ON t (v)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) \
         INSERT INTO t SELECT i, printf('value %d', i) FROM n",
    ]);
    let replica: F = world.open("a").await?;
    world.assert_equal(&replica, 1000).await?;
    assert!(!replica.pull().await?);
    replica.close().await?;
    let replica = F::open(&world.path("b"), world.options().pull_bytes_threshold(4096)).await?;
    world.assert_equal(&replica, 1000).await?;
    replica.close().await
}

pub(crate) async fn what_was_pushed_is_pulled_once<F: Face>(world: &mut World) -> AnyResult<()> {
    let (first, second): (F, F) = (world.open("a").await?, world.open("b").await?);
    first
        .run("CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'one'), (2, 'two')")
        .await?;
    assert!(!second.pull().await?);
    first.push().await?;
    assert!(second.pull().await?);
    assert!(!second.pull().await?);
    world.assert_equal(&second, 2).await?;
    first.push().await?;
    world.run(&["UPDATE t SET v = 'TWO' WHERE id = 2"]);
    assert!(second.pull().await?);
    world.assert_equal(&second, 2).await?;
    first.close().await?;
    second.close().await
}

pub(crate) async fn two_replicas_write_in_turn_and_at_once<F: Face>(world: &mut World) -> AnyResult<()> {
    world.run(&["CREATE TABLE t (id INTEGER PRIMARY KEY, v)"]);
    let (first, second): (F, F) = (world.open("a").await?, world.open("b").await?);
    for turn in 0..5 {
        let (one, other) = (10 * turn, 10 * turn + 1);
        first.run(&format!("INSERT INTO t VALUES ({one}, 'first')")).await?;
        second.run(&format!("INSERT INTO t VALUES ({other}, 'second')")).await?;
        first.push().await?;
        // What is pulled goes below what was written and not pushed yet.
        assert!(second.pull().await?);
        let here = second
            .rows(&format!("SELECT v FROM t WHERE id IN ({one}, {other}) ORDER BY id"))
            .await?;
        assert_eq!(here, [["first".into()], ["second".into()]]);
        second.push().await?;
        assert!(first.pull().await?);
        first
            .run(&format!("UPDATE t SET v = 'changed' WHERE id = {other}"))
            .await?;
        second.run(&format!("DELETE FROM t WHERE id = {one}")).await?;
        second.push().await?;
        first.push().await?;
        assert!(second.pull().await?);
        first.pull().await?;
        let rows = usize::try_from(turn)? + 1;
        world.assert_equal(&first, rows).await?;
        world.assert_equal(&second, rows).await?;
    }
    first.close().await?;
    second.close().await
}

pub(crate) async fn a_change_of_the_schema_arrives<F: Face>(world: &mut World) -> AnyResult<()> {
    world.run(&[
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
        "INSERT INTO t VALUES (1, 'one')",
    ]);
    let (first, second): (F, F) = (world.open("a").await?, world.open("b").await?);
    first
        .run("ALTER TABLE t ADD COLUMN w; CREATE TABLE u (x); CREATE INDEX t_v ON t (v)")
        .await?;
    first
        .run("INSERT INTO t VALUES (2, 'two', 'new'); INSERT INTO u VALUES ('u')")
        .await?;
    first.push().await?;
    assert!(second.pull().await?);
    let rows = second.rows("SELECT w FROM t ORDER BY id").await?;
    assert_eq!(rows, [[Value::Null], ["new".into()]]);
    assert_eq!(second.rows("SELECT x FROM u").await?, [["u".into()]]);
    world.run(&["DROP TABLE u", "ALTER TABLE t RENAME COLUMN w TO width"]);
    assert!(second.pull().await?);
    assert_eq!(second.rows("SELECT width FROM t ORDER BY id").await?.len(), 2);
    assert!(second.rows("SELECT x FROM u").await.is_err());
    world.assert_equal(&second, 2).await?;
    first.close().await?;
    second.close().await
}

pub(crate) async fn every_value_arrives_as_it_was<F: Face>(world: &mut World) -> AnyResult<()> {
    let values: Vec<Value> = vec![
        Value::Null,
        0.into(),
        i64::MAX.into(),
        i64::MIN.into(),
        0.1.into(),
        (-1.5e308).into(),
        5e-324.into(),
        "".into(),
        "Grüße, 世界, 😀".into(),
        "12".into(),
        Value::Blob(Vec::new()),
        Value::Blob((0..=255).collect()),
        Value::Blob(b"long".repeat(5_000)),
        "long ".repeat(5_000).into(),
    ];
    let (first, second): (F, F) = (world.open("a").await?, world.open("b").await?);
    first.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)").await?;
    let numbered = (0_i64..).zip(&values).map(|(id, value)| vec![id.into(), value.clone()]);
    first
        .run_many("INSERT INTO t VALUES (?, ?)", numbered.collect())
        .await?;
    first.push().await?;
    assert!(second.pull().await?);
    let rows = second.rows("SELECT v FROM t ORDER BY id").await?;
    assert_eq!(rows.concat(), values);
    first.close().await?;
    second.close().await
}

pub(crate) async fn a_thousand_changes_go_in_one_push_and_in_batches<F: Face>(world: &mut World) -> AnyResult<()> {
    let first = F::open(&world.path("a"), world.options().push_operations_threshold(100)).await?;
    let second: F = world.open("b").await?;
    first.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)").await?;
    for start in (0_i64..1000).step_by(50) {
        let rows = (start..start + 50)
            .map(|id| vec![id.into(), "batched".into()])
            .collect();
        first.run_many("INSERT INTO t VALUES (?, ?)", rows).await?;
    }
    first.push().await?;
    assert_eq!(first.stats().await?.cdc_operations, 0);
    assert!(second.pull().await?);
    world.assert_equal(&second, 1000).await?;
    let rows = (1000_i64..2000).map(|id| vec![id.into(), "at once".into()]).collect();
    second.run_many("INSERT INTO t VALUES (?, ?)", rows).await?;
    second.push().await?;
    assert!(first.pull().await?);
    world.assert_equal(&first, 2000).await?;
    first.close().await?;
    second.close().await
}

pub(crate) async fn a_checkpoint_makes_the_log_small_and_loses_nothing<F: Face>(world: &mut World) -> AnyResult<()> {
    world.run(&["CREATE TABLE t (id INTEGER PRIMARY KEY, v)"]);
    let replica: F = world.open("a").await?;
    let rows = (0_i64..500)
        .map(|id| vec![id.into(), "value ".repeat(20).into()])
        .collect();
    replica.run_many("INSERT INTO t VALUES (?, ?)", rows).await?;
    let before = replica.stats().await?.main_wal_size;
    replica.checkpoint().await?;
    assert!(replica.stats().await?.main_wal_size < before);
    replica.push().await?;
    world.run(&["INSERT INTO t VALUES (1000, 'of the server')"]);
    assert!(replica.pull().await?);
    replica.checkpoint().await?;
    world.assert_equal(&replica, 501).await?;
    replica.run("INSERT INTO t VALUES (1001, 'after it')").await?;
    replica.push().await?;
    replica.close().await?;
    let replica: F = world.open("a").await?;
    world.assert_equal(&replica, 502).await?;
    replica.close().await
}

pub(crate) async fn statistics_tell_what_has_happened<F: Face>(world: &mut World) -> AnyResult<()> {
    world.run(&["CREATE TABLE t (id INTEGER PRIMARY KEY, v)"]);
    let replica: F = world.open("a").await?;
    let begin = replica.stats().await?;
    assert_eq!((begin.cdc_operations, begin.last_push_unix_time), (0, None));
    assert!(begin.network_received_bytes > 4096, "the bootstrap brings whole pages");
    replica.run("INSERT INTO t VALUES (1, 'one'), (2, 'two')").await?;
    let written = replica.stats().await?;
    assert_eq!(written.cdc_operations, 2);
    assert!(written.main_wal_size > begin.main_wal_size);
    replica.push().await?;
    let pushed = replica.stats().await?;
    assert_eq!(pushed.cdc_operations, 0);
    assert!(pushed.last_push_unix_time.is_some() && pushed.network_sent_bytes > written.network_sent_bytes);
    world.run(&["INSERT INTO t VALUES (3, 'three')"]);
    assert!(replica.pull().await?);
    let pulled = replica.stats().await?;
    assert!(pulled.revision != begin.revision && pulled.last_pull_unix_time.is_some());
    assert!(pulled.network_received_bytes > pushed.network_received_bytes);
    replica.close().await
}

pub(crate) async fn a_replica_goes_on_after_a_restart_of_the_server<F: Face>(world: &mut World) -> AnyResult<()> {
    world.run(&[
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
        "INSERT INTO t VALUES (0, 'zero')",
    ]);
    let replica: F = world.open("a").await?;
    replica.run("INSERT INTO t VALUES (1, 'before')").await?;
    replica.close().await?;
    world.server.restart();
    let replica: F = world.open("a").await?;
    replica.push().await?;
    replica.pull().await?;
    world.assert_equal(&replica, 2).await?;
    world.server.restart();
    world.run(&["INSERT INTO t VALUES (2, 'of the server')"]);
    assert!(replica.pull().await?);
    world.server.kill();
    replica.run("INSERT INTO t VALUES (3, 'while it was away')").await?;
    assert!(replica.push().await.is_err());
    world.server.start_again();
    replica.push().await?;
    replica.pull().await?;
    world.assert_equal(&replica, 4).await?;
    replica.close().await
}

pub(crate) async fn a_database_that_began_offline_is_joined_with_the_server<F: Face>(
    world: &mut World,
) -> AnyResult<()> {
    world.run(&[
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
        "INSERT INTO t VALUES (1, 'of the server')",
    ]);
    world.server.kill();
    let offline = || world.options().bootstrap_if_empty(false);
    let replica = F::open(&world.path("a"), offline()).await?;
    replica
        .run("CREATE TABLE own (x); INSERT INTO own VALUES ('offline')")
        .await?;
    assert!(replica.pull().await.is_err());
    replica.close().await?;
    let replica = F::open(&world.path("a"), offline()).await?;
    world.server.start_again();
    assert!(replica.pull().await?);
    assert_eq!(count(&replica, "own").await?, [[1.into()]]);
    replica.push().await?;
    assert_eq!(world.server.rows("SELECT x FROM own"), [["offline"]]);
    world.assert_equal(&replica, 1).await?;
    replica.close().await
}

/// The conflict of a push that is refused.
async fn refused(replica: &impl Face, rowid: i64) -> AnyResult<Conflict> {
    let error = replica.push().await.expect_err("the server refuses it").to_string();
    assert!(error.contains(&format!("row {rowid} of table \"t\"")), "{error}");
    let mut conflicts = replica.conflicts().await?;
    assert_eq!(conflicts.len(), 1);
    let conflict = conflicts.remove(0);
    assert_eq!((conflict.table.as_str(), conflict.rowid), ("t", Some(rowid)));
    Ok(conflict)
}

pub(crate) async fn a_refused_change_is_decided_about_either_way<F: Face>(world: &mut World) -> AnyResult<()> {
    world.run(&["CREATE TABLE t (id INTEGER PRIMARY KEY, v UNIQUE)"]);
    let replica: F = world.open("a").await?;
    replica.run("INSERT INTO t VALUES (1, 'one'), (2, 'two')").await?;
    world.run(&["INSERT INTO t VALUES (11, 'one'), (12, 'two')"]);
    let first = refused(&replica, 1).await?;
    assert!(replica.pull().await.is_err());
    replica.resolve(&first, Keep::Local).await?;
    assert_eq!(replica.conflicts().await?, []);
    assert!(
        replica.resolve(&first, Keep::Remote).await.is_err(),
        "it is resolved already"
    );
    let second = refused(&replica, 2).await?;
    replica.resolve(&second, Keep::Remote).await?;
    replica.push().await?;
    replica.pull().await?;
    world.assert_equal(&replica, 2).await?;
    assert_eq!(world.server.rows("SELECT id FROM t ORDER BY id"), [[1], [12]]);
    replica.close().await
}

/// Bug: where a pull fails in its middle and nobody has pushed before, the engine goes on with the schema that would have come, in
/// which its own tables are missing: each statement after it failed until the database was opened again.
pub(crate) async fn a_pull_that_fails_before_the_first_push_leaves_the_connection_usable<F: Face>(
    world: &mut World,
) -> AnyResult<()> {
    world.run(&["CREATE TABLE t (id INTEGER PRIMARY KEY, v UNIQUE)"]);
    let replica: F = world.open("a").await?;
    replica.run("INSERT INTO t VALUES (2, 'x')").await?;
    world.run(&["INSERT INTO t VALUES (3, 'x')"]);
    for _ in 0..2 {
        let error = replica.pull().await.expect_err("the row does not fit").to_string();
        assert!(error.contains("UNIQUE constraint failed"), "{error}");
        assert_eq!(count(&replica, "t").await?, [[1.into()]]);
    }
    replica.run("INSERT INTO t VALUES (9, 'i')").await?;
    let conflict = refused(&replica, 2).await?;
    replica.resolve(&conflict, Keep::Remote).await?;
    replica.push().await?;
    replica.pull().await?;
    world.assert_equal(&replica, 2).await?;
    replica.close().await
}

/// Bug: the engine asks the server once more while it applies the changes, and the pull waited for its own turn.
pub(crate) async fn a_stream_of_changes_may_be_asked_for_of_a_server_that_has_none<F: Face>(
    world: &mut World,
) -> AnyResult<()> {
    world.run(&["CREATE TABLE t (id INTEGER PRIMARY KEY, v)"]);
    for (name, logical) in [("a", true), ("b", false)] {
        let replica = F::open(&world.path(name), world.options().logical_mvcc_pull(logical)).await?;
        let before = world.server.rows("SELECT count(*) FROM t")[0][0]
            .as_i64()
            .unwrap_or_default();
        replica.run(&format!("INSERT INTO t VALUES ({before}, 'here')")).await?;
        replica.push().await?;
        world.run(&[&format!("INSERT INTO t VALUES ({}, 'there')", before + 1)]);
        assert!(replica.pull().await?);
        world.assert_equal(&replica, usize::try_from(before)? + 2).await?;
        replica.close().await?;
    }
    Ok(())
}

/// Bug: what the sync engine loses or mistakes was refused in a database in a file alone.
pub(crate) async fn a_database_in_memory_is_synchronised_and_keeps_its_shape_until_a_push<F: Face>(
    world: &mut World,
) -> AnyResult<()> {
    world.run(&[
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v, w)",
        "INSERT INTO t VALUES (1, 'one', 1)",
    ]);
    let replica = F::open(Path::new(":memory:"), world.options()).await?;
    replica.run("INSERT INTO t VALUES (2, 'two', 2)").await?;
    for (statement, words) in [
        ("CREATE VIEW a AS SELECT 1", "view"),
        ("ALTER TABLE t DROP COLUMN w", "push() first"),
    ] {
        let error = replica.run(statement).await.expect_err("it would be lost").to_string();
        assert!(error.contains(words), "{error}");
    }
    // Beside an open transaction, whose rows are not sent.
    replica.begin("INSERT INTO t VALUES (5, 'five', 5)").await?;
    replica.push().await?;
    assert_eq!(world.server.rows("SELECT id FROM t ORDER BY id"), [[1], [2]]);
    replica.run("DELETE FROM t WHERE id = 5").await?;
    replica.push().await?;
    replica.run("ALTER TABLE t DROP COLUMN w").await?;
    replica.run("INSERT INTO t VALUES (3, 'three')").await?;
    replica.push().await?;
    replica.pull().await?;
    world.assert_equal(&replica, 3).await?;
    replica.run("INSERT INTO t VALUES (4, 'four')").await?;
    world.run(&["ALTER TABLE t RENAME COLUMN v TO u", "ALTER TABLE t ADD COLUMN v"]);
    let error = replica.pull().await.expect_err("the columns are others").to_string();
    assert!(error.contains("push() first"), "{error}");
    replica.close().await
}
