//! Pushing, and deciding about what the server refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::conflicts::{Conflict, Entry, Keep, SCHEMA_CHANGE};
use super::drive::drive;
use super::forced;
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
        let forced = self.patiently(&errand, || forced::changes(self, &errand))?;
        errand.notes(|notes| notes.push.to_force = forced);
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
            let changed = ChangedRows::read(side, table, entry.first_unpushed)?;
            // If there are none, an earlier attempt came this far.
            let taken_back = changed.taken_back_with(side, rowid)?;
            // All of them go before the first comes back: they may have exchanged their keys.
            for rowid in taken_back.keys() {
                side.rows(&format!("DELETE FROM {} WHERE rowid = ?", quoted(table)), [*rowid])?;
            }
            for (rowid, changes) in &taken_back {
                restore(side, table, *rowid, changes[0])?;
                for change in changes {
                    side.rows("DELETE FROM turso_cdc WHERE change_id = ?", [change.change_id])?;
                }
            }
            Ok(())
        })
    }
}

/// The changes of a table's rows that were not pushed, in order.
struct ChangedRows {
    /// With the number of the transaction.
    changes: Vec<(Noted, Option<i64>)>,
    /// For each row, where its changes stand among them.
    of_row: BTreeMap<i64, Vec<usize>>,
}

impl ChangedRows {
    fn read(side: &SideConnection, table: &str, first_unpushed: i64) -> Result<Self> {
        let changes = side.noted_of(table, first_unpushed)?;
        let mut of_row = BTreeMap::<i64, Vec<usize>>::new();
        for (place, (change, _)) in changes.iter().enumerate() {
            if let Some(rowid) = change.rowid {
                of_row.entry(rowid).or_default().push(place);
            }
        }
        Ok(Self { changes, of_row })
    }

    /// A row with its changes, and the rows that it has replaced with theirs: else these would still be deleted on the server.
    fn taken_back_with(&self, side: &SideConnection, rowid: i64) -> Result<BTreeMap<i64, Vec<&Noted>>> {
        let mut taken_back = BTreeMap::new();
        let mut wanted = vec![rowid];
        while let Some(rowid) = wanted.pop() {
            let Some(places) = self.of_row.get(&rowid).filter(|_| !taken_back.contains_key(&rowid)) else {
                continue;
            };
            for place in places {
                wanted.extend(self.replaced_at(side, *place)?);
            }
            taken_back.insert(rowid, places.iter().map(|place| &self.changes[*place].0).collect());
        }
        Ok(taken_back)
    }

    /// The rows that a change has replaced. The engine notes an `UPDATE` of a rowid, and an `INSERT OR REPLACE`, as the deletes
    /// of the rows that were there, and the insert directly after them. A `DELETE` of the user's that stands there in the same
    /// transaction (a pull puts all on top in one) can't be told from them: if in doubt its row comes back, too, because none
    /// may be lost.
    fn replaced_at(&self, side: &SideConnection, place: usize) -> Result<Vec<i64>> {
        let (insert, transaction) = &self.changes[place];
        if insert.kind != Kind::Insert {
            return Ok(Vec::new());
        }
        let row = side.image(insert.change_id, false)?;
        let before = self.changes[..place].iter().rev();
        let deletes = before.take_while(|(change, other)| change.kind == Kind::Delete && other == transaction);
        let mut replaced = Vec::new();
        for (distance, (delete, _)) in deletes.enumerate() {
            let Some(rowid) = delete.rowid else {
                continue;
            };
            // An update of a rowid is noted beside its insert; what stood in the way of a unique value shares it.
            let is_replaced = distance == 0 || share_a_value(&row, &side.image(delete.change_id, true)?);
            if !is_replaced || delete.rowid == insert.rowid {
                continue;
            }
            let last = self.of_row[&rowid].last().map(|place| self.changes[*place].0.kind);
            if last != Some(Kind::Delete) {
                return Err(stands_in_the_place(&delete.table, rowid));
            }
            replaced.push(rowid);
        }
        Ok(replaced)
    }
}

/// The error for a row whose place another one has taken meanwhile: one of the two would be lost.
fn stands_in_the_place(table: &str, rowid: i64) -> Error {
    Error::operational(format!(
        "row {rowid} of table \"{table}\" was replaced or deleted just before the refused row was written, and would come back \
         with it; but another row has its place now. All is as it was: delete that row here, resolve, and insert it again with \
         another key. Or let the local side prevail with resolve(conflict, \"local\")"
    ))
}

/// Whether two rows of a table hold the same in some column.
fn share_a_value(one: &[Value], other: &[Value]) -> bool {
    one.iter()
        .zip(other)
        .any(|(one, other)| *one != Value::Null && one == other)
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

/// Brings a row back as it was before a change, if it was there.
fn restore(side: &SideConnection, table: &str, rowid: i64, first: &Noted) -> Result<()> {
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
    match side.rows(&sql, Params::Positional(parameters)) {
        Ok(_) => Ok(()),
        Err(Error::Integrity(fault)) => Err(Error::integrity(format!(
            "row {rowid} of table \"{table}\" can't become again what it was: {}. All is as it was; change what stands in its \
             way here, and resolve again",
            fault.message()
        ))),
        Err(error) => Err(error),
    }
}
