//! What must be there in the end.

use std::collections::{BTreeMap, BTreeSet};

/// What one transaction does, as far as the end is concerned.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A row of `t` that only its owner touches, as it is from now on; `None` if it is deleted.
    Own { id: i64, text: Option<String> },
    /// A row of `t` that both touch.
    Shared { id: i64 },
    /// A row of `u`, whose key is unique, is inserted.
    Keyed { id: i64, key: i64 },
}

/// What was committed by two replicas.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    own: BTreeMap<i64, Option<String>>,
    shared: BTreeSet<i64>,
    keyed: BTreeMap<i64, i64>,
    given_up: BTreeSet<i64>,
}

impl Oracle {
    /// Notes what was committed.
    pub(crate) fn commit(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Own { id, text } => {
                    self.own.insert(*id, text.clone());
                }
                Change::Shared { id } => {
                    self.shared.insert(*id);
                }
                Change::Keyed { id, key } => {
                    self.keyed.insert(*id, *key);
                }
            }
        }
    }

    /// The rows of `t` of an owner that are there, and that nobody else touches.
    pub(crate) fn own_rows(&self, owner: i64) -> Vec<i64> {
        let rows = self
            .own
            .iter()
            .filter(|(id, text)| text.is_some() && **id / OWNED == owner && !self.shared.contains(id));
        rows.map(|(id, _)| *id).collect()
    }

    /// Any row of `t` that was ever there.
    pub(crate) fn any_rows(&self) -> Vec<i64> {
        self.own.keys().copied().collect()
    }

    /// Notes a decision about a refused row of `u`: it is given up, or the others are that have its key.
    pub(crate) fn decide(&mut self, row: i64, keeps_local: bool) {
        if keeps_local {
            let key = self.keyed.get(&row).copied();
            let others = self
                .keyed
                .iter()
                .filter(|(id, other)| Some(**other) == key && **id != row);
            self.given_up.extend(others.map(|(id, _)| *id));
        } else {
            self.given_up.insert(row);
        }
    }

    /// What is wrong with the rows that are there in the end. A row that both have touched may be as either left it; of rows
    /// with the same key those may be missing that somebody gave up, and no other.
    pub(crate) fn faults(&self, t: &BTreeMap<i64, String>, u: &BTreeMap<i64, i64>) -> Vec<String> {
        let mut faults = Vec::new();
        for (id, text) in &self.own {
            if !self.shared.contains(id) && t.get(id) != text.as_ref() {
                faults.push(format!("row {id} of t is {:?}, not {text:?}", t.get(id)));
            }
        }
        for id in t.keys().filter(|id| !self.own.contains_key(id)) {
            faults.push(format!("row {id} of t was never committed"));
        }
        for (id, key) in &self.keyed {
            if !self.given_up.contains(id) && u.get(id) != Some(key) {
                faults.push(format!(
                    "row {id} of u is {:?}, not {key}, and nobody gave it up",
                    u.get(id)
                ));
            }
        }
        faults
    }
}

/// Row numbers belong to a replica: the first has those from this on, the second those from twice this on.
pub(crate) const OWNED: i64 = 1_000_000;
