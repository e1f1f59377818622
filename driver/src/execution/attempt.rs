//! Running a query where that needs nobody to wait: in the thread of an event loop, in place of a trip to a worker.

use std::collections::VecDeque;

use super::Execution;
use crate::engine::Engine;
use crate::interrupt::Operations;
use crate::session::Shared;
use crate::statement::{PreparedStatement, Step};
use crate::{Description, Params, Row, Value};

/// How many bytes the parameters may have: they are copied, and compared.
const PARAMETERS: usize = 4096;

/// How many bytes the rows may have: one instruction reads a value whole, however long it is.
const ROWS: usize = 16_384;

impl Execution {
    /// Runs a query to its end, if it gives no more than so many rows, was run before, and does not take long, wait for a file
    /// or fail. The answer is whether it did; if not, nothing has happened.
    pub(crate) fn try_execute(&mut self, shared: &Shared, sql: &str, parameters: &Params, most_rows: usize) -> bool {
        if self.half_read.is_some() || !is_small(parameters) {
            return false;
        }
        let ran = shared.attempt(|engine, operations| {
            let statement = engine.kept_statement(sql)?;
            run(engine, operations, statement, parameters, most_rows)
        });
        let Some(ran) = ran else {
            return false;
        };
        *self = Self {
            description: ran.description,
            lastrowid: Some(ran.lastrowid),
            ready: ran.rows,
            ..Self::default()
        };
        true
    }
}

/// What a query came to.
struct Ran {
    description: Option<Description>,
    rows: VecDeque<Row>,
    lastrowid: i64,
}

fn run(
    engine: &mut Engine,
    operations: &Operations,
    mut statement: Box<PreparedStatement>,
    parameters: &Params,
    most_rows: usize,
) -> Option<Ran> {
    let ran = statement.is_to_be_tried().then(|| {
        statement.bind(parameters.clone()).ok()?;
        // As around each statement that changes nothing: it may count what it writes for itself.
        let changes = engine.core().changes();
        let began = statement.time_try();
        if let Some(began) = began {
            operations.note_attempt(began);
        }
        let ran = steps(&mut statement, most_rows);
        engine.core().set_changes(changes);
        if ran.is_some() {
            statement.note_tried(began);
        } else {
            statement.note_given_up();
        }
        ran
    });
    let (description, rows) = match ran.flatten() {
        Some(ran) => ran,
        None => {
            // One that can't be made ready again is dropped, and prepared anew.
            let _ = engine.give_back(statement);
            return None;
        }
    };
    engine.give_back(statement).ok()?;
    Some(Ran {
        description,
        rows,
        lastrowid: engine.last_insert_rowid(),
    })
}

fn steps(statement: &mut PreparedStatement, most_rows: usize) -> Option<(Option<Description>, VecDeque<Row>)> {
    let mut rows = VecDeque::new();
    let mut bytes = 0;
    let mut step = statement.try_step()?;
    let description = statement.description();
    while step == Step::Row {
        if rows.len() == most_rows {
            return None;
        }
        let row = statement.row();
        bytes += size(row.values());
        if bytes > ROWS {
            return None;
        }
        rows.push_back(row);
        step = statement.try_step()?;
    }
    Some((description, rows))
}

/// Whether parameters are there, and small.
fn is_small(parameters: &Params) -> bool {
    match parameters {
        Params::None => true,
        Params::Positional(values) => size(values) <= PARAMETERS,
        Params::Named(values) => size(values.iter().map(|(_, value)| value)) <= PARAMETERS,
        Params::Lookup(_) | Params::Unfit(_) => false,
    }
}

/// How many bytes values have.
fn size<'value>(values: impl IntoIterator<Item = &'value Value>) -> usize {
    let bytes = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        Value::Null | Value::Integer(_) | Value::Real(_) => 8,
    };
    values.into_iter().map(bytes).sum()
}
