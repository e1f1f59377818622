//! The local changes that wait for a push, and whether they can still be told.
//!
//! The engine notes a changed row as its values in the order of the columns, and reads them by the columns that the table has
//! when they are pushed, or put on top of what a pull has brought. Where columns have changed places meanwhile, a value would land
//! in another column and nobody be told (measured with the engine 0.8.3), and of a table that is gone nothing can be pushed. So:
//!
//! - changes of a table's rows that wait are pushed before a column is taken from the table (the connection refuses that until
//!   then: `refuse_what_can_not_be_pushed`);
//! - changes of the rows of a table that was dropped are forgotten;
//! - a pull asks the server for the columns of the tables with changes that wait, and goes on only if they fit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use turso_core::{Buffer, Completion, IO, OpenFlags};
use turso_sync_engine::types::DatabaseMetadata;

use super::line::Errand;
use super::refusal::{SCHEMA, is_internal};
use super::replica::{Replica, in_the_way};
use super::side::{Kind, Noted, SideConnection};
use crate::{Error, Result, Value};

/// What is known of the last push, from the file that the engine keeps beside the database.
#[derive(Clone)]
pub(crate) struct Pushed {
    /// `None` for one in memory.
    pub(crate) database: Option<PathBuf>,
    info: Info,
}

/// Where that file is.
#[derive(Clone)]
enum Info {
    File(PathBuf),
    /// With a database in memory.
    Memory(Arc<dyn IO>),
}

impl Pushed {
    /// Of a database in a file, or of the one in memory that this I/O holds.
    pub(crate) fn of(database: Option<&Path>, io: &Arc<dyn IO>) -> Self {
        let info = database.map_or_else(
            || Info::Memory(Arc::clone(io)),
            |database| {
                let mut info = database.as_os_str().to_owned();
                info.push("-info");
                Info::File(info.into())
            },
        );
        Self {
            database: database.map(Path::to_owned),
            info,
        }
    }

    fn load(&self) -> Option<DatabaseMetadata> {
        let content = match &self.info {
            Info::File(path) => std::fs::read(path).ok()?,
            Info::Memory(io) => read_from_memory(io, ":memory:-info")?,
        };
        DatabaseMetadata::load(&content).ok()
    }

    /// The last change of which it is known that it was pushed; all behind it may wait. `None` if it can't be told.
    pub(crate) fn change_id(&self) -> Option<i64> {
        Some(self.load()?.last_pushed_change_id_hint)
    }
}

/// What a file in memory holds.
fn read_from_memory(io: &Arc<dyn IO>, path: &str) -> Option<Vec<u8>> {
    let file = io.open_file(path, OpenFlags::None, false).ok()?;
    let length = usize::try_from(file.size().ok()?).ok()?;
    let buffer = Arc::new(Buffer::new_temporary(length));
    let completion = file
        .pread(0, Completion::new_read(Arc::clone(&buffer), |_| None))
        .ok()?;
    completion.succeeded().then(|| buffer.as_slice().to_vec())
}

/// Changes that wait for a push.
#[derive(PartialEq, Eq)]
pub(crate) struct Unpushed {
    /// The tables of which rows were changed, with their columns as they are now.
    tables: BTreeMap<String, Vec<String>>,
    /// The tables that were made or altered.
    reshaped: BTreeSet<String>,
    /// The tables that were dropped: what has their names now was made here, whatever the server has.
    dropped: BTreeSet<String>,
    /// What was dropped and has a name that the engine, which does not quote it, would take for something else.
    dropped_by_odd_name: BTreeSet<String>,
}

impl Unpushed {
    /// The changes behind one.
    fn read(side: &SideConnection, after: i64) -> Result<Self> {
        let noted = side.noted_between(after, i64::MAX)?;
        let mut unpushed = Self {
            tables: BTreeMap::new(),
            reshaped: BTreeSet::new(),
            dropped: BTreeSet::new(),
            dropped_by_odd_name: BTreeSet::new(),
        };
        for change in &noted {
            if change.table != SCHEMA {
                let is_known = unpushed.tables.contains_key(&change.table) || unpushed.dropped.contains(&change.table);
                if !is_known && !is_internal(&change.table) {
                    let columns = side.columns(&change.table)?.names;
                    unpushed.tables.insert(change.table.clone(), columns);
                }
                continue;
            }
            let Some(entry) = SchemaEntry::of(side, change)? else {
                continue;
            };
            if change.kind != Kind::Delete {
                unpushed.reshaped.insert(entry.table);
            } else if !is_plain(&entry.name) {
                unpushed.dropped_by_odd_name.insert(entry.name);
            } else if entry.kind == "table" {
                unpushed.tables.remove(&entry.name);
                unpushed.dropped.insert(entry.name);
            }
        }
        Ok(unpushed)
    }
}

/// A row of `sqlite_schema`.
pub(crate) struct SchemaEntry {
    /// `table`, `index` and so on.
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The table that it is, or belongs to.
    pub(crate) table: String,
}

impl SchemaEntry {
    /// What a noted change of the schema is about; `None` if it can't be told.
    pub(crate) fn of(side: &SideConnection, change: &Noted) -> Result<Option<Self>> {
        let values = side.image(change.change_id, change.kind == Kind::Delete)?;
        Ok(match values.as_slice() {
            [Value::Text(kind), Value::Text(name), Value::Text(table), ..] => Some(Self {
                kind: kind.clone(),
                name: name.clone(),
                table: table.clone(),
            }),
            _ => None,
        })
    }
}

/// Whether a name is one also without quotes.
fn is_plain(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
        && !crate::sql::is_keyword(name)
}

/// Where a row has got another rowid, the engine notes what it is now as what it was before, and then can't read it.
const HAS_SWAPPED_IMAGES: &str =
    "change_type = 1 AND table_name <> 'sqlite_schema' AND \"after\" IS NULL AND \"before\" IS NOT NULL";

impl Replica {
    /// Looks at the changes that wait for a push, mends those that the engine has noted wrong, and forgets those of the rows of
    /// tables that were dropped after them. `None` if it can't be told which they are.
    pub(crate) fn tidy_unpushed(&self, errand: &Arc<Errand>) -> Result<Option<Unpushed>> {
        let Some(after) = self.pushed.change_id() else {
            return Ok(None);
        };
        let tidy = || {
            // Without a look there would be no push either.
            let Some(side) = SideConnection::reading_now(self, errand)? else {
                return Ok(None);
            };
            let swapped = format!("WHERE change_id > {after} AND {HAS_SWAPPED_IMAGES}");
            let find = format!("SELECT 1 FROM turso_cdc {swapped} LIMIT 1");
            if !side.rows(&find, ())?.is_empty() {
                let mend = format!("UPDATE turso_cdc SET \"after\" = \"before\", \"before\" = NULL {swapped}");
                SideConnection::open(self, errand)?.in_transaction(|side| side.rows(&mend, ()).map(|_| ()))?;
            }
            let mut moot = Vec::new();
            for change in side.noted_between(after, i64::MAX)? {
                if change.table == SCHEMA
                    && change.kind == Kind::Delete
                    && let Some(entry) = SchemaEntry::of(&side, &change)?
                    && entry.kind == "table"
                {
                    moot.push((entry.name, after, change.change_id));
                }
            }
            const OF_TABLE: &str = "FROM turso_cdc WHERE table_name = ? AND change_id > ? AND change_id < ?";
            for range in moot {
                let count = side.rows(&format!("SELECT 1 {OF_TABLE} LIMIT 1"), range.clone())?;
                if !count.is_empty() {
                    let side = SideConnection::open(self, errand)?;
                    side.in_transaction(|side| side.rows(&format!("DELETE {OF_TABLE}"), range).map(|_| ()))?;
                }
            }
            Unpushed::read(&side, after).map(Some)
        };
        self.patiently(errand, tidy).map_err(in_the_way)
    }

    /// Whether the changes that wait can be put on top of what the server has.
    ///
    /// # Errors
    /// `OperationalError` with what to do, if a table has other columns there; those of a request.
    pub(crate) fn check_unpushed(&self, errand: &Arc<Errand>, unpushed: &Unpushed) -> Result<()> {
        if let Some(name) = unpushed.dropped_by_odd_name.first() {
            return Err(push_first(name, "was dropped, and that was not pushed"));
        }
        if unpushed.tables.is_empty() {
            return Ok(());
        }
        let there = self.columns_on_server(errand, unpushed.tables.keys())?;
        for ((table, here), there) in unpushed.tables.iter().zip(there) {
            if !fits(here, &there, unpushed.reshaped.contains(table)) {
                return Err(push_first(
                    table,
                    "has other columns on the server, and changes here that were not pushed",
                ));
            }
        }
        Ok(())
    }

    /// The columns that tables have on the server; none where there is no such table.
    fn columns_on_server<'a>(
        &self,
        errand: &Arc<Errand>,
        tables: impl Iterator<Item = &'a String>,
    ) -> Result<Vec<Vec<String>>> {
        let requests: Vec<Json> = tables
            .map(|table| {
                let literal = table.replace('\'', "''");
                let sql = format!("SELECT name FROM pragma_table_info('{literal}') ORDER BY cid");
                json!({"type": "execute", "stmt": {"sql": sql, "want_rows": true}})
            })
            .collect();
        let body = json!({"baton": null, "requests": requests}).to_string();
        let saved = self
            .pushed
            .load()
            .and_then(|known| known.saved_configuration?.remote_url);
        let answer = self.outside.ask(errand, saved.as_deref(), body.as_bytes())?;
        let names = |result: &Json| -> Option<Vec<String>> {
            let rows = result.pointer("/response/result/rows")?.as_array()?;
            let name = |row: &Json| row.pointer("/0/value")?.as_str().map(str::to_owned);
            rows.iter().map(name).collect()
        };
        let parsed: Json = serde_json::from_slice(&answer).unwrap_or_default();
        let results = parsed["results"]
            .as_array()
            .filter(|results| results.len() == requests.len());
        results
            .and_then(|results| results.iter().map(names).collect())
            .ok_or_else(|| {
                Error::operational(
                    "the server does not tell the columns of its tables, which have changes here that were not pushed: push() \
                     first, then pull",
                )
            })
    }
}

fn push_first(table: &str, why: &str) -> Error {
    Error::operational(format!(
        "\"{table}\" {why}. Nothing was applied: push() first, then pull. If the server refuses a change, the push names it"
    ))
}

/// Whether a row that was noted with the columns that a table has here finds each value its column in the table that comes out of
/// a pull.
fn fits(here: &[String], there: &[String], is_reshaped: bool) -> bool {
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let shorter = here.len().min(there.len());
    if here.iter().zip(there).all(|(here, there)| same(here, there)) {
        // What is more here must have been added here, and will be again.
        return here.len() == shorter || is_reshaped;
    }
    // A column of another name at the same place is the same one, renamed, if neither side knows the other's name.
    let has = |columns: &[String], name: &str| columns.iter().any(|column| same(column, name));
    !is_reshaped
        && here.len() == shorter
        && here
            .iter()
            .zip(there)
            .all(|(old, new)| same(old, new) || !has(there, old) && !has(here, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    /// Bug: values of rows that were not pushed landed in other columns, and nobody was told.
    #[test]
    fn rows_fit_where_each_value_finds_its_column() {
        for (here, there, is_reshaped, expected) in [
            ("id a", "id a", false, true),
            ("id a", "id a b", false, true),
            ("id A", "ID a", false, true),
            ("id a", "id z", false, true),
            ("id a b", "id b", false, false),
            ("id a b", "id b c", false, false),
            ("id a b", "id b a", false, false),
            // A table that was made here, or a column that was added here.
            ("id a", "", true, true),
            ("id a", "", false, false),
            ("id a", "id", true, true),
            ("id a", "id b", true, false),
            ("id a", "id a b", true, true),
        ] {
            assert_eq!(
                fits(&columns(here), &columns(there), is_reshaped),
                expected,
                "{here} / {there}"
            );
        }
    }

    #[test]
    fn a_name_that_needs_quotes_is_told() {
        for name in ["t", "_t1", "größe"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "1t", "a b", "a--b", "a;b", "it's", "select", "Table"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
