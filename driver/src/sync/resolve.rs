//! Pushing, and deciding about what the server refused.

use std::sync::Arc;

use super::conflicts::{Conflict, Entry, Keep, SCHEMA_CHANGE};
use super::drive::drive;
use super::line::Errand;
use super::refusal::{SCHEMA, identify};
use super::replica::Replica;
use super::side::{Kind, Noted, SideConnection, quoted};
use super::unpushed::SchemaEntry;
use crate::session::Shared;
use crate::{Error, Params, Result, Value};

impl Replica {
    /// Sends the local changes to the server.
    pub(crate) fn push(&self) -> Result<()> {
        let errand = self.lines.push.begin();
        let _turn = self.turns.enter(&errand)?;
        self.outside.book.check()?;
        let engine = self.engine()?;
        self.tidy_unpushed(&errand)?;
        let pushed = self.patiently(&errand, || {
            drive(&errand, &self.io, &self.outside, |coro| {
                let engine = Arc::clone(&engine);
                async move { engine.push_changes_to_remote(&coro).await }
            })
        });
        let (refusal, forced) =
            errand.notes(|notes| (notes.push.refusal.take(), std::mem::take(&mut notes.push.forced)));
        self.outside.book.forget(&forced)?;
        if let Some(refusal) = refusal {
            let entry = identify(self, &errand, &refusal)?;
            let error = entry.conflict.error();
            self.outside.book.add(entry)?;
            return Err(error);
        }
        pushed?;
        self.outside.book.forget_forced()
    }

    /// Decides about a conflict.
    pub(crate) fn resolve(&self, shared: &Shared, conflict: &Conflict, keep: Keep) -> Result<()> {
        let errand = self.lines.push.begin();
        let _turn = self.turns.enter(&errand)?;
        let entry = self.outside.book.find(conflict)?;
        match keep {
            Keep::Local => self.outside.book.force(conflict),
            Keep::Remote => {
                self.while_alone(shared, &errand, || self.take_back(&errand, &entry))?;
                self.outside.book.remove(conflict)
            }
        }
    }

    /// Makes a row what it was before its first change that was not pushed, and forgets these changes.
    fn take_back(&self, errand: &Arc<Errand>, entry: &Entry) -> Result<()> {
        let Conflict {
            table,
            rowid,
            operation,
            ..
        } = &entry.conflict;
        if operation == SCHEMA_CHANGE {
            return SideConnection::open(self, errand)?.in_transaction(|side| unmake(side, entry));
        }
        let Some(rowid) = *rowid else {
            return Err(Error::not_supported(format!(
                "the {operation} of \"{table}\" can't be taken back by itself: mend it on the server, and let the local side \
                 prevail with resolve(conflict, \"local\")"
            )));
        };
        SideConnection::open(self, errand)?.in_transaction(|side| {
            let noted = side.noted_of(table, rowid, entry.first_unpushed)?;
            // If there are none, an earlier attempt came this far.
            let Some(first) = noted.first() else {
                return Ok(());
            };
            restore(side, table, rowid, first)?;
            for change in &noted {
                side.rows("DELETE FROM turso_cdc WHERE change_id = ?", [change.change_id])?;
            }
            Ok(())
        })
    }
}

/// Drops what a refused change of the schema has made, and forgets the changes of it that were not pushed.
fn unmake(side: &SideConnection, entry: &Entry) -> Result<()> {
    let Conflict { change_id, table, .. } = &entry.conflict;
    let noted = side.noted_between(change_id - 1, i64::MAX)?;
    let Some(made) = noted.first().filter(|first| first.change_id == *change_id) else {
        // An earlier attempt came this far.
        return Ok(());
    };
    let made = match SchemaEntry::of(side, made)? {
        Some(entry) if made.table == SCHEMA && made.kind == Kind::Insert => entry,
        _ => {
            return Err(Error::not_supported(format!(
                "the change of the schema at \"{table}\" can't be taken back: only what was made can be dropped again. Mend it on \
             the server, and let the local side prevail with resolve(conflict, \"local\")"
            )));
        }
    };
    let is_table = made.kind == "table";
    for change in &noted {
        let is_of_it = if change.table == SCHEMA {
            SchemaEntry::of(side, change)?
                .is_some_and(|other| other.name == made.name || is_table && other.table == made.name)
        } else {
            is_table && change.table == made.name
        };
        if is_of_it {
            side.rows("DELETE FROM turso_cdc WHERE change_id = ?", [change.change_id])?;
        }
    }
    side.rows(&format!("DROP {} IF EXISTS {}", made.kind, quoted(&made.name)), ())?;
    Ok(())
}

/// Makes a row what it was before a change.
fn restore(side: &SideConnection, table: &str, rowid: i64, first: &Noted) -> Result<()> {
    side.rows(&format!("DELETE FROM {} WHERE rowid = ?", quoted(table)), [rowid])?;
    if first.kind == Kind::Insert {
        return Ok(());
    }
    let values = side.image(first.change_id, true)?;
    let columns = side.columns(table)?;
    let names: Vec<String> = columns
        .names
        .iter()
        .take(values.len())
        .map(|name| quoted(name))
        .collect();
    // The first part of the statement names the row itself; a column that stands for it is named again, with its value.
    let sql = format!(
        "INSERT INTO {} (rowid, {}) VALUES (?{})",
        quoted(table),
        names.join(", "),
        ", ?".repeat(names.len())
    );
    let mut parameters = vec![Value::Integer(rowid)];
    parameters.extend(values.into_iter().take(names.len()));
    side.rows(&sql, Params::Positional(parameters))?;
    Ok(())
}
