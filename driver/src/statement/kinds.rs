//! What a statement is, by its SQL and by the program that the engine has made of it.

use std::fmt::{self, Debug, Write};

use super::{PreparedStatement, is_outdated};
use crate::sql;

impl PreparedStatement {
    /// Whether its first word is one of those before which a transaction begins; see [`sql::is_dml`].
    pub(crate) fn is_dml(&self) -> bool {
        self.is_dml
    }

    /// Whether it may have inserted rows.
    pub(crate) fn may_insert(&self) -> bool {
        self.may_insert && !self.is_readonly()
    }

    /// Whether it may update rows in place of those that it was to insert (`ON CONFLICT … DO UPDATE`).
    pub(crate) fn may_update_instead(&self) -> bool {
        sql::has_upsert(&self.sql)
    }

    /// Whether it rolls the whole transaction back.
    pub(crate) fn is_rollback(&self) -> bool {
        sql::is_rollback(&self.sql)
    }

    /// Whether it ends a transaction, or may do so, and keeps what was done in it.
    pub(crate) fn is_commit(&self) -> bool {
        !self.asks_or_changes_rows() && sql::is_commit(&self.sql)
    }

    /// Whether it ends a savepoint.
    pub(crate) fn is_release(&self) -> bool {
        sql::is_release(&self.sql)
    }

    /// Whether it begins a transaction or a savepoint.
    pub(crate) fn begins_something(&self) -> bool {
        !self.asks_or_changes_rows() && sql::is_begin(&self.sql)
    }

    /// Whether it is a `PRAGMA` that asks for something and sets nothing.
    pub(crate) fn asks_for_fact(&self) -> bool {
        !self.asks_or_changes_rows() && self.is_readonly() && sql::asks_for_fact(&self.sql)
    }

    /// Whether it gives pages back from which another statement may be reading.
    pub(crate) fn drops_pages(&self) -> bool {
        // With `IF EXISTS`, and nothing there, it opens no table and drops nothing.
        sql::drops_pages(&self.sql) && self.opens_tables()
    }

    /// Whether it reads from tables or writes to them, those apart that the engine makes for the statement alone: the queue of
    /// `WITH RECURSIVE`, say.
    pub(crate) fn opens_tables(&self) -> bool {
        self.has_instruction(OPENS_TABLE)
    }

    /// Whether it reads from the database while it is half read: all do but a query of no table, or of a connection's setting.
    pub(crate) fn reads(&self) -> bool {
        self.opens_tables() || !(self.is_query || sql::asks_for_setting(&self.sql))
    }

    /// Whether it inserts, changes or deletes rows.
    pub(crate) fn changes_rows(&self) -> bool {
        self.statement.get_program().change_cnt_on
    }

    /// Whether it makes an index: the engine counts its entries as changes.
    pub(crate) fn makes_index(&self) -> bool {
        !self.is_dml && self.changes_rows() && sql::is_definition(&self.sql)
    }

    /// Whether it is a `CREATE TABLE … AS`, which fails where its query does.
    pub(crate) fn makes_table_of_query(&self) -> bool {
        sql::makes_table_of_query(&self.sql)
    }

    /// Whether it is a query, or inserts, changes or deletes rows: no `BEGIN`, no `PRAGMA`, nothing that changes the schema.
    pub(crate) fn asks_or_changes_rows(&self) -> bool {
        self.is_query || self.changes_rows()
    }

    /// Whether it is a query that changes nothing: one whose failure leaves nothing to undo.
    pub(crate) fn is_reader(&self) -> bool {
        self.is_query && self.is_readonly()
    }

    /// Whether the engine begins a transaction for it, or looks for the snapshot of the one that is open.
    pub(crate) fn begins_transaction(&mut self) -> bool {
        if self.begins_transaction.is_none() {
            self.begins_transaction = Some(self.has_instruction(&["Transaction"]));
        }
        self.begins_transaction.unwrap_or(true)
    }

    /// Whether all of its instructions are of these, and write to the main database alone.
    pub(crate) fn consists_of(&self, names: &[&str]) -> bool {
        let program = self.statement.get_program();
        program.insns.iter().all(|(instruction, _)| {
            is_one_of(instruction, names)
                && (!is_one_of(instruction, &["OpenWrite"]) || format!("{instruction:?}").contains("db: 0"))
        })
    }

    /// Whether the engine keeps versions of rows in memory for it (`journal_mode = mvcc`).
    pub(crate) fn is_versioned(&self) -> bool {
        self.statement.mv_store().is_some()
    }

    pub(super) fn has_instruction(&self, names: &[&str]) -> bool {
        let program = self.statement.get_program();
        program
            .insns
            .iter()
            .any(|(instruction, _)| is_one_of(instruction, names))
    }

    /// Whether it can be left half read: whether it only asks, and has written nothing for itself so far. The engine counts
    /// the rows that a query with a window function writes to a table of its own as changes, and panics when such a query is
    /// ended early beside a write.
    pub(crate) fn can_be_half_read(&self) -> bool {
        self.is_readonly() && self.counted_changes() == 0
    }

    /// How many changes the engine has counted in its run.
    pub(crate) fn counted_changes(&self) -> i64 {
        self.statement.n_change()
    }

    /// Whether the engine would prepare it anew at its next run, and end the transaction that others share for that.
    pub(crate) fn is_outdated(&self) -> bool {
        is_outdated(&self.statement, self.schema)
    }

    /// Whether it leaves the database file as it is.
    pub(crate) fn is_readonly(&self) -> bool {
        let program = self.statement.get_program();
        // The engine takes a query with a window function for one that writes, because it writes to a table of its own.
        program.is_readonly() || self.is_query && !program.change_cnt_on
    }
}

/// The instructions of the engine that open a table or an index of a database, or a virtual table, which may read from one.
const OPENS_TABLE: &[&str] = &["OpenRead", "OpenWrite", "VOpen"];

/// Whether an instruction of the engine is one of those.
pub(super) fn is_one_of(instruction: &impl Debug, names: &[&str]) -> bool {
    // Their type is not public: its variants can be told apart by their names alone, those that `EXPLAIN` gives too.
    let mut name = FirstWord::default();
    // It fails behind the name.
    let _ = write!(name, "{instruction:?}");
    names.contains(&name.0.as_str())
}

/// Keeps the first word of what is written, and refuses the rest, so that nobody goes on writing.
#[derive(Default)]
struct FirstWord(String);

impl Write for FirstWord {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let word = text.split(|character: char| !character.is_alphanumeric()).next();
        let word = word.unwrap_or_default();
        self.0.push_str(word);
        if word.len() < text.len() {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}
