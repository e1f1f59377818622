//! One random schedule: what two replicas and their server go through, and what must hold in the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use async_proxy_sync_tests::{Kind, Server};
use fastrand::Rng;
use serde_json::Value;
use sync_test_server::{Endpoint, Fault};

use crate::oracle::{Change, OWNED, Oracle};
use crate::replica::{Answer, Order, Replica};

/// How often all are synchronised in the end before they count as never agreeing.
const ROUNDS: usize = 30;

/// How many keys there are for the rows whose key is unique: few, so that they collide.
const KEYS: i64 = 8;

/// What a schedule has come to.
pub(crate) struct Outcome {
    /// What was done, line by line.
    pub(crate) log: String,
    /// What is wrong; nothing if all is well.
    pub(crate) faults: Vec<String>,
}

/// Runs the schedule of a seed.
pub(crate) fn run(seed: u64, steps: usize) -> Outcome {
    let mut schedule = Schedule::new(seed);
    for _ in 0..steps {
        schedule.step();
        if !schedule.faults.is_empty() {
            break;
        }
    }
    if schedule.faults.is_empty() {
        schedule.settle();
    }
    Outcome {
        log: schedule.log,
        faults: schedule.faults,
    }
}

struct Schedule {
    random: Rng,
    folder: tempfile::TempDir,
    server: Server,
    kind: Kind,
    replicas: [Replica; 2],
    next_id: [i64; 2],
    oracle: Oracle,
    log: String,
    faults: Vec<String>,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let folder = tempfile::tempdir().expect("a folder");
        // Most on ours, which fails in more ways.
        let kind = if random.u8(..4) == 0 && Kind::Tursodb.program().is_some() {
            Kind::Tursodb
        } else {
            Kind::Ours
        };
        let server = Server::start(kind, &folder.path().join("remote.db")).expect("a server");
        for sql in [
            "CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)",
            "CREATE TABLE u (id INTEGER PRIMARY KEY, key INTEGER UNIQUE)",
            "CREATE TABLE marks (id INTEGER PRIMARY KEY)",
        ] {
            server.rows(sql);
        }
        let mut schedule = Self {
            random,
            folder,
            server,
            kind,
            replicas: [Replica::start(), Replica::start()],
            next_id: [OWNED, 2 * OWNED],
            oracle: Oracle::default(),
            log: format!("server: {kind:?}\n"),
            faults: Vec::new(),
        };
        for which in 0..2 {
            schedule.open(which);
        }
        schedule
    }

    fn step(&mut self) {
        let which = self.random.usize(..2);
        match self.random.u8(..100) {
            0..40 => self.write(which, false),
            40..45 => self.write(which, true),
            45..60 => self.sync(which, Order::Push),
            60..75 => self.sync(which, Order::Pull),
            75..79 => self.sync(which, Order::Checkpoint),
            79..87 => self.let_something_fail(),
            87..90 => {
                self.note("server: restart");
                self.server.restart();
            }
            90..93 => self.kill_and_open(which, "killed"),
            93..97 => self.kill_in_the_middle(which),
            _ => {
                if let Err(error) = self.tell(which, &Order::Close) {
                    self.faults.push(format!("it can't be closed: {error}"));
                }
                self.open(which);
            }
        }
    }

    /// Commits one to three changes; with `killed`, the replica is killed meanwhile.
    fn write(&mut self, which: usize, killed: bool) {
        let mut changes = Vec::new();
        let mut statements = Vec::new();
        for _ in 0..=self.random.usize(..3) {
            let (change, statement) = self.change(which, &changes);
            changes.push(change);
            statements.push(statement);
        }
        let mark = self.new_id(which);
        statements.push(format!("INSERT INTO marks VALUES ({mark})"));
        let order = Order::Commit { statements };
        if killed {
            self.send_and_kill(which, &order);
            let rows = self.rows(which, &format!("SELECT count(*) FROM marks WHERE id = {mark}"));
            let was_committed = rows == [[Value::from(1)]];
            self.note(&format!(
                "replica {which}: committed before it was killed: {was_committed}"
            ));
            if was_committed {
                self.oracle.commit(&changes);
            }
        } else {
            match self.tell(which, &order) {
                Ok(_) => self.oracle.commit(&changes),
                Err(error) if error.starts_with("IntegrityError") && error.contains("UNIQUE") => {}
                Err(error) => self.faults.push(format!("a write fails: {error}")),
            }
        }
    }

    /// A change that the ones before it in the same transaction leave possible.
    fn change(&mut self, which: usize, before: &[Change]) -> (Change, String) {
        let touched = |row: i64| {
            before.iter().any(|change| match change {
                Change::Own { id, .. } | Change::Shared { id } | Change::Keyed { id, .. } => *id == row,
            })
        };
        let owner = which as i64 + 1;
        let mut own = self.oracle.own_rows(owner);
        own.retain(|row| !touched(*row));
        let mut any = self.oracle.any_rows();
        any.retain(|row| !touched(*row));
        let text = format!("{} of {which}", self.random.u32(..));
        match self.random.u8(..10) {
            0..3 if !own.is_empty() => {
                let id = *self.random.choice(&own).expect("one");
                let statement = format!("UPDATE t SET text = '{text}' WHERE id = {id}");
                (Change::Own { id, text: Some(text) }, statement)
            }
            3 if !own.is_empty() => {
                let id = *self.random.choice(&own).expect("one");
                (Change::Own { id, text: None }, format!("DELETE FROM t WHERE id = {id}"))
            }
            4 if !any.is_empty() => {
                let id = *self.random.choice(&any).expect("one");
                let statement = if self.random.bool() {
                    format!("UPDATE t SET text = '{text}' WHERE id = {id}")
                } else {
                    format!("DELETE FROM t WHERE id = {id}")
                };
                (Change::Shared { id }, statement)
            }
            5 | 6 => {
                let (id, key) = (self.new_id(which), self.random.i64(0..KEYS));
                (Change::Keyed { id, key }, format!("INSERT INTO u VALUES ({id}, {key})"))
            }
            _ => {
                let id = self.new_id(which);
                let text = if self.random.u8(..8) == 0 {
                    text.repeat(500)
                } else {
                    text
                };
                let statement = format!("INSERT INTO t VALUES ({id}, '{text}')");
                (Change::Own { id, text: Some(text) }, statement)
            }
        }
    }

    /// Pulls, pushes or checkpoints; decides about what is refused.
    fn sync(&mut self, which: usize, order: Order) {
        if let Err(error) = self.tell(which, &order)
            && error.starts_with("IntegrityError")
        {
            self.decide(which);
        }
    }

    /// Decides about all conflicts of a replica.
    fn decide(&mut self, which: usize) {
        let conflicts = match self.tell(which, &Order::Conflicts) {
            Ok(conflicts) => conflicts,
            Err(error) => return self.faults.push(format!("no conflicts to be had: {error}")),
        };
        for conflict in conflicts.as_array().into_iter().flatten() {
            let keeps_local = self.random.bool();
            let keep = if keeps_local { "local" } else { "remote" }.to_owned();
            match (conflict["table"].as_str(), conflict["rowid"].as_i64()) {
                (Some("u"), Some(row)) => self.oracle.decide(row, keeps_local),
                _ => self.faults.push(format!("nothing else can be in conflict: {conflict}")),
            }
            let conflict = conflict.clone();
            if let Err(error) = self.tell(which, &Order::Resolve { conflict, keep }) {
                self.faults.push(format!("a conflict can't be resolved: {error}"));
            }
        }
    }

    fn let_something_fail(&mut self) {
        if self.kind != Kind::Ours {
            return;
        }
        let fault = match self.random.u8(..8) {
            0 => Fault::Status {
                status: 500,
                body: "on command".to_owned(),
            },
            1 => Fault::Rubbish,
            2 => Fault::Truncate {
                bytes: self.random.usize(100..4000),
            },
            3 | 4 => Fault::Cut {
                bytes: self.random.usize(..20_000),
            },
            5 => Fault::Drop,
            6 => Fault::DropAnswer,
            _ => Fault::Stall {
                bytes: self.random.usize(..9000),
                milliseconds: 20,
            },
        };
        let endpoint = if self.random.bool() {
            Endpoint::Pull
        } else {
            Endpoint::Push
        };
        let skip = self.random.u32(..2);
        self.note(&format!("server: {fault:?} for {endpoint:?} after {skip}"));
        self.server.fail(Some(endpoint), skip, Some(1), fault);
    }

    fn kill_in_the_middle(&mut self, which: usize) {
        let order = match self.random.u8(..5) {
            0 | 1 => Order::Push,
            2 | 3 => Order::Pull,
            _ => Order::Checkpoint,
        };
        self.send_and_kill(which, &order);
    }

    fn send_and_kill(&mut self, which: usize, order: &Order) {
        self.note(&format!("replica {which}: {order:?}, killed meanwhile"));
        // It may have died of itself: what comes next finds out.
        let _ = self.replicas[which].send(order);
        thread::sleep(Duration::from_micros(self.random.u64(..15_000)));
        self.kill_and_open(which, "killed");
    }

    fn kill_and_open(&mut self, which: usize, how: &str) {
        self.note(&format!("replica {which}: {how}"));
        self.replicas[which].kill();
        self.replicas[which] = Replica::start();
        self.open(which);
    }

    /// Opens a replica; a fault may stand in the way of the first contact.
    fn open(&mut self, which: usize) {
        let order = Order::Open {
            path: self.path(which).to_string_lossy().into_owned(),
            url: self.server.url(),
        };
        for _ in 0..5 {
            if self.tell(which, &order).is_ok() {
                return;
            }
        }
        self.faults.push(format!("replica {which} can't be opened"));
    }

    /// When nothing goes wrong any more: all synchronise until nobody has news, and are compared.
    fn settle(&mut self) {
        self.note("nothing goes wrong any more");
        if self.kind == Kind::Ours {
            self.server.be_well();
        }
        for round in 0.. {
            if round == ROUNDS {
                self.faults.push("they never agree".to_owned());
                return;
            }
            let mut is_quiet = true;
            for which in 0..2 {
                let pulled = self.tell(which, &Order::Pull);
                let unpushed = self.tell(which, &Order::Unpushed);
                let pushed = self.tell(which, &Order::Push);
                for answer in [&pulled, &pushed] {
                    match answer {
                        Err(error) if error.starts_with("IntegrityError") => {}
                        Err(error) => self.faults.push(format!("it fails without a fault: {error}")),
                        Ok(_) => {}
                    }
                }
                if pushed.is_err() {
                    self.decide(which);
                }
                // Whoever had something to push has made news for the other.
                is_quiet &= pulled == Ok(false.into()) && pushed.is_ok() && unpushed == Ok(0.into());
            }
            if !self.faults.is_empty() {
                return;
            }
            if is_quiet {
                break;
            }
        }
        self.compare();
    }

    fn compare(&mut self) {
        for table in ["t", "u", "marks"] {
            let sql = format!("SELECT * FROM {table} ORDER BY id");
            let expected = self.server.rows(&sql);
            for which in 0..2 {
                let rows = self.rows(which, &sql);
                if rows != expected {
                    let difference = difference(&rows, &expected);
                    self.faults.push(format!(
                        "replica {which} and the server differ in {table}: {difference}"
                    ));
                }
            }
        }
        for which in 0..2 {
            let sound = self.rows(which, "PRAGMA integrity_check");
            if sound != [[Value::from("ok")]] {
                self.faults.push(format!("replica {which} is damaged: {sound:?}"));
            }
        }
        let t = self.server.rows("SELECT id, text FROM t");
        let t: BTreeMap<i64, String> = t.iter().map(|row| (integer(&row[0]), text(&row[1]))).collect();
        let u = self.server.rows("SELECT id, key FROM u");
        let u: BTreeMap<i64, i64> = u.iter().map(|row| (integer(&row[0]), integer(&row[1]))).collect();
        self.faults.extend(self.oracle.faults(&t, &u));
    }

    fn rows(&mut self, which: usize, sql: &str) -> Vec<Vec<Value>> {
        match self.tell(which, &Order::Rows { sql: sql.to_owned() }) {
            Ok(rows) => serde_json::from_value(rows).expect("rows"),
            Err(error) => {
                self.faults.push(format!("{sql} fails: {error}"));
                Vec::new()
            }
        }
    }

    fn tell(&mut self, which: usize, order: &Order) -> Answer {
        let answer = self.replicas[which].tell(order).unwrap_or_else(|error| {
            self.faults.push(format!("replica {which}: {error} at {order:?}"));
            Err(error.to_string())
        });
        let shown = match order {
            Order::Rows { sql } => sql.clone(),
            order => format!("{order:?}: {answer:?}"),
        };
        self.note(&format!("replica {which}: {shown}"));
        answer
    }

    fn note(&mut self, line: &str) {
        let line: String = line.chars().take(600).collect();
        // Writing to a string never fails.
        let _ = writeln!(self.log, "{line}");
    }

    fn new_id(&mut self, which: usize) -> i64 {
        self.next_id[which] += 1;
        self.next_id[which]
    }

    fn path(&self, which: usize) -> PathBuf {
        let folder: &Path = self.folder.path();
        folder.join(format!("replica{which}.db"))
    }
}

fn difference(rows: &[Vec<Value>], expected: &[Vec<Value>]) -> String {
    let more: Vec<_> = rows.iter().filter(|row| !expected.contains(row)).take(5).collect();
    let fewer: Vec<_> = expected.iter().filter(|row| !rows.contains(row)).take(5).collect();
    format!("here alone {more:?}, there alone {fewer:?}")
}

fn integer(value: &Value) -> i64 {
    value.as_i64().expect("an integer")
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}
