//! What is pushed of a refused change for which it was decided that the local side prevails.
//!
//! Where a unique value stood in the way, the statement is sent in the form that takes the place of the rows which hold it
//! (`OR REPLACE`): the server knows best which these are, whatever its indexes are made of (an expression, a part of the rows, a
//! collation of their own).
//!
//! The row may have been changed again since, to mend the conflict say. What it was in between is nobody's concern: it is sent as it is
//! now, so that only what stands in the way of that is replaced; and a row that is gone is not sent at all. (Save where another row
//! had the value before, and has given it up here: that one would be replaced, because it is pushed later.)

use std::sync::Arc;

use super::conflicts::Entry;
use super::line::Errand;
use super::pipeline::{Forced, Sent};
use super::replica::Replica;
use super::side::{Kind, SideConnection, quoted, to_server};
use crate::{Result, Value};

/// The changes that the next push forces through.
pub(crate) fn changes(replica: &Replica, errand: &Arc<Errand>) -> Result<Vec<Forced>> {
    let entries = replica.outside.book.forced();
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let side = SideConnection::reading(replica, errand)?;
    entries.iter().map(|entry| force(&side, entry)).collect()
}

fn force(side: &SideConnection, entry: &Entry) -> Result<Forced> {
    let Entry { conflict, refused, .. } = entry;
    let mut instead = refused.clone();
    if let (Some(parts), Some(rowid)) = (Parts::of(&refused.sql), conflict.rowid) {
        let known = side.columns(&conflict.table)?.names;
        match current(side, &conflict.table, rowid, &parts.columns, &known)? {
            Current::Gone => instead = nothing(),
            Current::Unknown => {}
            Current::Values(values) => {
                let sent = refused.args.iter().zip(&values);
                let changed = sent.enumerate().filter(|(_, (sent, value))| **sent != to_server(value));
                let changed: Vec<usize> = changed.map(|(place, _)| place).collect();
                let named = |place: &usize| {
                    let column = known.iter().position(|name| *name == parts.columns[*place])?;
                    Some((column, &values[*place]))
                };
                let named: Option<Vec<_>> = changed.iter().map(named).collect();
                if named.is_some_and(|named| is_free(side, entry, rowid, &named)) {
                    for place in changed {
                        instead.args[place] = to_server(&values[place]);
                    }
                }
            }
        }
        if conflict.reason.contains("UNIQUE constraint failed") && instead.sql == refused.sql {
            instead.sql = parts.replacing;
        }
    }
    Ok(Forced {
        change_id: conflict.change_id,
        change: refused.clone(),
        instead,
    })
}

/// Whether no other row had one of these values, in that column, before a change that was not pushed.
fn is_free(side: &SideConnection, entry: &Entry, rowid: i64, values: &[(usize, &Value)]) -> bool {
    let Ok(noted) = side.noted_of(&entry.conflict.table, entry.first_unpushed) else {
        return false;
    };
    let others = noted
        .iter()
        .filter(|(change, _)| change.kind != Kind::Insert && change.rowid != Some(rowid));
    values.is_empty()
        || others
            .map(|(change, _)| side.image(change.change_id, true))
            .all(|image| {
                image.is_ok_and(|image| values.iter().all(|(column, value)| image.get(*column) != Some(value)))
            })
}

/// A step that does nothing.
fn nothing() -> Sent {
    Sent {
        sql: "SELECT 1".to_owned(),
        args: Vec::new(),
    }
}

/// What a row is now.
enum Current {
    Gone,
    /// The table has other columns than the statement.
    Unknown,
    /// Its values, for the first arguments of the statement.
    Values(Vec<Value>),
}

fn current(side: &SideConnection, table: &str, rowid: i64, columns: &[String], known: &[String]) -> Result<Current> {
    // Behind those of the table may stand one for the rowid.
    let names: Vec<&String> = columns.iter().take_while(|name| known.contains(name)).collect();
    if names.is_empty() || names.len() + 1 < columns.len() {
        return Ok(Current::Unknown);
    }
    let list = names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {list} FROM {} WHERE rowid = ?", quoted(table));
    let rows = side.rows(&sql, [rowid])?;
    Ok(rows
        .first()
        .map_or(Current::Gone, |row| Current::Values(row.values().to_vec())))
}

/// A statement as the engine makes it of a change: `INSERT INTO "t"("a", "b") VALUES (?,?) ON CONFLICT…`, or
/// `UPDATE "t" SET "a" = ?, "b" = ? WHERE…`.
struct Parts {
    /// The columns that its first arguments are for.
    columns: Vec<String>,
    /// The statement that replaces what stands in the way.
    replacing: String,
}

impl Parts {
    fn of(sql: &str) -> Option<Self> {
        let (verb, end) = if sql.starts_with("INSERT INTO ") {
            ("INSERT", " VALUES ")
        } else if sql.starts_with("UPDATE ") {
            ("UPDATE", " WHERE ")
        } else {
            return None;
        };
        let end = find_outside_names(sql, end)?;
        let replaced = match find_outside_names(sql, " ON CONFLICT(") {
            Some(conflict) if verb == "INSERT" => &sql[..conflict],
            _ => sql,
        };
        Some(Self {
            columns: names(&sql[..end]).into_iter().skip(1).collect(),
            replacing: format!("{verb} OR REPLACE{}", &replaced[verb.len()..]),
        })
    }
}

/// Where something stands outside of the names in quotes.
fn find_outside_names(sql: &str, wanted: &str) -> Option<usize> {
    let mut is_name = false;
    sql.bytes().enumerate().find_map(|(place, byte)| {
        is_name ^= byte == b'"';
        (!is_name && sql.as_bytes()[place..].starts_with(wanted.as_bytes())).then_some(place)
    })
}

/// The names in quotes.
fn names(sql: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut letters = sql.chars().peekable();
    while letters.by_ref().any(|letter| letter == '"') {
        let mut name = String::new();
        while let Some(letter) = letters.next() {
            if letter != '"' {
                name.push(letter);
            } else if letters.next_if_eq(&'"').is_some() {
                name.push('"');
            } else {
                break;
            }
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_taken_apart_whatever_the_names_in_it() {
        let insert = r#"INSERT INTO "a "" ON CONFLICT("("b", " VALUES ") VALUES (?,?)"#;
        let parts = Parts::of(&format!(
            r#"{insert} ON CONFLICT("b") DO UPDATE SET "b" = excluded."b""#
        ))
        .unwrap();
        assert_eq!(parts.columns, ["b", " VALUES "]);
        assert_eq!(parts.replacing, insert.replacen("INSERT", "INSERT OR REPLACE", 1));
        let update = r#"UPDATE "t" SET "ä" = ?, " WHERE " = ? WHERE "id" IS ?"#;
        let parts = Parts::of(update).unwrap();
        assert_eq!(parts.columns, ["ä", " WHERE "]);
        assert_eq!(parts.replacing, update.replacen("UPDATE", "UPDATE OR REPLACE", 1));
        for other in ["DELETE FROM \"t\" WHERE \"id\" IS ?", "CREATE TABLE t (a)", "SELECT 1"] {
            assert!(Parts::of(other).is_none(), "{other}");
        }
    }
}
