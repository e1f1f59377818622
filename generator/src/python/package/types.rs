//! The aliases and values of a module of the blocking side, each behind those that it names.

use askama::Template;

use super::super::annotation;
use super::super::model::{Alias, Package};
use super::super::values::{Field, Value};
use super::docstring::docstring;
use super::layout;
use super::modules::Place;

/// The aliases and values of a module.
pub(super) struct Types {
    /// The aliases that name no value.
    pub(super) aliases: Vec<String>,
    /// The values.
    pub(super) values: Vec<String>,
    /// The aliases that name a value, by themselves or by another alias.
    pub(super) late_aliases: Vec<String>,
}

impl Types {
    pub(super) fn of(package: &Package, place: Place<'_>) -> askama::Result<Self> {
        let mut aliases: Vec<&Alias> = package
            .aliases
            .iter()
            .filter(|alias| Place::of(&alias.module) == place)
            .collect();
        let mut late: Vec<&Alias> = Vec::new();
        let values: Vec<&Value> = package
            .values
            .iter()
            .filter(|value| Place::of(&value.module) == place)
            .collect();
        let mut classes: Vec<&str> = values.iter().map(|value| value.name.as_str()).collect();
        while let Some(index) = aliases.iter().position(|alias| names_any(&alias.annotation, &classes)) {
            let alias = aliases.remove(index);
            classes.push(&alias.name);
            late.push(alias);
        }
        Ok(Self {
            aliases: in_order(&aliases).into_iter().map(definition).collect(),
            values: values
                .iter()
                .enumerate()
                .map(|(index, value)| dataclass(value, &classes[index..]))
                .collect::<askama::Result<_>>()?,
            late_aliases: in_order(&late).into_iter().map(definition).collect(),
        })
    }
}

fn names_any(annotation: &str, wanted: &[&str]) -> bool {
    let names = annotation::names(annotation);
    names.iter().any(|name| wanted.contains(name))
}

fn definition(alias: &Alias) -> String {
    let annotation = annotation::double_quoted(&alias.annotation);
    let line = format!("{}: TypeAlias = {annotation}", alias.name);
    let choices = annotation
        .strip_prefix("Literal[")
        .and_then(|rest| rest.strip_suffix(']'));
    match choices.filter(|choices| !layout::fits(&line) && !choices.contains(['[', ']'])) {
        Some(choices) => {
            let choices: Vec<String> = choices.split(", ").map(str::to_owned).collect();
            layout::bracketed(0, &format!("{}: TypeAlias = Literal[", alias.name), &choices, "]")
        }
        None => line,
    }
}

/// A value as a class with a field for each of its own.
#[derive(Template)]
#[template(path = "python/value.py")]
struct Dataclass<'a> {
    name: &'a str,
    docs: String,
    fields: Vec<DataclassField<'a>>,
}

/// A field of a value's class.
struct DataclassField<'a> {
    name: &'a str,
    annotation: String,
    default: Option<&'a str>,
    docs: String,
}

/// The class of a value. What is defined behind it stands between quotes.
fn dataclass(value: &Value, behind: &[&str]) -> askama::Result<String> {
    let annotation = |field: &Field| {
        if names_any(&field.annotation, behind) && !field.annotation.contains('"') {
            format!("\"{}\"", field.annotation)
        } else {
            field.annotation.clone()
        }
    };
    Dataclass {
        name: &value.name,
        docs: docstring(&value.docs, 4),
        fields: value
            .fields
            .iter()
            .map(|one| DataclassField {
                name: &one.name,
                annotation: annotation(one),
                default: one.default.as_deref(),
                docs: docstring(&one.docs, 4),
            })
            .collect(),
    }
    .render()
}

/// Aliases in an order in which each stands behind those that it names.
fn in_order<'a>(aliases: &[&'a Alias]) -> Vec<&'a Alias> {
    let mut waiting: Vec<&Alias> = aliases.to_vec();
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let names_waiting = |alias: &&Alias| {
            let names = annotation::names(&alias.annotation);
            waiting
                .iter()
                .any(|other| other.name != alias.name && names.contains(&other.name.as_str()))
        };
        let ready = waiting.iter().position(|alias| !names_waiting(alias)).unwrap_or(0);
        ordered.push(waiting.remove(ready));
    }
    ordered
}
