//! The rules that one item shows.
//!
//! They look at the model only, so the macro and the generator apply the same ones. What concerns several members of a
//! class stands in here, what concerns one in `member`.

mod defaults;
mod errors;
mod member;
mod options;

use proc_macro2::Ident;

use crate::model::{Block, Carried, Colour, FreeFunction, Kind, Member, Property, Receiver, RowsRole};
use crate::parse;
use crate::report::Report;

pub use self::errors::check_errors;
pub use self::options::check_options;

/// Checks an annotated `impl` block.
pub fn check_block(block: &Block, report: &mut Report) {
    for member in &block.members {
        member::check_member(member, &block.ident, report);
    }
    check_names(block, report);
    check_shared(&block.members.iter().collect::<Vec<_>>(), report);
    check_snapshots(&block.members, &block.members, report);
    check_setters(block, report);
    check_rows(block, report);
    check_interrupts(block, report);
    check_conditions(block, report);
    check_single(block, "close", |kind| matches!(kind, Kind::Close), report);
    check_single(block, "abandon", |kind| matches!(kind, Kind::Abandon), report);
    check_twins(block, report);
    check_single(block, "parent", |kind| matches!(kind, Kind::Parent), report);
    if block.options.extend {
        check_extension(block, report);
    }
}

/// Checks an annotated free function.
pub fn check_function(function: &FreeFunction, report: &mut Report) {
    defaults::check_defaults(&function.python, &function.arguments, report);
}

/// Whether two things of one name are alternatives, of which a condition leaves one.
pub(crate) fn are_alternatives(first: &Carried, second: &Carried) -> bool {
    let conditions = |carried: &Carried| {
        let cfgs = carried.cfgs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
        cfgs.cloned().collect::<Vec<_>>()
    };
    let (first, second) = (conditions(first), conditions(second));
    !first.is_empty() && !second.is_empty() && first != second
}

fn check_names(block: &Block, report: &mut Report) {
    for (index, member) in block.members.iter().enumerate() {
        let earlier = &block.members[..index];
        if earlier
            .iter()
            .any(|other| other.ident == member.ident && !are_alternatives(&other.carried, &member.carried))
        {
            report.fault(
                &member.ident,
                format!("`{}` has two methods `{}`", block.ident, member.ident),
                "remove one of the two, or put each behind a `#[cfg(…)]` that excludes the other",
            );
        }
    }
}

/// A class is shared between threads as soon as one member runs beside the worker: then no member may ask for the object
/// to itself, since the worker and the other thread would both hold it.
pub(crate) fn check_shared(members: &[&Member], report: &mut Report) {
    let Some(reason) = members.iter().find(|member| member.needs_shared_object()) else {
        return;
    };
    for member in members {
        let taken = match member.receiver {
            Receiver::Exclusive => "&mut self",
            Receiver::Owned => "self",
            Receiver::None | Receiver::Shared => continue,
        };
        // A skipped one is not called by the worker, and these kinds are refused for what they are.
        let is_refused_elsewhere = matches!(
            member.kind,
            Kind::Skip { .. } | Kind::Open | Kind::Direct { .. } | Kind::Interrupt | Kind::Property(_)
        );
        if is_refused_elsewhere {
            continue;
        }
        if std::ptr::eq(*member, *reason) {
            report.fault(
                &member.ident,
                format!(
                    "`{}` takes `{taken}` in a lane that runs beside the main lane: a race",
                    member.ident
                ),
                "take `&self`, with a lock inside, or remove `lane`",
            );
            continue;
        }
        report.fault(
            &member.ident,
            format!(
                "`{}` takes `{taken}`, but `{}` is {}",
                member.ident,
                reason.ident,
                beside(reason)
            ),
            format!(
                "take `&self`, with a lock inside, or make `{}` an ordinary call",
                reason.ident
            ),
        );
    }
}

/// A snapshot comes back with each call of the main lane: a call of another lane ends at its own time, and what it brought
/// could be older than what is there. Neither colour has it bring anything, so a class that has lanes has no snapshots.
pub(crate) fn check_snapshots(calls: &[Member], properties: &[Member], report: &mut Report) {
    let in_lane = |member: &&Member| member.lane.is_some() && member.kind == Kind::Call;
    let Some(call) = calls.iter().find(in_lane) else {
        return;
    };
    for property in properties {
        if property.kind == Kind::Property(Property::Snapshot) {
            report.fault(
                &property.ident,
                format!(
                    "`{}` would come back with each call, but `{}` runs in a lane beside those that bring it",
                    property.ident, call.ident
                ),
                "write `#[proxy(property, live)]`: it is read in place, from any thread",
            );
        }
    }
}

fn beside(member: &Member) -> &'static str {
    match &member.kind {
        _ if member.lane.is_some() => "in a lane of its own, which has another thread",
        Kind::Interrupt => "called from another thread while a call runs",
        Kind::Property(_) => "a live property, read from any thread while a call runs",
        _ => "direct, and runs in any thread while a call runs",
    }
}

/// A setter stands beside its property, in the same block: the macro sees no other.
fn check_setters(block: &Block, report: &mut Report) {
    for member in &block.members {
        let Kind::Setter { property, .. } = &member.kind else {
            continue;
        };
        let is_property = |other: &&Member| matches!(other.kind, Kind::Property(_));
        let target = block.members.iter().find(|other| other.ident == *property);
        // A property whose own kind could not be told is reported there.
        if target.is_some_and(|target| is_property(&target) || is_unreadable(target)) {
            continue;
        }
        let names: Vec<String> = block
            .members
            .iter()
            .filter(is_property)
            .map(|other| other.ident.to_string())
            .collect();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let cure = match (target, crate::names::nearest(&property.to_string(), &known)) {
            (Some(_), _) => {
                format!("write `#[proxy(property, live)]` or `#[proxy(property, snapshot)]` on `{property}`")
            }
            (None, Some(nearest)) => format!("write `setter = \"{nearest}\"`"),
            (None, None) => format!(
                "add `#[proxy(property, live)] pub fn {property}(&self) -> …` to this block, or write `setter = \"…\"`"
            ),
        };
        report.fault(
            property,
            format!(
                "this block has no property `{property}` that `{}` could set",
                member.ident
            ),
            cure,
        );
    }
}

/// Whether the member's kind was reported as a fault, so that rules on kinds say nothing of it.
pub(crate) fn is_unreadable(member: &Member) -> bool {
    matches!(&member.kind, Kind::Skip { reason } if reason.is_empty())
}

/// One result set, one way to read its next row; the other readers are made of it.
fn check_rows(block: &Block, report: &mut Report) {
    let mut readers = block
        .members
        .iter()
        .filter(|member| matches!(member.kind, Kind::Rows(_)));
    let Some(first) = readers.next() else { return };
    let has_one = block
        .members
        .iter()
        .any(|member| member.kind == Kind::Rows(RowsRole::One) || is_unreadable(member));
    if !has_one {
        report.fault(
            &first.ident,
            "no member reads the next row, and the read-ahead of the others is made of that one",
            "add `#[proxy(rows)] pub fn fetchone(&mut self) -> Option<Row>`, or a `Result` of it",
        );
    }
    for (role, what) in [
        (RowsRole::One, "reads the next row"),
        (RowsRole::Many, "reads the next rows"),
        (RowsRole::All, "reads all remaining rows"),
        (RowsRole::Iterate, "iterates"),
    ] {
        check_single(block, what, |kind| *kind == Kind::Rows(role), report);
    }
    check_size(block, report);
}

/// How many rows there are to be where the caller does not say: the async side has to know when some were read ahead.
fn check_size(block: &Block, report: &mut Report) {
    for member in block
        .members
        .iter()
        .filter(|member| member.kind == Kind::Rows(RowsRole::Many))
    {
        let optional = member
            .arguments
            .first()
            .filter(|size| parse::types::is_named(&size.ty, "Option"));
        match (optional, &member.size) {
            (Some(size), None) => report.fault(
                &size.ident,
                format!(
                    "`{}` leaves the number of rows to the class, and nothing says who tells it",
                    member.ident
                ),
                "name the property: `#[proxy(rows, size = \"…\")]`, or take a `usize`",
            ),
            (None, Some(property)) => report.fault(
                property,
                format!("`{}` is always told how many rows to read", member.ident),
                "remove `size`, or take an `Option<usize>`",
            ),
            (Some(_), Some(property)) if !is_property_of(block, property) => report.fault(
                property,
                format!("this block has no property `{property}` that could say how many rows to read"),
                format!("add `#[proxy(property, snapshot)] pub fn {property}(&self) -> usize`"),
            ),
            _ => {}
        }
    }
}

fn is_property_of(block: &Block, name: &Ident) -> bool {
    block
        .members
        .iter()
        .any(|member| member.ident == *name && matches!(member.kind, Kind::Property(_)))
}

/// What the proxy's own make-up depends on is there always or never: an associated type of it can't be both.
fn check_conditions(block: &Block, report: &mut Report) {
    for member in &block.members {
        let is_make_up = matches!(member.kind, Kind::Parent | Kind::Rows(RowsRole::One));
        let condition = member
            .carried
            .cfgs
            .iter()
            .find(|attribute| attribute.path().is_ident("cfg"));
        if let (true, Some(condition)) = (is_make_up, condition) {
            report.fault(
                condition,
                format!(
                    "`{}` is part of how the proxy is made, and cannot be there under a condition",
                    member.ident
                ),
                "put the condition on the whole block, or into the method's body",
            );
        }
    }
}

fn check_interrupts(block: &Block, report: &mut Report) {
    for (index, member) in block
        .members
        .iter()
        .enumerate()
        .filter(|(_, member)| member.kind == Kind::Interrupt)
    {
        let rival = block.members[..index].iter().find(|other| {
            other.kind == Kind::Interrupt
                && other.lane == member.lane
                && !are_alternatives(&other.carried, &member.carried)
        });
        if let Some(rival) = rival {
            report.fault(
                &member.ident,
                format!("`{}` interrupts the calls of this lane already", rival.ident),
                "keep one of the two, or give this one a lane: `interrupt, lane = \"…\"`",
            );
        }
    }
}

fn check_single(block: &Block, what: &str, is_it: impl Fn(&Kind) -> bool, report: &mut Report) {
    let mut found: Vec<&Member> = Vec::new();
    for member in block.members.iter().filter(|member| is_it(&member.kind)) {
        if let Some(first) = found
            .iter()
            .find(|first| !are_alternatives(&first.carried, &member.carried))
        {
            report.fault(
                &member.ident,
                if ["close", "abandon", "parent"].contains(&what) {
                    format!("`{}` is `{what}` already, and a class has one", first.ident)
                } else {
                    format!("`{}` {what} already, and a class has one such member", first.ident)
                },
                "keep one of the two, and write `#[proxy(skip = \"why\")]` on the other",
            );
        }
        found.push(member);
    }
}

/// What the twins of an async class ask of all its members together.
fn check_twins(block: &Block, report: &mut Report) {
    if block.colour == Colour::Blocking {
        return;
    }
    let abandon = block.members.iter().find(|member| member.kind == Kind::Abandon);
    let closes = |member: &Member| member.kind == Kind::Close || is_unreadable(member);
    if let (Some(abandon), false) = (abandon, block.members.iter().any(closes)) {
        report.fault(
            &abandon.ident,
            format!(
                "`{}` is what a scope calls that ends by an exception, and nothing says what another one calls",
                abandon.ident
            ),
            "write `#[proxy(close)]` on the method that keeps what was done, or here in place of `abandon`",
        );
    }
    for member in &block.members {
        if member.no_twin.is_some() && !member.asynchronous && member.kind != Kind::Stream {
            report.fault(
                &member.ident,
                format!(
                    "`{}` is no `async fn`, and has no twin that could be left out",
                    member.ident
                ),
                "remove `no_twin`",
            );
        }
        let twin = crate::names::twin_name(&crate::names::plain(&member.ident));
        let has_twin = member.no_twin.is_none() && (member.asynchronous || member.kind == Kind::Stream);
        let rival = block.members.iter().find(|other| other.ident == twin);
        if let (true, Some(rival), false) = (has_twin, rival, matches!(member.kind, Kind::Skip { .. })) {
            report.fault(
                &rival.ident,
                format!("`{twin}` is what the blocking twin of `{}` is called", member.ident),
                format!(
                    "remove it: the twin is generated; or write `#[proxy(no_twin = \"why\")]` on `{}`",
                    member.ident
                ),
            );
        }
    }
}

/// The proxy is made by the type's first block: what decides how it is made stands there.
fn check_extension(block: &Block, report: &mut Report) {
    for member in &block.members {
        let what = match &member.kind {
            Kind::Property(Property::Snapshot) => "a snapshot property",
            Kind::Rows(_) => "a reader of rows",
            Kind::Parent => "`parent`",
            Kind::Close => "`close`",
            Kind::Abandon => "`abandon`",
            Kind::Interrupt => "`interrupt`",
            Kind::Direct { when_closed: true, .. } => "a member that answers also when the object is closed",
            _ => continue,
        };
        report.fault(
            &member.ident,
            format!("{what} is part of how the proxy is made, which the type's first block decides"),
            "move the method to the first block, the one without `extend`",
        );
    }
}
