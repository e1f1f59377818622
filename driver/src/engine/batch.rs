//! Rows of one `INSERT`, many of them with one run of the engine.
//!
//! Of what it takes to insert a row, the engine spends more than half on the beginning and the end of the statement. So where
//! nobody can tell the difference, `executemany` runs the statement with many rows behind `VALUES`. What that may not change:
//!
//! - Which rows stand when one of them fails: those before it, and with them what else was done in the transaction. The engine
//!   undoes a statement that fails by a savepoint; each row of it is then run by itself, and the one that fails, fails there.
//!   Where such a row would take the transaction along, so does the batch.
//! - What is seen from inside of the statement: there must be no trigger, no function and no foreign key in it, and no subquery.
//!   It consists of none but [`PLAIN`] instructions.
//! - What is seen from outside: it is done inside of a transaction alone, where no other connection looks on, and not while a
//!   cursor of this one is half read.
//! - `changes()`, which is that of the last row.
//! - What a conflict does: no clause says anything else than to abort, neither in the statement nor in the table.

use turso_core::LimboError;
use turso_core::schema::Table;
use turso_parser::ast::{Cmd, Expr, InsertBody, OneSelect, Stmt};
use turso_parser::parser::Parser;

use super::Engine;
use crate::interrupt::Work;
use crate::statement::{PreparedStatement, Step};
use crate::{Error, Params, Result, Value};

/// The most rows of one run. With more of them the engine saves little more.
const MOST_ROWS: usize = 32;
/// With fewer it saves little.
const FEWEST_ROWS: usize = 8;
/// The most values of one run.
const MOST_VALUES: usize = 256;
/// The longest text or blob, in bytes: for a long one the copying takes the time, and the values are copied once more.
const LONGEST_VALUE: usize = 1024;
/// How many times the rows of one run must be there for the statement to be prepared: that takes as long as a hundred rows.
const WORTHWHILE_RUNS: usize = 6;

/// The instructions of a plain `INSERT`: those that read what is bound, check it against the table's own constraints, and write
/// into the table and its indexes.
const PLAIN: &[&str] = &[
    "Init",
    "Transaction",
    "Goto",
    "Halt",
    "HaltIfNull",
    "OpenWrite",
    "Variable",
    "SoftNull",
    "Null",
    "Integer",
    "Real",
    "String8",
    "Blob",
    "Affinity",
    "TypeCheck",
    "NotNull",
    "IsNull",
    "MustBeInt",
    "NewRowid",
    "NotExists",
    "NoConflict",
    "Copy",
    "MakeRecord",
    "Insert",
    "IdxInsert",
    "Eq",
    "Ne",
    "Lt",
    "Le",
    "Gt",
    "Ge",
    "And",
    "Or",
    "If",
    "IfNot",
    "ZeroOrNull",
    "InitCoroutine",
    "Yield",
    "EndCoroutine",
];

/// A statement that inserts many rows in place of one that inserts one.
pub(crate) struct Batch {
    statement: Box<PreparedStatement>,
    rows: usize,
    values: usize,
}

impl Batch {
    /// How many rows it inserts.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether it takes these parameters for one of its rows.
    pub(crate) fn takes(&self, parameters: &Params) -> bool {
        matches!(parameters, Params::Positional(values) if values.len() == self.values && values.iter().all(is_short))
    }

    /// How many sets of parameters must be there for it to be worth its preparation.
    pub(crate) const WORTHWHILE: usize = MOST_ROWS * WORTHWHILE_RUNS;
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.len() <= LONGEST_VALUE,
        Value::Blob(blob) => blob.len() <= LONGEST_VALUE,
        Value::Null | Value::Integer(_) | Value::Real(_) => true,
    }
}

impl Engine {
    /// What inserts many rows in place of a statement that inserts one; `None` if that might be noticed.
    pub(crate) fn batch_of(&self, single: &PreparedStatement, work: Work<'_>) -> Option<Batch> {
        #[cfg(feature = "sync")]
        if self.last_pushed.is_some() {
            return None;
        }
        let core = &self.core;
        let is_out_of_the_ordinary = core.experimental_views_enabled()
            || core.experimental_index_method_enabled()
            || core.experimental_custom_types_enabled()
            || core.experimental_generated_columns_enabled()
            || core.experimental_without_rowid_enabled();
        if !self.in_transaction()
            || self.is_half_read()
            || is_out_of_the_ordinary
            || single.is_versioned()
            || !single.consists_of(PLAIN)
        {
            return None;
        }
        let insert = Insert::parse(single.sql())?;
        let table = core.current_schema().get_table(&insert.table)?;
        let Table::BTree(table) = &*table else { return None };
        let names_conflict = table.to_sql().to_ascii_uppercase().contains("CONFLICT");
        let rows = MOST_ROWS.min(MOST_VALUES / insert.values.max(1));
        if names_conflict || table.has_autoincrement || rows < FEWEST_ROWS {
            return None;
        }
        let sql = insert.of_rows(rows);
        let mut statement = PreparedStatement::prepare(&self.core, &sql, self.busy_timeout, work).ok()??;
        // What looked like the row may have stood in a comment behind it.
        if statement.parameters_count() != rows * insert.values || !statement.consists_of(PLAIN) {
            return None;
        }
        statement.undo_alone_always();
        Some(Batch {
            statement: Box::new(statement),
            rows,
            values: insert.values,
        })
    }

    /// Inserts rows, as many as the batch has, and tells how many were inserted. `None` if none was, since one of them failed or
    /// it might be noticed: each is to be run by itself.
    ///
    /// # Errors
    /// That the operation was stopped, or what has ended the transaction. The batch is of no further use then.
    pub(crate) fn run_batch(&mut self, batch: &mut Batch, rows: &[Params], work: Work<'_>) -> Result<Option<i64>> {
        let statement = &mut batch.statement;
        if !self.in_transaction() || self.is_half_read() || statement.is_undone_no_more() {
            return Ok(None);
        }
        let values = rows.iter().flat_map(|parameters| match parameters {
            Params::Positional(values) => values.as_slice(),
            _ => &[],
        });
        statement.bind(Params::Positional(values.cloned().collect()))?;
        let rowid_before = self.core.last_insert_rowid();
        let outcome = loop {
            match statement.step(work) {
                Ok(Step::Row) => {}
                Ok(Step::Done) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        match outcome {
            Ok(()) => {
                self.note_insert(&batch.statement, rowid_before);
                #[cfg(test)]
                runs::count();
                let inserted = self.changes();
                // Those of the last row.
                self.core.set_changes(1);
                batch.statement.reset()?;
                Ok(Some(inserted))
            }
            Err(error) if work.is_stopped() || !self.in_transaction() || takes_transaction_along(&error) => {
                self.note_failed_insert(&batch.statement, rowid_before);
                self.core.set_changes(0);
                Err(error)
            }
            Err(_) => {
                batch.statement.reset()?;
                Ok(None)
            }
        }
    }

    /// Cleans up behind a batch that has ended with an error, and gives that on: the transaction is rolled back.
    pub(crate) fn abandon_batch(&mut self, batch: Batch, error: Error, work: Work<'_>) -> Error {
        drop(batch);
        if self.in_transaction() {
            self.roll_back_half_done(work);
        }
        error
    }
}

/// Whether the engine, when a row that is run by itself fails with this error, rolls the whole transaction back: when there is no
/// room for it, or the file can't be read or written. A batch it would undo alone, and leave its pager in the middle of what it did:
/// the next row then takes a page that another one has, and panics.
fn takes_transaction_along(error: &Error) -> bool {
    !matches!(
        error.fault().engine_error(),
        Some(
            LimboError::Constraint(_)
                | LimboError::ForeignKeyConstraint(_)
                | LimboError::Busy
                | LimboError::BusySnapshot
                | LimboError::TableLocked
                | LimboError::SchemaUpdated
                | LimboError::StatementsInProgress(_)
                | LimboError::TxError(_)
        )
    )
}

/// An `INSERT` of one row in which there are none but parameters without names, one for each value.
struct Insert<'a> {
    /// Up to the end of the row.
    text: &'a str,
    /// The row, with its brackets.
    row: &'a str,
    /// How many values the row has.
    values: usize,
    table: String,
}

impl<'a> Insert<'a> {
    fn parse(sql: &'a str) -> Option<Self> {
        let Cmd::Stmt(Stmt::Insert {
            with: None,
            or_conflict: None,
            tbl_name: table,
            body: InsertBody::Select(select, None),
            returning,
            ..
        }) = Parser::new(sql.as_bytes()).next()?.ok()?
        else {
            return None;
        };
        let OneSelect::Values(rows) = &select.body.select else {
            return None;
        };
        let [row] = rows.as_slice() else { return None };
        let is_plain = select.with.is_none()
            && select.body.compounds.is_empty()
            && select.order_by.is_empty()
            && select.limit.is_none()
            && returning.is_empty()
            && table.db_name.is_none()
            && row.iter().all(|value| match &**value {
                Expr::Variable(variable) => variable.name.is_none() && !variable.numbered,
                _ => false,
            });
        if !is_plain {
            return None;
        }
        let text = sql.trim_end().trim_end_matches(';').trim_end();
        let values = row.len();
        let row = &text[text.rfind('(')?..];
        let inside = row.strip_prefix('(')?.strip_suffix(')')?;
        let is_the_row = inside.split(',').count() == values && inside.split(',').all(|value| value.trim() == "?");
        is_the_row.then(|| Self {
            text,
            row,
            values,
            table: table.name.as_str().to_owned(),
        })
    }

    /// The same with so many rows.
    fn of_rows(&self, rows: usize) -> String {
        let mut sql = String::with_capacity(self.text.len() + rows * (self.row.len() + 1));
        sql.push_str(self.text);
        for _ in 1..rows {
            sql.push(',');
            sql.push_str(self.row);
        }
        sql
    }
}

/// How many batches a thread has run, for tests.
#[cfg(test)]
pub(crate) mod runs {
    use std::cell::Cell;

    thread_local! {
        static RUNS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        RUNS.set(RUNS.get() + 1);
    }

    /// Their number since this was asked for the last time.
    pub(crate) fn take() -> usize {
        RUNS.take()
    }
}
