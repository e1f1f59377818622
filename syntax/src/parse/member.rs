//! The methods of an annotated `impl` block.

use proc_macro2::Ident;
use syn::{ImplItemFn, Visibility};

use super::argument::{check_qualifiers, parse_arguments, parse_receiver, receiver_lifetime};
use super::attribute::{Entry, Owner, listed, parse_helper};
use super::carried::parse_carried;
use super::kind::{KindEntries, parse_async_kind, parse_kind};
use super::python::PythonEntries;
use super::returns::{check_returns, parse_returns};
use crate::model::{Colour, Kind, Lane, Member, PythonOptions, Receiver, RowsRole};
use crate::names;
use crate::report::Report;

/// The kinds that are named for the async colour.
const ASYNC_KINDS: &[&str] = &["open", "child", "direct", "property", "close", "abandon", "skip"];

const ASYNC_METHOD: Owner = Owner {
    what: "a method of `#[sync_proxy]`",
    keys: &[
        "open",
        "child",
        "direct",
        "property",
        "close",
        "abandon",
        "skip",
        "live",
        "no_twin",
        "signature",
        "name",
        "py",
        "rust_only",
    ],
    python_only: &["signature", "name", "py", "rust_only"],
};

/// The kinds that are named for the blocking colour.
pub(super) const KINDS: &[&str] = &[
    "open",
    "child",
    "direct",
    "property",
    "setter",
    "parent",
    "rows",
    "interrupt",
    "close",
    "skip",
];

const METHOD: Owner = Owner {
    what: "a method",
    keys: &[
        "open",
        "child",
        "direct",
        "property",
        "setter",
        "parent",
        "rows",
        "interrupt",
        "close",
        "skip",
        "awaitable",
        "when_closed",
        "live",
        "snapshot",
        "check",
        "size",
        "lane",
        "signature",
        "name",
        "py",
        "rust_only",
        "attempt",
        "by_hand",
    ],
    python_only: &["signature", "name", "py", "rust_only", "attempt", "by_hand"],
};

/// Reads a method; `None` for a private one, which is left alone.
pub(crate) fn parse_member(method: &ImplItemFn, class: &Ident, colour: Colour, report: &mut Report) -> Option<Member> {
    let ident = &method.sig.ident;
    let owner = match colour {
        Colour::Blocking => &METHOD,
        Colour::Async => &ASYNC_METHOD,
    };
    let entries = parse_helper(&method.attrs, owner, report);
    if !matches!(method.vis, Visibility::Public(_)) {
        if let Some(entry) = entries.first() {
            report.fault(
                entry,
                match colour {
                    Colour::Blocking => format!("`{ident}` is not public, and has no async side"),
                    Colour::Async => format!("`{ident}` is not public, and has no blocking twin"),
                },
                "make it `pub`, or remove the attribute",
            );
        }
        return None;
    }
    let mut kinds = KindEntries::default();
    let mut python = PythonEntries::default();
    let mut lane = None;
    let mut size = None;
    let mut no_twin = None;
    for entry in entries {
        if kinds_of(colour).iter().any(|kind| entry.key == kind) {
            kinds.add_kind(entry, report);
        } else if entry.key == "no_twin" {
            no_twin = entry.sentence(report);
        } else if entry.key == "lane" {
            lane = parse_lane(&entry, report);
        } else if entry.key == "size" {
            size = Some(entry);
        } else if let Some(entry) = python.take(entry) {
            kinds.details.push(entry);
        }
    }
    let returns = parse_returns(&method.sig.output);
    let receiver = parse_receiver(&method.sig);
    if kinds.is_skip() {
        return Some(parse_skipped(method, colour, kinds, python, lane, report));
    }
    check_qualifiers(colour, &method.sig, report);
    let receiver = receiver.unwrap_or_else(|fault| {
        report.add(fault);
        Receiver::Shared
    });
    let arguments = parse_arguments(colour, &method.sig, report);
    let kind = match colour {
        Colour::Blocking => parse_kind(kinds, ident, receiver, arguments.len(), &returns, class, report),
        Colour::Async => parse_async_kind(kinds, &method.sig, receiver, &returns, report),
    };
    if let Some(kind) = &kind {
        check_returns(colour, &returns, kind, report);
    }
    let size = size.and_then(|entry| parse_size(&entry, kind.as_ref(), report));
    Some(Member {
        ident: ident.clone(),
        asynchronous: method.sig.asyncness.is_some(),
        no_twin,
        // A kind that could not be told is reported; what follows from it is not.
        kind: kind.unwrap_or(Kind::Skip { reason: String::new() }),
        receiver,
        receiver_lifetime: receiver_lifetime(&method.sig),
        generics: method.sig.generics.clone(),
        python: python.read(arguments.iter().map(|argument| &argument.ident), report),
        arguments,
        returns,
        lane,
        size,
        carried: parse_carried(&method.attrs),
    })
}

/// The property that says how many rows are read where the caller does not.
fn parse_size(entry: &Entry, kind: Option<&Kind>, report: &mut Report) -> Option<Ident> {
    let property = entry.member_name(report)?;
    match kind {
        Some(Kind::Rows(RowsRole::Many)) | None => Some(property),
        Some(_) => {
            report.fault(
                entry,
                "`size` is said only of the method that reads the next rows",
                "remove it, or write it on the `rows` method that takes `size: Option<usize>`",
            );
            None
        }
    }
}

/// A method that stays blocking may have any signature; one that could not cross to Python either is Rust only.
fn parse_skipped(
    method: &ImplItemFn,
    colour: Colour,
    kinds: KindEntries,
    python: PythonEntries,
    lane: Option<Lane>,
    report: &mut Report,
) -> Member {
    let reason = kinds.read_skip(report);
    let mut crossing = Report::new();
    check_qualifiers(colour, &method.sig, &mut crossing);
    let receiver = parse_receiver(&method.sig).unwrap_or_else(|fault| {
        crossing.add(fault);
        Receiver::Shared
    });
    let arguments = parse_arguments(colour, &method.sig, &mut crossing);
    let returns = parse_returns(&method.sig.output);
    check_returns(colour, &returns, &Kind::Call, &mut crossing);
    // What an async API keeps to itself has no place in Python: there is no blocking class that it could stay on.
    let crosses = crossing.into_result().is_ok() && colour == Colour::Blocking;
    let mut python = python.read(arguments.iter().map(|argument| &argument.ident), report);
    if !crosses {
        python = PythonOptions {
            rust_only: Some(reason.clone()),
            ..PythonOptions::default()
        };
    }
    Member {
        ident: method.sig.ident.clone(),
        asynchronous: method.sig.asyncness.is_some(),
        no_twin: None,
        kind: Kind::Skip { reason },
        receiver,
        receiver_lifetime: receiver_lifetime(&method.sig),
        generics: method.sig.generics.clone(),
        arguments: if crosses { arguments } else { Vec::new() },
        returns,
        lane,
        size: None,
        python,
        carried: parse_carried(&method.attrs),
    }
}

fn parse_lane(entry: &Entry, report: &mut Report) -> Option<Lane> {
    let name = entry.string(report)?;
    // A lane's name is part of its thread's name and of emitted identifiers.
    if names::is_python_name(&name.value()) {
        return Some(Lane { name: name.value() });
    }
    report.fault(
        &name,
        "this is not the name of a lane",
        "write letters, digits and `_`, as in `lane = \"network\"`",
    );
    None
}

/// The kinds, for a message.
pub(super) fn all_kinds(colour: Colour) -> String {
    listed(kinds_of(colour))
}

fn kinds_of(colour: Colour) -> &'static [&'static str] {
    match colour {
        Colour::Blocking => KINDS,
        Colour::Async => ASYNC_KINDS,
    }
}
