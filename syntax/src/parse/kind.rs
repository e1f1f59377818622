//! What a method becomes: named by its attribute, or inferred where that is safe.

use proc_macro2::Ident;
use syn::Signature;

use super::attribute::Entry;
use super::member::all_kinds;
use super::returns::{infer_rows_role, returns_itself};
use crate::model::{Colour, Kind, Property, Receiver, Returns};
use crate::names;
use crate::report::Report;

/// The entries of `#[proxy(…)]` that speak of the kind.
#[derive(Default)]
pub(super) struct KindEntries {
    kind: Option<Entry>,
    /// `live`, `snapshot`, `awaitable`, `when_closed`, `check`.
    pub(super) details: Vec<Entry>,
    /// A second kind was found and reported.
    ambiguous: bool,
}

impl KindEntries {
    pub(super) fn add_kind(&mut self, entry: Entry, report: &mut Report) {
        match &self.kind {
            Some(first) => {
                report.fault(
                    &entry,
                    format!("a method has one kind: this one is `{}` already", first.key),
                    format!("remove `{}` or `{}`", first.key, entry.key),
                );
                self.ambiguous = true;
            }
            None => self.kind = Some(entry),
        }
    }

    pub(super) fn is_skip(&self) -> bool {
        self.kind.as_ref().is_some_and(|entry| entry.key == "skip")
    }

    /// The reason of a `skip`.
    pub(super) fn read_skip(mut self, report: &mut Report) -> String {
        let reason = self.kind.take().and_then(|entry| entry.sentence(report));
        self.refuse_details(report);
        reason.unwrap_or_default()
    }

    fn take_detail(&mut self, key: &str) -> Option<Entry> {
        let position = self.details.iter().position(|entry| entry.key == key)?;
        Some(self.details.remove(position))
    }

    fn take_flag(&mut self, key: &str, report: &mut Report) -> Option<Entry> {
        let entry = self.take_detail(key)?;
        entry.flag(report);
        Some(entry)
    }

    fn refuse_details(&self, report: &mut Report) {
        for entry in &self.details {
            let kind = match entry.key.to_string().as_str() {
                "live" | "snapshot" => "property",
                "check" => "setter",
                _ => "direct",
            };
            report.fault(
                entry,
                format!("`{}` is said of a {kind} only", entry.key),
                format!("remove it, or write `{kind}, {}`", entry.key),
            );
        }
    }
}

/// Reads or infers the kind; `None` if it can't be told, which is reported.
pub(super) fn parse_kind(
    mut entries: KindEntries,
    ident: &Ident,
    receiver: Receiver,
    arguments: usize,
    returns: &Returns,
    class: &Ident,
    report: &mut Report,
) -> Option<Kind> {
    if entries.ambiguous {
        return None;
    }
    let Some(entry) = entries.kind.take() else {
        entries.refuse_details(report);
        return infer_kind(ident, receiver, returns, class, report);
    };
    let kind = match entry.key.to_string().as_str() {
        "setter" => parse_setter(&entry, &mut entries, ident, report),
        "property" => {
            entry.flag(report);
            parse_property(&mut entries, &entry, report)
        }
        plain => {
            entry.flag(report);
            match plain {
                "open" => Some(Kind::Open),
                "child" => Some(Kind::Child),
                "direct" => Some(Kind::Direct {
                    awaitable: entries.take_flag("awaitable", report).is_some(),
                    when_closed: entries.take_flag("when_closed", report).is_some(),
                }),
                "parent" => Some(Kind::Parent),
                "interrupt" => Some(Kind::Interrupt),
                "close" => Some(Kind::Close),
                "rows" => match infer_rows_role(returns, arguments, ident) {
                    Ok(role) => Some(Kind::Rows(role)),
                    Err(fault) => {
                        report.add(fault);
                        None
                    }
                },
                _ => None,
            }
        }
    };
    entries.refuse_details(report);
    kind
}

fn infer_kind(
    ident: &Ident,
    receiver: Receiver,
    returns: &Returns,
    class: &Ident,
    report: &mut Report,
) -> Option<Kind> {
    match receiver {
        Receiver::None => {
            report.fault(
                ident,
                format!("`{ident}` takes no `self`, so nothing says what it becomes on the async side"),
                "write `#[proxy(open)]` if it makes the object, `#[proxy(skip = \"why\")]` if it stays blocking, or make \
                 it a free function with `#[async_proxy]`",
            );
            None
        }
        Receiver::Owned => {
            report.fault(
                ident,
                format!("`{ident}` takes the object away from its worker"),
                format!(
                    "take `&self` or `&mut self`, write `#[proxy(close)]` if it ends the object, or another of {}",
                    all_kinds(Colour::Blocking)
                ),
            );
            None
        }
        Receiver::Shared | Receiver::Exclusive if returns_itself(returns, class) => Some(Kind::SelfReturn),
        Receiver::Shared | Receiver::Exclusive => Some(Kind::Call),
    }
}

/// Reads or infers the kind of a method of the async colour; `None` if it can't be told, which is reported.
///
/// An `async fn` is a call. A plain `fn` beside it either never blocks, which its author has to say, or gives a stream.
pub(super) fn parse_async_kind(
    mut entries: KindEntries,
    signature: &Signature,
    receiver: Receiver,
    returns: &Returns,
    report: &mut Report,
) -> Option<Kind> {
    if entries.ambiguous {
        return None;
    }
    let ident = &signature.ident;
    let asynchronous = signature.asyncness.is_some();
    let Some(entry) = entries.kind.take() else {
        entries.refuse_details(report);
        return infer_async_kind(ident, asynchronous, receiver, returns, report);
    };
    entry.flag(report);
    let in_place = entry.key == "direct" || entry.key == "property";
    if asynchronous == in_place {
        let (wrong, cure) = if in_place {
            (
                "is awaited, and so cannot be read in place",
                "remove `async`, or write it as an ordinary call".to_owned(),
            )
        } else {
            (
                "is no `async fn`, so there is nothing that its twin could wait for",
                format!(
                    "write it as an `async fn`, or `#[proxy(direct)]` in place of `{}` if it never blocks",
                    entry.key
                ),
            )
        };
        report.fault(ident, format!("`{ident}` is `{}`, but {wrong}", entry.key), cure);
        return None;
    }
    let kind = match entry.key.to_string().as_str() {
        "open" => Kind::Open,
        "child" => Kind::Child,
        "direct" => Kind::Direct {
            awaitable: false,
            when_closed: false,
        },
        "property" => {
            // An object that no worker owns can be looked at at any time.
            entries.take_flag("live", report);
            Kind::Property(Property::Live)
        }
        "close" => Kind::Close,
        _ => Kind::Abandon,
    };
    entries.refuse_details(report);
    Some(kind)
}

fn infer_async_kind(
    ident: &Ident,
    asynchronous: bool,
    receiver: Receiver,
    returns: &Returns,
    report: &mut Report,
) -> Option<Kind> {
    let (wrong, cure) = match (receiver, asynchronous) {
        (Receiver::None, _) => (
            format!("`{ident}` takes no `self`, so nothing says what its twin is"),
            "write `#[proxy(open)]` if it makes the object, `#[proxy(skip = \"why\")]` if it is for Rust alone, or make it a \
             free function with `#[sync_proxy]`"
                .to_owned(),
        ),
        (Receiver::Owned, _) => (
            format!("`{ident}` takes the object away from those who hold it"),
            format!(
                "take `&self` or `&mut self`, write `#[proxy(close)]` or `#[proxy(abandon)]` if it ends the object, or \
                 another of {}",
                all_kinds(Colour::Async)
            ),
        ),
        (_, false) if returns.item.is_some() => return Some(Kind::Stream),
        (_, true) if returns.item.is_some() => (
            format!("`{ident}` has to be awaited before its stream can be read"),
            "write it as a plain `fn` whose stream does the waiting".to_owned(),
        ),
        (_, true) => return Some(Kind::Call),
        (_, false) => (
            format!("nothing says whether `{ident}`, which is no `async fn`, blocks"),
            "write `#[proxy(direct)]` or `#[proxy(property)]` if it never blocks, or make it an `async fn`".to_owned(),
        ),
    };
    report.fault(ident, wrong, cure);
    None
}

fn parse_property(entries: &mut KindEntries, entry: &Entry, report: &mut Report) -> Option<Kind> {
    let live = entries.take_flag("live", report);
    let snapshot = entries.take_flag("snapshot", report);
    match (live, snapshot) {
        (Some(_), None) => Some(Kind::Property(Property::Live)),
        (None, Some(_)) => Some(Kind::Property(Property::Snapshot)),
        (None, None) => {
            report.fault(
                entry,
                "nothing says how the property is read while a call runs",
                "write `property, live` (read in place, from any thread) or `property, snapshot` (its value comes back \
                 with each call)",
            );
            None
        }
        (Some(live), Some(_)) => {
            report.fault(&live, "a property is live or a snapshot", "remove `live` or `snapshot`");
            None
        }
    }
}

fn parse_setter(entry: &Entry, entries: &mut KindEntries, ident: &Ident, report: &mut Report) -> Option<Kind> {
    let check = match entries.take_detail("check") {
        Some(check) => Some(check.member_name(report)?),
        None => None,
    };
    let property = match &entry.value {
        Some(_) => entry.member_name(report)?,
        None => {
            let plain = names::plain(ident);
            let stripped = plain
                .strip_prefix("set_")
                .and_then(|name| syn::parse_str::<Ident>(name).ok().or_else(|| names::raw_ident(name)));
            let Some(mut property) = stripped else {
                report.fault(
                    entry,
                    format!("`{ident}` does not say which property it sets"),
                    "write `setter = \"property\"`, or call it `set_…`",
                );
                return None;
            };
            property.set_span(ident.span());
            property
        }
    };
    Some(Kind::Setter { property, check })
}
