//! Pushing, and deciding about what the server refused.

use std::sync::Arc;

use super::conflicts::{Conflict, Entry, Keep};
use super::drive::drive;
use super::line::Errand;
use super::refusal::identify;
use super::replica::Replica;
use super::side::{Kind, Noted, SideConnection, quoted};
use crate::session::Shared;
use crate::{Error, Params, Result, Value};

impl Replica {
    /// Sends the local changes to the server.
    pub(crate) fn push(&self) -> Result<()> {
        let errand = self.lines.push.begin();
        let _turn = self.turns.enter(&errand)?;
        self.outside.book.check()?;
        let engine = self.engine()?;
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
