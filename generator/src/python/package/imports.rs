//! Which names a file of Python uses, and the imports that bring them, sorted as `ruff` sorts them.

use std::collections::BTreeSet;

use super::super::annotation::{self, ABSTRACT_NAMES, MODULES, TYPING_NAMES};
use super::super::model::Package;
use super::layout;

/// The names of the package's own that annotations use.
#[derive(Default)]
pub(super) struct Imports {
    modules: BTreeSet<String>,
    abstract_names: BTreeSet<String>,
    typing: BTreeSet<String>,
    own: BTreeSet<String>,
}

impl Imports {
    /// Notes what an annotation uses.
    pub(super) fn annotation(&mut self, package: &Package, annotation: &str) {
        for name in annotation::names(annotation) {
            let module = name.split('.').next().unwrap_or(name);
            if name.contains('.') && MODULES.contains(&module) {
                self.module(module);
            } else if ABSTRACT_NAMES.contains(&name) {
                self.abstract_name(name);
            } else if TYPING_NAMES.contains(&name) {
                self.typing(name);
            } else if name == "RowT"
                || package.aliases.iter().any(|alias| alias.name == name)
                || package.created_exceptions().any(|exception| exception.name == name)
            {
                self.own(name);
            }
        }
    }

    pub(super) fn module(&mut self, name: &str) {
        self.modules.insert(name.to_owned());
    }

    pub(super) fn abstract_name(&mut self, name: &str) {
        self.abstract_names.insert(name.to_owned());
    }

    pub(super) fn typing(&mut self, name: &str) {
        self.typing.insert(name.to_owned());
    }

    /// A name that `lib.py` has.
    pub(super) fn own(&mut self, name: &str) {
        self.own.insert(name.to_owned());
    }

    /// The names of `lib.py`, sorted.
    pub(super) fn own_names(&self) -> Vec<String> {
        sorted(self.own.iter().cloned().collect())
    }

    /// The imports from the standard library.
    pub(super) fn standard(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.modules.iter().map(|module| format!("import {module}")).collect();
        for (module, names) in [("collections.abc", &self.abstract_names), ("typing", &self.typing)] {
            if !names.is_empty() {
                lines.push(layout::import(module, &sorted(names.iter().cloned().collect())));
            }
        }
        lines
    }
}

/// Names in the order that `ruff` wants in an import: constants, classes, the rest, each by its letters.
pub(super) fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_by_key(|name| order(name));
    names.dedup();
    names
}

/// The place of a name among the names of an import.
pub(super) fn order(name: &str) -> (u8, String, String) {
    (kind_of(name), name.to_lowercase(), name.to_owned())
}

/// Names in the order that `ruff` wants in `__all__`, where capitals come first.
pub(super) fn sorted_all(mut names: Vec<String>) -> Vec<String> {
    names.sort_by_key(|name| (kind_of(name), name.clone()));
    names.dedup();
    names
}

fn kind_of(name: &str) -> u8 {
    let letters = || name.chars().filter(|character| character.is_alphabetic());
    if letters().count() > 1 && letters().all(char::is_uppercase) {
        0
    } else if name.chars().next().is_some_and(char::is_uppercase) {
        1
    } else {
        2
    }
}
