//! What changed in the API since it was locked, in words, and whether it breaks callers.
//!
//! A change is judged from the caller's side: of the blocking and the async Rust API, or of the two Python ones. A new
//! argument breaks every caller in Rust, and none in Python if it has a default; so each change says its side.

use std::fmt;

use crate::lock::{
    Lock, LockedArgument, LockedClass, LockedErrors, LockedField, LockedMember, LockedOptions, LockedPackage,
    LockedVariant,
};
use crate::python_changes;

/// Everything that changed, in the order of the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The changes.
    pub list: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What changed: `Connection.execute`.
    pub subject: String,
    /// How, in words.
    pub words: String,
    /// Whose callers see it.
    pub side: Side,
    /// Whether code that was written against the locked API may fail or behave differently.
    pub breaking: bool,
}

/// Whose callers see a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Those in Rust and in Python.
    Both,
    /// Those in Rust.
    Rust,
    /// Those in Python.
    Python,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.breaking { "breaking" } else { "compatible" };
        let side = match self.side {
            Side::Both => "",
            Side::Rust => " in Rust",
            Side::Python => " in Python",
        };
        write!(formatter, "{verdict}{side}: {} {}", self.subject, self.words)
    }
}

impl Changes {
    /// Whether any of them breaks callers.
    pub fn is_breaking(&self) -> bool {
        self.list.iter().any(|change| change.breaking)
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// One line that says how it stands with callers.
    pub fn verdict(&self) -> String {
        let breaking = self.list.iter().filter(|change| change.breaking).count();
        match (self.list.len(), breaking) {
            (0, _) => "the API did not change".to_owned(),
            (1, 0) => "1 change of the API: compatible, no caller breaks".to_owned(),
            (count, 0) => format!("{count} changes of the API: all compatible, no caller breaks"),
            (1, _) => "1 change of the API: breaking, callers must change".to_owned(),
            (count, breaking) => format!("{count} changes of the API: {breaking} breaking, callers must change"),
        }
    }

    /// Notes a change.
    pub(crate) fn note(&mut self, subject: &str, side: Side, breaking: bool, words: impl Into<String>) {
        self.list.push(Change {
            subject: subject.to_owned(),
            words: words.into(),
            side,
            breaking,
        });
    }
}

/// Compares a lock with what is there now.
pub fn compare(old: &Lock, new: &Lock) -> Changes {
    let mut changes = Changes::default();
    compare_packages(old.python.as_ref(), new.python.as_ref(), &mut changes);
    compare_places(old, new, &mut changes);
    // Without the Python target on both sides its absence is one change, not one for each member.
    let python = old.python.is_some() && new.python.is_some();
    let by_name = pair(&old.classes, &new.classes, |class| &class.name);
    report_missing("class ", &by_name, |class| &class.name, &mut changes);
    for (was, is) in both(&by_name) {
        compare_classes(was, is, python, &mut changes);
    }
    compare_member_lists("", &old.functions, &new.functions, python, &mut changes);
    let by_name = pair(&old.errors, &new.errors, |errors| &errors.name);
    report_missing("error enum ", &by_name, |errors| &errors.name, &mut changes);
    for (was, is) in both(&by_name) {
        compare_errors(was, is, &mut changes);
    }
    for (what, is_value) in [("options ", false), ("value ", true)] {
        let of_kind = |list: &[LockedOptions]| -> Vec<LockedOptions> {
            let list = list.iter().filter(|options| options.value == is_value);
            list.cloned().collect()
        };
        let (old, new) = (of_kind(&old.options), of_kind(&new.options));
        let by_name = pair(&old, &new, |options| &options.name);
        report_missing(what, &by_name, |options| &options.name, &mut changes);
        for (was, is) in both(&by_name) {
            compare_options(was, is, &mut changes);
        }
    }
    changes
}

/// Two lists side by side: what is there now, in its order, then what is gone.
type Pairs<'a, T> = Vec<(Option<&'a T>, Option<&'a T>)>;

fn pair<'a, T>(old: &'a [T], new: &'a [T], name: impl Fn(&T) -> &String) -> Pairs<'a, T> {
    let find = |list: &'a [T], wanted: &T| list.iter().find(|one| name(one) == name(wanted));
    let present = new.iter().map(|is| (find(old, is), Some(is)));
    let gone = old
        .iter()
        .filter(|was| find(new, was).is_none())
        .map(|was| (Some(was), None));
    present.chain(gone).collect()
}

fn both<'a, T>(pairs: &Pairs<'a, T>) -> impl Iterator<Item = (&'a T, &'a T)> {
    pairs.iter().filter_map(|(was, is)| was.zip(*is))
}

fn report_missing<T>(what: &str, pairs: &Pairs<'_, T>, name: impl Fn(&T) -> &String, changes: &mut Changes) {
    for (was, is) in pairs {
        match (was, is) {
            (None, Some(is)) => changes.note(&format!("{what}{}", name(is)), Side::Both, false, "was added"),
            (Some(was), None) => changes.note(&format!("{what}{}", name(was)), Side::Both, true, "was removed"),
            _ => {}
        }
    }
}

fn compare_packages(old: Option<&LockedPackage>, new: Option<&LockedPackage>, changes: &mut Changes) {
    let subject = "the Python package";
    match (old, new) {
        (None, Some(new)) => changes.note(subject, Side::Python, false, format!("`{}` was added", new.package)),
        (Some(old), None) => changes.note(subject, Side::Python, true, format!("`{}` was removed", old.package)),
        (Some(old), Some(new)) => {
            let mut compare = |what: &str, old: &str, new: &str| {
                if old != new {
                    changes.note(
                        subject,
                        Side::Python,
                        true,
                        format!("has another {what}: `{old}` became `{new}`"),
                    );
                }
            };
            compare("name", &old.package, &new.package);
            compare("native module", &old.module, &new.module);
            let none = "none";
            compare(
                "profile",
                old.profile.as_deref().unwrap_or(none),
                new.profile.as_deref().unwrap_or(none),
            );
            compare_aliases(old, new, changes);
        }
        (None, None) => {}
    }
}

/// What moves is no longer found where callers import it from.
fn compare_places(old: &Lock, new: &Lock, changes: &mut Changes) {
    let (Some(old_package), Some(new_package)) = (&old.python, &new.python) else {
        return;
    };
    if old_package.package != new_package.package {
        return;
    }
    let names_before = old.python_names();
    for name in new.python_names() {
        let module = |package: &LockedPackage| match package.submodule_of(name) {
            Some(submodule) => format!("`{}.{submodule}`", package.package),
            None => format!("`{}` itself", package.package),
        };
        let (was, is) = (module(old_package), module(new_package));
        if names_before.contains(&name) && was != is {
            changes.note(name, Side::Python, true, format!("moved from {was} to {is}"));
        }
    }
}

/// An alias may stand in parameters and in results, so that a wider one breaks as a narrower one does.
fn compare_aliases(old: &LockedPackage, new: &LockedPackage, changes: &mut Changes) {
    for (was, is) in pair(&old.aliases, &new.aliases, |alias| &alias.name) {
        let subject = format!("type alias {}", is.or(was).map_or("", |alias| &alias.name));
        match (was, is) {
            (Some(was), Some(is)) if was.annotation != is.annotation => {
                let words = format!("means another type: `{}` became `{}`", was.annotation, is.annotation);
                changes.note(&subject, Side::Python, true, words);
            }
            (None, Some(_)) => changes.note(&subject, Side::Python, false, "was added"),
            (Some(_), None) => changes.note(&subject, Side::Python, true, "was removed"),
            _ => {}
        }
    }
}

fn compare_classes(old: &LockedClass, new: &LockedClass, python: bool, changes: &mut Changes) {
    let subject = format!("class {}", new.name);
    if old.proxy != new.proxy {
        changes.note(
            &subject,
            Side::Rust,
            true,
            format!("has another proxy: `{}` became `{}`", old.proxy, new.proxy),
        );
    }
    if python && old.python != new.python {
        let words = match (&old.python, &new.python) {
            (Some(old), Some(new)) => format!("was renamed: `{old}` became `{new}`"),
            (Some(_), None) => "was removed".to_owned(),
            (None, _) => "was added".to_owned(),
        };
        changes.note(&subject, Side::Python, old.python.is_some(), words);
    }
    if old.extends != new.extends {
        let name = |base: &Option<String>| {
            base.as_ref()
                .map_or_else(|| "nothing".to_owned(), |base| format!("`{base}`"))
        };
        let words = format!("extended {} and now extends {}", name(&old.extends), name(&new.extends));
        changes.note(&subject, Side::Both, old.extends.is_some(), words);
    }
    compare_call_errors(&subject, old.error.as_deref(), new.error.as_deref(), changes);
    compare_member_lists(&format!("{}.", new.name), &old.members, &new.members, python, changes);
}

fn compare_call_errors(subject: &str, old: Option<&str>, new: Option<&str>, changes: &mut Changes) {
    if old != new {
        let name = |error: Option<&str>| error.unwrap_or("CallError").to_owned();
        let words = format!("gives other errors: `{}` became `{}`", name(old), name(new));
        changes.note(subject, Side::Rust, true, words);
    }
}

fn compare_member_lists(prefix: &str, old: &[LockedMember], new: &[LockedMember], python: bool, changes: &mut Changes) {
    let pairs = pair(old, new, |member| &member.name);
    let gone: Vec<&LockedMember> = pairs
        .iter()
        .filter(|(_, is)| is.is_none())
        .filter_map(|(was, _)| *was)
        .collect();
    let mut renamed: Vec<&LockedMember> = Vec::new();
    for (was, is) in &pairs {
        match (was, is) {
            (Some(was), Some(is)) => compare_members(&format!("{prefix}{}", is.name), was, is, python, changes),
            (None, Some(is)) => {
                let subject = format!("{prefix}{}", is.name);
                let former = gone
                    .iter()
                    .find(|was| is_same_under_another_name(was, is) && !renamed.iter().any(|one| one.name == was.name));
                match former {
                    Some(was) => {
                        renamed.push(was);
                        changes.note(
                            &format!("{prefix}{}", was.name),
                            Side::Both,
                            true,
                            format!("was renamed to `{}`", is.name),
                        );
                    }
                    None => changes.note(&subject, Side::Both, false, format!("was added ({})", is.kind)),
                }
            }
            (Some(was), None) if !renamed.iter().any(|one| one.name == was.name) => {
                changes.note(&format!("{prefix}{}", was.name), Side::Both, true, "was removed");
            }
            _ => {}
        }
    }
}

/// Whether a member that is gone and one that is new differ in nothing but their names, and have enough in common that
/// this is no accident.
fn is_same_under_another_name(was: &LockedMember, is: &LockedMember) -> bool {
    let mut python = is.python.clone();
    if let (Some(python), Some(was)) = (&mut python, &was.python) {
        python.name.clone_from(&was.name);
    }
    let same = LockedMember {
        name: was.name.clone(),
        proxy: was.proxy.clone(),
        python,
        ..is.clone()
    } == *was;
    same && !was.arguments.is_empty()
}

fn compare_members(subject: &str, old: &LockedMember, new: &LockedMember, python: bool, changes: &mut Changes) {
    let mut compare = |what: &str, side: Side, old: &str, new: &str| {
        if old != new {
            changes.note(
                subject,
                side,
                true,
                format!("has another {what}: `{old}` became `{new}`"),
            );
        }
    };
    compare("kind", Side::Both, &old.kind, &new.kind);
    compare(
        "lane",
        Side::Both,
        old.lane.as_deref().unwrap_or("main"),
        new.lane.as_deref().unwrap_or("main"),
    );
    compare(
        "name on the async side",
        Side::Rust,
        old.proxy.as_deref().unwrap_or(""),
        new.proxy.as_deref().unwrap_or(""),
    );
    compare(
        "set of generics",
        Side::Rust,
        or_none(&old.generics),
        or_none(&new.generics),
    );
    compare("return type", Side::Rust, &old.returns, &new.returns);
    compare_receivers(subject, old.receiver.as_deref(), new.receiver.as_deref(), changes);
    compare_arguments(subject, &old.arguments, &new.arguments, changes);
    compare_call_errors(subject, old.error.as_deref(), new.error.as_deref(), changes);
    if python {
        python_changes::compare(subject, old.python.as_ref(), new.python.as_ref(), changes);
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

fn compare_receivers(subject: &str, old: Option<&str>, new: Option<&str>, changes: &mut Changes) {
    if old == new {
        return;
    }
    let name = |receiver: Option<&str>| receiver.unwrap_or("no receiver").to_owned();
    // Whoever can lend the object exclusively can also share it.
    let compatible = old == Some("&mut self") && new == Some("&self");
    let words = format!("takes `{}` in place of `{}`", name(new), name(old));
    changes.note(subject, Side::Rust, !compatible, words);
}

/// In Rust every argument is required and stands at its place: any change of the list breaks callers.
fn compare_arguments(subject: &str, old: &[LockedArgument], new: &[LockedArgument], changes: &mut Changes) {
    let mut different = false;
    for (was, is) in pair(old, new, |argument| &argument.name) {
        let words = match (was, is) {
            (Some(was), Some(is)) if was.ty != is.ty => {
                format!(
                    "has another type of argument `{}`: `{}` became `{}`",
                    is.name, was.ty, is.ty
                )
            }
            (None, Some(is)) => format!("takes another argument: `{}: {}`", is.name, is.ty),
            (Some(was), None) => format!("lost the argument `{}: {}`", was.name, was.ty),
            _ => continue,
        };
        different = true;
        changes.note(subject, Side::Rust, true, words);
    }
    let names = |list: &[LockedArgument]| list.iter().map(|argument| argument.name.clone()).collect::<Vec<_>>();
    if !different && names(old) != names(new) {
        let words = format!("has another order of arguments: `{}`", names(new).join(", "));
        changes.note(subject, Side::Rust, true, words);
    }
}

fn compare_errors(old: &LockedErrors, new: &LockedErrors, changes: &mut Changes) {
    let pairs = pair(&old.variants, &new.variants, |variant| &variant.name);
    for (was, is) in &pairs {
        let name = is.or(*was).map_or("", |variant| &variant.name);
        let subject = format!("{}::{name}", new.name);
        match (was, is) {
            (Some(was), Some(is)) => compare_variants(&subject, was, is, changes),
            (None, Some(is)) => {
                changes.note(
                    &subject,
                    Side::Both,
                    false,
                    format!("was added (`{}` in Python)", is.exception),
                );
            }
            (Some(was), None) => {
                changes.note(
                    &subject,
                    Side::Both,
                    true,
                    format!("was removed (`{}` in Python)", was.exception),
                );
            }
            (None, None) => {}
        }
    }
}

fn compare_variants(subject: &str, old: &LockedVariant, new: &LockedVariant, changes: &mut Changes) {
    let mut compare = |what: &str, side: Side, old: &str, new: &str| {
        if old != new {
            changes.note(
                subject,
                side,
                true,
                format!("has another {what}: `{old}` became `{new}`"),
            );
        }
    };
    compare("shape", Side::Rust, &old.shape, &new.shape);
    compare("exception", Side::Python, &old.exception, &new.exception);
    let base = |variant: &LockedVariant| variant.base.clone().unwrap_or_else(|| "the default".to_owned());
    compare("base of its exception", Side::Python, &base(old), &base(new));
}

/// What a struct of options is in Python stands with the functions that spread it; this is its side in Rust, where it is
/// filled in by name over its defaults.
fn compare_options(old: &LockedOptions, new: &LockedOptions, changes: &mut Changes) {
    for (was, is) in pair(&old.fields, &new.fields, |field| &field.name) {
        let name = is.or(was).map_or("", |field| &field.name);
        let subject = format!("{}.{name}", new.name);
        let default = |field: &LockedField| {
            field
                .default
                .clone()
                .unwrap_or_else(|| "none, it is required".to_owned())
        };
        match (was, is) {
            (Some(was), Some(is)) => {
                if was.ty != is.ty {
                    let words = format!("has another type: `{}` became `{}`", was.ty, is.ty);
                    changes.note(&subject, Side::Rust, true, words);
                }
                if was.default != is.default {
                    let words = format!("has another default: {} became {}", default(was), default(is));
                    changes.note(&subject, Side::Rust, was.default.is_some(), words);
                }
            }
            (None, Some(is)) => {
                let words = format!("was added (default: {})", default(is));
                changes.note(&subject, Side::Rust, is.default.is_none(), words);
            }
            (Some(_), None) => changes.note(&subject, Side::Rust, true, "was removed"),
            (None, None) => {}
        }
    }
}
