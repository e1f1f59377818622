//! How the engine takes back a statement that fails inside of a transaction: alone, or with the whole transaction.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::PreparedStatement;

impl PreparedStatement {
    /// Whether the engine, where it fails inside of a transaction, takes back what it did by a savepoint of its own.
    pub(crate) fn is_undone_alone(&self) -> bool {
        let program = self.statement.get_program();
        program.needs_stmt_subtransactions.load(Ordering::Relaxed)
    }

    /// Has the engine take back what it did by a savepoint of its own, where a function may fail in it inside of a transaction: the
    /// engine has one only for what changes several rows, and rolls the whole transaction back otherwise.
    pub(crate) fn undo_alone(&mut self) {
        let program = self.statement.get_program();
        let note = &program.needs_stmt_subtransactions;
        if self.looked_at.as_ref().is_some_and(|known| Arc::ptr_eq(known, note)) {
            return;
        }
        let note = Arc::clone(note);
        self.told_at = None;
        if !note.load(Ordering::Relaxed) && self.has_instruction(MAY_FAIL) {
            note.store(true, Ordering::Relaxed);
            self.told_at = Some(program.connection.current_schema().schema_version);
        }
        self.looked_at = Some(note);
    }

    /// Has the engine take back what it did by a savepoint of its own, whatever fails in it.
    pub(crate) fn undo_alone_always(&mut self) {
        let program = self.statement.get_program();
        let note = Arc::clone(&program.needs_stmt_subtransactions);
        note.store(true, Ordering::Relaxed);
        self.told_at = Some(program.connection.current_schema().schema_version);
        self.looked_at = Some(note);
    }

    /// Whether it was told to be undone alone, and the engine is going to prepare it anew, and to forget that.
    pub(crate) fn is_undone_no_more(&self) -> bool {
        let program = self.statement.get_program();
        self.told_at.is_some_and(|version| {
            version != program.connection.current_schema().schema_version
                || !program.is_compatible_with(&program.connection)
        })
    }
}

/// The instructions in which a function fails.
const MAY_FAIL: &[&str] = &["Function", "AggStep", "AggFinal", "AggValue", "VFilter", "VNext"];
