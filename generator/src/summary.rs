//! What a person reads after a run.

use std::collections::BTreeMap;
use std::fmt::Write;

use async_proxy_syntax::model::{Api, Kind};

use crate::config::Config;
use crate::lock::kind_in_words;
use crate::plan::Plan;
use crate::run::{Rendered, Since};

/// The summary of a run that wrote.
pub fn of_run(plan: &Plan, since: &Since, rendered: &Rendered, config: &Config) -> String {
    let mut text = String::new();
    let folder = &config.output.folder;
    for written in &plan.writes {
        let verb = if written.before.is_some() { "changed" } else { "added" };
        // Writing to a text cannot fail, here and below.
        let _ = writeln!(text, "  {verb:<8} {folder}/{}", written.file.path);
    }
    for removed in &plan.removals {
        let _ = writeln!(text, "  removed  {folder}/{}", removed.path);
    }
    let _ = writeln!(text, "{folder}/: {}", run_counts(plan));
    let _ = writeln!(text, "the API: {}", of_api(&rendered.described.api));
    text.push_str(&of_changes(since));
    text
}

/// What changed in the API since the lock, a line for each change.
pub fn of_changes(since: &Since) -> String {
    let mut text = String::new();
    match &since.changes {
        Some(changes) => {
            let _ = writeln!(text, "since the lock: {}", changes.verdict());
            for change in &changes.list {
                let _ = writeln!(text, "  {change}");
            }
        }
        None => {
            let why = since.unreadable.as_deref().unwrap_or("no lock: first generation");
            let _ = writeln!(text, "{why}; nothing to compare the API with");
        }
    }
    text
}

/// How many files are stale, missing, left over and not ours.
pub fn counts(plan: &Plan) -> String {
    let missing = plan.writes.iter().filter(|written| written.before.is_none()).count();
    let counts = [
        (plan.writes.len() - missing, "stale"),
        (missing, "missing"),
        (plan.removals.len(), "left over"),
        (plan.foreign.len(), "not ours"),
    ];
    let there = counts.iter().filter(|(count, _)| *count > 0);
    there
        .map(|(count, what)| format!("{count} {what}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn run_counts(plan: &Plan) -> String {
    let written = plan.writes.len();
    format!(
        "{written} written, {} unchanged, {} removed",
        plan.unchanged.len(),
        plan.removals.len()
    )
}

fn of_api(api: &Api) -> String {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut members = 0;
    for member in api.classes.iter().flat_map(|class| &class.members) {
        members += 1;
        *kinds.entry(kind_of_summary(&member.kind)).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let variants: usize = api.errors.iter().map(|errors| errors.variants.len()).sum();
    format!(
        "{}, {} ({}), {}, {}",
        counted(api.classes.len(), "class", "classes"),
        counted(members, "member", "members"),
        kinds.join(", "),
        counted(api.functions.len(), "function", "functions"),
        counted(variants, "error", "errors"),
    )
}

/// A kind without its details: `property`, `rows`.
fn kind_of_summary(kind: &Kind) -> String {
    let words = kind_in_words(kind);
    words.split(' ').next().unwrap_or_default().to_owned()
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
