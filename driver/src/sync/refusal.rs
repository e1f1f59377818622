//! Which local change it was that the server refused.

use std::sync::Arc;

use super::conflicts::{Conflict, Entry, SCHEMA_CHANGE};
use super::line::Errand;
use super::pipeline::{Refusal, Sent};
use super::replica::Replica;
use super::side::{Kind, Noted, SideConnection};
use crate::{Result, sql};

/// The table whose changes are those of the schema.
pub(crate) const SCHEMA: &str = "sqlite_schema";

/// Finds the change.
pub(crate) fn identify(replica: &Replica, errand: &Arc<Errand>, refusal: &Refusal) -> Result<Entry> {
    let refused = refusal.statements[refusal.refused].clone();
    let side = SideConnection::reading(replica, errand)?;
    let noted = side.noted_between(refusal.after_change_id, refusal.last_change_id)?;
    let found = find(&noted, &refusal.statements, refusal.refused);
    let conflict = match found {
        Some(noted) if noted.table != SCHEMA => Conflict {
            change_id: noted.change_id,
            table: noted.table.clone(),
            rowid: noted.rowid,
            operation: operation(noted.kind).to_owned(),
            reason: reason(&refusal.reason),
        },
        _ => {
            let is_schema = !sql::is_dml(&refused.sql);
            Conflict {
                change_id: found.map_or(refusal.last_change_id, |noted| noted.change_id),
                table: sql::first_name(&refused.sql).unwrap_or_default(),
                rowid: None,
                operation: if is_schema { SCHEMA_CHANGE } else { "change" }.to_owned(),
                reason: reason(&refusal.reason),
            }
        }
    };
    Ok(Entry {
        conflict,
        refused,
        first_unpushed: refusal.after_change_id + 1,
        is_forced: false,
    })
}

/// The server's words without the number that some servers put behind them.
fn reason(words: &str) -> String {
    let words = words.strip_prefix("Runtime error: ").unwrap_or(words);
    let without = words.strip_suffix(')').and_then(|words| words.rsplit_once(" ("));
    match without {
        Some((words, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => words.to_owned(),
        _ => words.to_owned(),
    }
}

fn operation(kind: Kind) -> &'static str {
    match kind {
        Kind::Insert => "insert",
        Kind::Update => "update",
        Kind::Delete => "delete",
    }
}

/// The noted change that a statement of a push carries. The engine makes the statements from the changes, in their order: one
/// for each, or before an insert a delete of what it replaces; none for changes of its own tables.
fn find<'a>(noted: &'a [Noted], statements: &[Sent], wanted: usize) -> Option<&'a Noted> {
    let mut next = 0;
    for change in noted {
        let statement = statements.get(next)?;
        let first = next;
        if change.table == SCHEMA {
            if sql::is_dml(&statement.sql) {
                continue;
            }
        } else if is_internal(&change.table) {
            continue;
        } else if change.kind == Kind::Insert && starts_with(statement, "DELETE") {
            next += 1;
        } else if !sql::is_dml(&statement.sql) {
            return None;
        }
        if (first..=next).contains(&wanted) {
            return Some(change);
        }
        next += 1;
    }
    None
}

pub(crate) fn is_internal(table: &str) -> bool {
    ["sqlite_", "__turso_internal_"]
        .iter()
        .any(|prefix| table.starts_with(prefix))
        || ["turso_cdc", "turso_cdc_version", "turso_sync_last_change_id"].contains(&table)
}

fn starts_with(statement: &Sent, word: &str) -> bool {
    let text = statement.sql.trim_start().as_bytes();
    text.get(..word.len())
        .is_some_and(|first| first.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_told_without_the_number_behind_it() {
        assert_eq!(
            reason("Runtime error: UNIQUE constraint failed: t.e (19)"),
            "UNIQUE constraint failed: t.e"
        );
        assert_eq!(reason("no such table: t"), "no such table: t");
    }

    fn noted(change_id: i64, kind: Kind, table: &str) -> Noted {
        Noted {
            change_id,
            kind,
            table: table.to_owned(),
            rowid: Some(change_id),
        }
    }

    fn sent(sql: &str) -> Sent {
        Sent {
            sql: sql.to_owned(),
            args: Vec::new(),
        }
    }

    #[test]
    fn a_statement_is_traced_to_its_change_past_changes_that_have_none_and_inserts_that_have_two() {
        let noted = [
            noted(1, Kind::Insert, SCHEMA),
            noted(2, Kind::Insert, "sqlite_sequence"),
            noted(3, Kind::Insert, "t"),
            noted(4, Kind::Update, SCHEMA),
            noted(5, Kind::Insert, "t"),
            noted(6, Kind::Delete, "t"),
        ];
        let statements = [
            sent("CREATE TABLE IF NOT EXISTS t (a)"),
            sent("DELETE FROM t WHERE a IS ?"),
            sent("INSERT INTO t VALUES (?)"),
            sent("INSERT INTO t VALUES (?)"),
            sent("DELETE FROM t WHERE a IS ?"),
        ];
        let change = |index| find(&noted, &statements, index).map(|noted| noted.change_id);
        assert_eq!(
            (0..5).map(change).collect::<Vec<_>>(),
            [Some(1), Some(3), Some(3), Some(5), Some(6)]
        );
    }
}
