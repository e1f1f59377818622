//! A replica in a process of its own, so that it can be killed: it is told what to do line by line.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use turso_driver::{Conflict, ConnectionSync, Error, Keep, SyncOptions, connect_sync};

/// The argument that makes a replica of this program.
pub(crate) const ARGUMENT: &str = "--be-a-replica";

/// Names another program that is a replica, for other faces of the driver; it gets the same lines.
const PROGRAM: &str = "SYNC_REPLICA";

/// What a replica can be told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Order {
    /// Opens the database.
    Open { path: String, url: String },
    /// Runs statements in one transaction, and commits it.
    Commit { statements: Vec<String> },
    /// Runs a query.
    Rows { sql: String },
    /// Pulls.
    Pull,
    /// Pushes.
    Push,
    /// Checkpoints.
    Checkpoint,
    /// How many changes were not pushed.
    Unpushed,
    /// The conflicts that are not decided.
    Conflicts,
    /// Decides about one of them.
    Resolve { conflict: Value, keep: String },
    /// Closes the database.
    Close,
}

/// What a replica answers: a value, or the class of an error and its words.
pub(crate) type Answer = Result<Value, String>;

/// A replica, seen from outside.
pub(crate) struct Replica {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Replica {
    /// Starts a process that has no database open yet.
    pub(crate) fn start() -> Self {
        let mut command = match std::env::var(PROGRAM) {
            Ok(program) if !program.is_empty() => {
                let mut words = program.split_whitespace();
                let mut command = Command::new(words.next().unwrap_or_default());
                // Named as one names it at the root of the repository.
                let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
                command.args(words).current_dir(root);
                command
            }
            _ => {
                let mut command = Command::new(std::env::current_exe().expect("this program's path"));
                command.arg(ARGUMENT);
                command
            }
        };
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a replica starts");
        Self {
            input: process.stdin.take().expect("its input"),
            output: BufReader::new(process.stdout.take().expect("its output")),
            process,
        }
    }

    /// Tells it to do something, and waits until it has. An error of its own is one if it has died.
    pub(crate) fn tell(&mut self, order: &Order) -> io::Result<Answer> {
        self.send(order)?;
        self.answer()
    }

    /// Tells it to do something, and does not wait.
    pub(crate) fn send(&mut self, order: &Order) -> io::Result<()> {
        let mut line = serde_json::to_string(order)?;
        line.push('\n');
        self.input.write_all(line.as_bytes())?;
        self.input.flush()
    }

    /// Waits for what it answers.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the replica has died"));
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Does what it is told, until its input ends.
pub(crate) fn be_a_replica() -> io::Result<()> {
    let mut connection = None;
    let mut output = io::stdout();
    for line in io::stdin().lines() {
        let order: Order = serde_json::from_str(&line?)?;
        let answer: Answer = obey(&mut connection, order).map_err(|error| describe(&error));
        writeln!(output, "{}", serde_json::to_string(&answer)?)?;
        output.flush()?;
    }
    Ok(())
}

fn obey(connection: &mut Option<ConnectionSync>, order: Order) -> turso_driver::Result<Value> {
    if let Order::Open { path, url } = order {
        *connection = Some(connect_sync(Path::new(&path), SyncOptions::new(url))?);
        return Ok(Value::Null);
    }
    let open = connection.as_ref().expect("it was opened first");
    Ok(match order {
        Order::Open { .. } => Value::Null,
        Order::Commit { statements } => {
            let outcome = statements
                .iter()
                .try_for_each(|statement| open.execute(statement, ()).map(drop))
                .and_then(|()| open.commit());
            if outcome.is_err() {
                open.rollback()?;
            }
            outcome?;
            Value::Null
        }
        Order::Rows { sql } => {
            let rows = open.execute(&sql, ())?.fetchall()?;
            rows.iter()
                .map(|row| row.values().iter().map(to_json).collect::<Value>())
                .collect()
        }
        Order::Pull => open.pull()?.into(),
        Order::Push => {
            open.push()?;
            Value::Null
        }
        Order::Checkpoint => {
            open.checkpoint()?;
            Value::Null
        }
        Order::Unpushed => open.stats()?.cdc_operations.into(),
        Order::Conflicts => serde_json::to_value(open.conflicts()?).expect("JSON"),
        Order::Resolve { conflict, keep } => {
            let conflict: Conflict = serde_json::from_value(conflict).expect("a conflict");
            open.resolve(&conflict, keep.parse::<Keep>()?)?;
            Value::Null
        }
        Order::Close => {
            open.close()?;
            *connection = None;
            Value::Null
        }
    })
}

fn to_json(value: &turso_driver::Value) -> Value {
    match value {
        turso_driver::Value::Null => Value::Null,
        turso_driver::Value::Integer(value) => (*value).into(),
        turso_driver::Value::Real(value) => (*value).into(),
        turso_driver::Value::Text(value) => value.as_str().into(),
        turso_driver::Value::Blob(value) => format!("{value:02x?}").into(),
    }
}

/// The class of an error and its words.
fn describe(error: &Error) -> String {
    let class = match error {
        Error::Integrity(_) => "IntegrityError",
        Error::Operational(_) => "OperationalError",
        _ => "another error",
    };
    format!("{class}: {}", error.message())
}
