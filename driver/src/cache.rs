//! Prepared statements kept for the next time that the same SQL is run.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::statement::PreparedStatement;

/// The statements last used, by their SQL. A statement that is in use is not in it, so that no two cursors share one.
#[derive(Default)]
pub(crate) struct StatementCache {
    capacity: usize,
    /// The one that was used last, which is often the next one, too. There may be another of its SQL among the others, if two
    /// cursors used both at once; it makes room when one of the two is put there.
    latest: Option<Box<PreparedStatement>>,
    /// The others.
    statements: HashMap<Arc<str>, Kept>,
    /// Their SQL by the time of their last use, the oldest first.
    by_last_use: BTreeMap<u64, Arc<str>>,
    clock: u64,
}

struct Kept {
    statement: Box<PreparedStatement>,
    last_use: u64,
}

impl StatementCache {
    /// A cache for that many statements; none for 0.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            ..Self::default()
        }
    }

    /// Takes out the statement for that SQL, if it is there.
    pub(crate) fn take(&mut self, sql: &str) -> Option<Box<PreparedStatement>> {
        if let Some(latest) = self.latest.take_if(|latest| **latest.sql() == *sql) {
            return Some(latest);
        }
        let kept = self.statements.remove(sql)?;
        self.by_last_use.remove(&kept.last_use);
        Some(kept.statement)
    }

    /// Puts a statement back, reset. The one that has not been used for the longest time makes room for it.
    pub(crate) fn put(&mut self, statement: Box<PreparedStatement>) {
        if self.capacity == 0 {
            return;
        }
        let sql = Arc::clone(statement.sql());
        if let Some(before) = self.latest.replace(statement)
            && *before.sql() != sql
        {
            self.put_behind_latest(before);
        }
    }

    fn put_behind_latest(&mut self, statement: Box<PreparedStatement>) {
        let sql = Arc::clone(statement.sql());
        self.clock += 1;
        self.by_last_use.insert(self.clock, Arc::clone(&sql));
        let replaced = self.statements.insert(
            sql,
            Kept {
                statement,
                last_use: self.clock,
            },
        );
        if let Some(replaced) = replaced {
            self.by_last_use.remove(&replaced.last_use);
        }
        while self.statements.len() >= self.capacity
            && let Some((_, oldest)) = self.by_last_use.pop_first()
        {
            self.statements.remove(&oldest);
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.latest = None;
        self.statements.clear();
        self.by_last_use.clear();
    }

    /// The SQL of what is kept, the oldest first.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> Vec<&str> {
        let latest = self.latest.iter().map(|latest| latest.sql());
        self.by_last_use.values().chain(latest).map(|sql| &**sql).collect()
    }
}
