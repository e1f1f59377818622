//! What is pushed of a refused change for which it was decided that the local side prevails.
//!
//! Where a unique value stood in the way, the statement is sent in the form that takes the place of the rows which hold it
//! (`OR REPLACE`): the server knows best which these are, whatever its indexes are made of (an expression, a part of the rows, a
//! collation of their own).
//!
//! The row may have been changed again since, to mend the conflict say. What it was in between is nobody's concern: it is sent as it is
//! now, so that only what stands in the way of that is replaced; and a row that is gone is not sent at all. (Save where other rows of
//! the table were changed, too: one that has given a value up here would be replaced, because that is pushed later.)

use std::sync::Arc;

use super::conflicts::{Conflict, Entry};
use super::drive::is_busy;
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
    if let Some(parts) = Parts::of(&refused.sql) {
        let known = side.columns(&conflict.table)?.names;
        match current(side, conflict, &parts.columns, &known)? {
            Current::Gone => instead = nothing(),
            Current::Unknown => {}
            Current::Values(values) => {
                if is_alone(side, conflict, entry.first_unpushed)? {
                    for (arg, value) in instead.args.iter_mut().zip(&values) {
                        *arg = to_server(value);
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

/// Whether no other row of the table was changed or deleted after the last push. What such a row has given up it still has on the
/// server when this one is pushed, and nobody here knows what the server's indexes take for the same.
fn is_alone(side: &SideConnection, conflict: &Conflict, first_unpushed: i64) -> Result<bool> {
    let noted = side.noted_of(&conflict.table, first_unpushed)?;
    Ok(noted
        .iter()
        .all(|(change, _)| change.kind == Kind::Insert || change.rowid == conflict.rowid))
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
    /// The table has other columns than the statement, or no rowids.
    Unknown,
    /// Its values, for the first arguments of the statement.
    Values(Vec<Value>),
}

fn current(side: &SideConnection, conflict: &Conflict, columns: &[String], known: &[String]) -> Result<Current> {
    let Some(rowid) = conflict.rowid else {
        return Ok(Current::Unknown);
    };
    // Behind those of the table may stand one for the rowid.
    let names: Vec<&String> = columns.iter().take_while(|name| known.contains(name)).collect();
    if names.is_empty() || names.len() + 1 < columns.len() {
        return Ok(Current::Unknown);
    }
    let list = names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {list} FROM {} WHERE rowid = ?", quoted(&conflict.table));
    match side.rows(&sql, [rowid]) {
        Ok(rows) => Ok(rows
            .first()
            .map_or(Current::Gone, |row| Current::Values(row.values().to_vec()))),
        Err(error) if is_busy(&error) => Err(error),
        Err(_) => Ok(Current::Unknown),
    }
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
