//! What changed for callers in Python, where parameters have names, defaults and annotations.

use crate::changes::{Changes, Side};
use crate::lock::{LockedParameter, LockedPassing, LockedPython};

/// Compares what a member is in Python.
pub(crate) fn compare(subject: &str, old: Option<&LockedPython>, new: Option<&LockedPython>, changes: &mut Changes) {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (None, Some(_)) => return changes.note(subject, Side::Python, false, "was added"),
        (Some(_), None) => return changes.note(subject, Side::Python, true, "was removed"),
        (None, None) => return,
    };
    if old.name != new.name {
        changes.note(
            subject,
            Side::Python,
            true,
            format!("was renamed: `{}` became `{}`", old.name, new.name),
        );
    }
    let positions_broken = compare_parameters(subject, old, new, changes);
    if !positions_broken {
        compare_positions(subject, old, new, changes);
    }
    if old.returns != new.returns {
        let words = format!("returns `{}` in place of `{}`", new.returns, old.returns);
        changes.note(subject, Side::Python, !is_part_of(&new.returns, &old.returns), words);
    }
}

/// Compares parameters by their names. The answer is whether a break was found that moves the others' places too.
fn compare_parameters(subject: &str, old: &LockedPython, new: &LockedPython, changes: &mut Changes) -> bool {
    let mut moved = false;
    for is in &new.parameters {
        match old.parameters.iter().find(|was| was.name == is.name) {
            Some(was) => compare_parameter(subject, was, is, changes),
            None => match &is.default {
                Some(default) => {
                    let words = format!("takes another parameter: `{}: {} = {default}`", is.name, is.annotation);
                    changes.note(subject, Side::Python, false, words);
                }
                None => {
                    moved = true;
                    let words = format!("requires another parameter: `{}: {}`", is.name, is.annotation);
                    changes.note(subject, Side::Python, true, words);
                }
            },
        }
    }
    for was in &old.parameters {
        if !new.parameters.iter().any(|is| is.name == was.name) {
            moved = true;
            let words = format!("lost the parameter `{}: {}`", was.name, was.annotation);
            changes.note(subject, Side::Python, true, words);
        }
    }
    moved
}

fn compare_parameter(subject: &str, old: &LockedParameter, new: &LockedParameter, changes: &mut Changes) {
    let name = &new.name;
    if old.annotation != new.annotation {
        let words = format!(
            "has another type of parameter `{name}`: `{}` became `{}`",
            old.annotation, new.annotation
        );
        changes.note(
            subject,
            Side::Python,
            !is_part_of(&old.annotation, &new.annotation),
            words,
        );
    }
    match (&old.default, &new.default) {
        (Some(was), Some(is)) if was != is => {
            let words = format!("behaves differently: the default of `{name}` was `{was}` and is `{is}`");
            changes.note(subject, Side::Python, true, words);
        }
        (Some(was), None) => {
            let words = format!("requires the parameter `{name}`, whose default was `{was}`");
            changes.note(subject, Side::Python, true, words);
        }
        (None, Some(is)) => {
            let words = format!("no longer requires the parameter `{name}`: its default is `{is}`");
            changes.note(subject, Side::Python, false, words);
        }
        _ => {}
    }
    if old.passing != new.passing {
        let words = format!(
            "takes `{name}` {} and no longer {}",
            passing(new.passing),
            passing(old.passing)
        );
        changes.note(subject, Side::Python, new.passing != LockedPassing::Standard, words);
    }
}

/// A caller may pass by position what was positional: each must still stand where it stood.
fn compare_positions(subject: &str, old: &LockedPython, new: &LockedPython, changes: &mut Changes) {
    let still_positional = |name: &str| {
        new.parameters
            .iter()
            .any(|parameter| parameter.name == name && parameter.passing != LockedPassing::KeywordOnly)
    };
    let positional = |list: &[LockedParameter]| {
        let names = list
            .iter()
            .filter(|parameter| parameter.passing != LockedPassing::KeywordOnly);
        names.map(|parameter| parameter.name.clone()).collect::<Vec<_>>()
    };
    let was: Vec<String> = positional(&old.parameters)
        .into_iter()
        .filter(|name| still_positional(name))
        .collect();
    let is = positional(&new.parameters);
    // A keyword-only parameter that became positional may stand anywhere behind those that were.
    if !is.starts_with(&was) {
        let words = format!("has another order of parameters: `{}`", is.join(", "));
        changes.note(subject, Side::Python, true, words);
    }
}

fn passing(passing: LockedPassing) -> &'static str {
    match passing {
        LockedPassing::PositionalOnly => "by position only",
        LockedPassing::Standard => "by position or by name",
        LockedPassing::KeywordOnly => "by name only",
    }
}

/// Whether every value of one annotation is one of another, as far as their texts show: the parts of a union.
fn is_part_of(narrow: &str, wide: &str) -> bool {
    let wide = union_parts(wide);
    union_parts(narrow).iter().all(|part| wide.contains(part))
}

/// The parts of `int | list[str | None]` at its top: `int` and `list[str | None]`.
fn union_parts(annotation: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let mut parts = Vec::new();
    let mut start = 0;
    for (position, character) in annotation.char_indices() {
        match character {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                parts.push(annotation[start..position].trim());
                start = position + 1;
            }
            _ => {}
        }
    }
    parts.push(annotation[start..].trim());
    parts
}
