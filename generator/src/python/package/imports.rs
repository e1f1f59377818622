//! The imports of a file of Python, sorted as `ruff` sorts them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::annotation::{self, ABSTRACT_NAMES, MODULES, TYPING_NAMES};
use super::super::model::Package;
use super::layout;
use super::modules::Place;

/// The names that a file imports.
#[derive(Default)]
pub(super) struct Imports {
    modules: BTreeSet<String>,
    abstract_names: BTreeSet<String>,
    typing: BTreeSet<String>,
    /// Those that the package has itself, by their modules.
    own: BTreeMap<String, BTreeSet<String>>,
    /// Those that are called otherwise where they are imported: module, name, new name.
    renamed: BTreeSet<(String, String, String)>,
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
                || package.values.iter().any(|value| value.name == name)
                || package.created_exceptions().any(|exception| exception.name == name)
            {
                self.own(&Place::of_name(package, name).lib(), name);
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

    /// A name of a module of the package; that module itself is a name of none.
    pub(super) fn own(&mut self, module: &str, name: &str) {
        let names = self.own.entry(module.to_owned()).or_default();
        names.insert(name.to_owned());
    }

    /// A name of a module of the package, called otherwise here.
    pub(super) fn renamed(&mut self, module: &str, name: &str, here: &str) {
        let renamed = (module.to_owned(), name.to_owned(), here.to_owned());
        self.renamed.insert(renamed);
    }

    /// Leaves out what the package has, but for what is wanted.
    pub(super) fn retain_own(&mut self, is_wanted: impl Fn(&str) -> bool) {
        for names in self.own.values_mut() {
            names.retain(|name| is_wanted(name));
        }
        self.own.retain(|_, names| !names.is_empty());
    }

    /// The imports from the package's own modules, in front of which stand that many dots.
    pub(super) fn own_lines(&self, dots: &str) -> Vec<String> {
        let mut lines: Vec<(String, (u8, String, String), String)> = Vec::new();
        for (module, names) in &self.own {
            let names = sorted(names.iter().cloned().collect());
            let Some(first) = names.first() else { continue };
            let line = layout::import(&format!("{dots}{module}"), &names);
            lines.push((module.clone(), order(first), line));
        }
        for (module, name, here) in &self.renamed {
            let line = format!("from {dots}{module} import {name} as {here}");
            lines.push((module.clone(), order(name), line));
        }
        lines.sort();
        lines.into_iter().map(|(_, _, line)| line).collect()
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
fn order(name: &str) -> (u8, String, String) {
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
