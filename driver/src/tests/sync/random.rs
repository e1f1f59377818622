//! Two replicas and a server under random faults. When the faults stop and all have synchronised, all three hold the same,
//! and of the rows that one replica alone writes to, none is missing and none is another.
//!
//! `SYNC_SCHEDULES` says how many schedules to run, `SYNC_SEED` with which to begin: the seed of a failing one is printed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use super::scripted_server::ScriptedServer;
use super::{Replicas, rows};
use crate::{ConnectionSync, Error, Result, SyncOptions};

/// As many as a test run has time for; the numbers behind a change come from more.
const SCHEDULES: u64 = 8;
const STEPS: u32 = 40;

/// A generator of numbers that looks random enough (xorshift64*).
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

/// A replica, and what must be in the rows that it alone writes to.
struct Side {
    connection: Option<ConnectionSync>,
    path: PathBuf,
    /// How often it was killed: each life has files of its own.
    life: u32,
    url: String,
    own: BTreeMap<i64, String>,
    first_id: i64,
    next_id: i64,
    threshold: usize,
}

impl Side {
    fn new(path: PathBuf, url: String, first_id: i64, threshold: usize) -> Self {
        let mut side = Self {
            connection: None,
            path,
            life: 0,
            url,
            own: BTreeMap::new(),
            first_id,
            next_id: first_id,
            threshold,
        };
        side.open();
        side
    }

    fn file(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!("-{}.db{suffix}", self.life));
        PathBuf::from(name)
    }

    fn open(&mut self) {
        let options = SyncOptions::new(self.url.clone()).push_operations_threshold(self.threshold);
        self.connection = Some(crate::connect_sync(self.file(""), options).expect("the replica opens"));
    }

    fn connection(&self) -> &ConnectionSync {
        self.connection.as_ref().expect("it is open")
    }

    fn reopen(&mut self) {
        self.connection().close().expect("it closes");
        self.connection = None;
        self.open();
    }

    /// What another process finds after this one was killed: the files as they are, without a close.
    fn kill(&mut self) {
        let old: Vec<PathBuf> = FILES.iter().map(|suffix| self.file(suffix)).collect();
        self.life += 1;
        for (old, suffix) in old.iter().zip(FILES) {
            if old.exists() {
                std::fs::copy(old, self.file(suffix)).expect("the file is copied");
            }
        }
        self.connection = None;
        self.open();
    }

    /// Writes something and commits it, or rolls it back.
    fn write(&mut self, chance: &mut Chance) {
        let before = self.own.clone();
        for _ in 0..=chance.below(4) {
            self.change(chance);
        }
        if chance.below(6) == 0 {
            self.connection().rollback().expect("it is rolled back");
            self.own = before;
        } else {
            self.connection().commit().expect("it is committed");
        }
    }

    fn change(&mut self, chance: &mut Chance) {
        let text = format!("{}-{}", self.first_id, "x".repeat(chance.below(300) as usize));
        let existing = self
            .own
            .keys()
            .nth(chance.below(self.own.len().max(1) as u64) as usize)
            .copied();
        let connection = self.connection();
        let done = match (chance.below(5), existing) {
            (0, Some(id)) => {
                let done = connection.execute("UPDATE t SET text = ? WHERE id = ?", (text.as_str(), id));
                self.own.insert(id, text);
                done
            }
            (1, Some(id)) => {
                let done = connection.execute("DELETE FROM t WHERE id = ?", (id,));
                self.own.remove(&id);
                done
            }
            // What both write to: the one counts that was pushed last.
            (2, _) => connection.execute(
                "INSERT INTO shared VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET text = ?2",
                (chance.below(5) as i64, text),
            ),
            _ => {
                let id = self.next_id;
                let done = connection.execute("INSERT INTO t VALUES (?, ?)", (id, text.as_str()));
                self.next_id += 1;
                self.own.insert(id, text);
                done
            }
        };
        done.expect("the statement runs");
    }
}

/// The files of a replica.
const FILES: [&str; 6] = ["", "-wal", "-wal-revert", "-info", "-changes", "-conflicts"];

/// Has one of the next requests fail.
fn hurt(server: &ScriptedServer, chance: &mut Chance) {
    let endpoint = ["pull", "push"][chance.below(2) as usize];
    let fault = match chance.below(7) {
        0 => json!({"kind": "status", "status": 503, "body": "later"}),
        1 => json!({"kind": "rubbish"}),
        2 => json!({"kind": "cut", "bytes": chance.below(9000)}),
        3 => json!({"kind": "drop"}),
        4 | 5 => json!({"kind": "drop_answer"}),
        _ => json!({"kind": "delay", "milliseconds": 20}),
    };
    server.fail_later(endpoint, chance.below(2) as u32, fault);
}

/// A fault of the network may end a call; nothing else may.
fn tolerate<T>(outcome: Result<T>, what: &str) {
    match outcome {
        Ok(_) | Err(Error::Operational(_)) => {}
        Err(error) => panic!("{what}: {error:?}"),
    }
}

fn run_schedule(seed: u64) -> bool {
    let mut chance = Chance::new(seed);
    let replicas = Replicas::new();
    let Some(server) = ScriptedServer::start(&replicas.path("server.db"), &[]) else {
        return false;
    };
    let threshold = [0, 3][chance.below(2) as usize];
    let mut sides = [
        Side::new(replicas.path("first"), server.url(), 1_000, threshold),
        Side::new(replicas.path("second"), server.url(), 2_000, threshold),
    ];
    let schema =
        "CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT); CREATE TABLE shared (id INTEGER PRIMARY KEY, text TEXT)";
    super::run(sides[0].connection(), schema);
    sides[0].connection().push().expect("the tables come there");
    sides[1].connection().pull().expect("the tables come here");
    for _ in 0..STEPS {
        let side = &mut sides[chance.below(2) as usize];
        match chance.below(12) {
            0..=4 => side.write(&mut chance),
            5 | 6 => tolerate(side.connection().push(), "push"),
            7 | 8 => tolerate(side.connection().pull(), "pull"),
            9 => tolerate(side.connection().checkpoint(), "checkpoint"),
            10 => hurt(&server, &mut chance),
            _ if chance.below(2) == 0 => side.reopen(),
            _ => side.kill(),
        }
    }
    server.mend();
    for _ in 0..2 {
        for side in &sides {
            side.connection().push().expect("it is pushed in the end");
            side.connection().pull().expect("it is pulled in the end");
        }
    }
    let third = replicas.open("third.db", &server.url());
    for table in ["t", "shared"] {
        let sql = format!("SELECT * FROM {table} ORDER BY id");
        let there = rows(&third, &sql);
        for side in &sides {
            assert_eq!(rows(side.connection(), &sql), there, "{table}");
        }
    }
    let expected: Vec<String> = sides
        .iter()
        .flat_map(|side| side.own.iter().map(|(id, text)| format!("{id}|{text}")))
        .collect();
    assert_eq!(rows(&third, "SELECT * FROM t ORDER BY id"), expected);
    for side in &sides {
        assert_eq!(rows(side.connection(), "PRAGMA integrity_check"), ["ok"]);
    }
    true
}

/// The number in an environment variable.
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|number| number.parse().ok())
}

#[test]
fn under_random_faults_nothing_is_lost_and_in_the_end_all_hold_the_same() {
    let first = variable("SYNC_SEED").unwrap_or(1);
    for seed in first..first + variable("SYNC_SCHEDULES").unwrap_or(SCHEDULES) {
        let outcome = std::panic::catch_unwind(|| run_schedule(seed));
        match outcome {
            Ok(true) => {}
            Ok(false) => return,
            Err(panic) => {
                eprintln!("run it again with SYNC_SEED={seed} SYNC_SCHEDULES=1");
                std::panic::resume_unwind(panic);
            }
        }
    }
}
