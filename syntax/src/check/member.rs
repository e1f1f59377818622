//! What each kind asks of one member.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::Type;

use super::defaults::check_defaults;
use crate::model::{Kind, Member, Property, Receiver};
use crate::parse::types::{is_class, is_named, last_segment, peel, success_by_name};
use crate::report::Report;

/// Checks a member by itself.
pub(super) fn check_member(member: &Member, class: &Ident, report: &mut Report) {
    check_receiver(member, report);
    check_lane(member, report);
    check_defaults(&member.python, &member.arguments, report);
    match &member.kind {
        Kind::Open => check_open(member, class, report),
        Kind::Child => check_child(member, report),
        Kind::Property(property) => check_property(member, *property, report),
        Kind::Setter { property, .. } => check_setter(member, property, report),
        Kind::Parent => check_parent(member, report),
        Kind::Interrupt => refuse_arguments(member, "cancellation calls it, and has none to give", report),
        Kind::Close | Kind::Abandon => {
            refuse_arguments(member, "leaving `async with` calls it, and has none to give", report);
        }
        Kind::Call | Kind::SelfReturn | Kind::Direct { .. } | Kind::Rows(_) | Kind::Stream | Kind::Skip { .. } => {}
    }
}

fn check_receiver(member: &Member, report: &mut Report) {
    let ident = &member.ident;
    match (&member.kind, member.receiver) {
        (Kind::Skip { .. }, _) | (Kind::Open, Receiver::None) => {}
        (Kind::Open, _) => report.fault(
            ident,
            "`open` makes the object, and there is none yet that it could take",
            "remove the receiver, or write `#[proxy(child)]` if it hands out another object",
        ),
        (kind, Receiver::None) => report.fault(
            ident,
            format!("`{ident}` takes no `self`, but is `{}`", name_of(kind)),
            "take `&self`, or write `#[proxy(open)]` or `#[proxy(skip = \"why\")]`",
        ),
        (_, Receiver::Shared) | (Kind::Close | Kind::Abandon, _) => {}
        (kind @ (Kind::Property(_) | Kind::Direct { .. } | Kind::Interrupt), _) => report.fault(
            ident,
            format!(
                "`{ident}` is `{}`, and runs while a call may hold the object",
                name_of(kind)
            ),
            "take `&self`",
        ),
        (kind, Receiver::Owned) => report.fault(
            ident,
            format!(
                "`{ident}` takes the object away from its worker, but is `{}`",
                name_of(kind)
            ),
            "take `&self` or `&mut self`; only `close` may take `self`",
        ),
        (_, Receiver::Exclusive) => {}
    }
}

fn name_of(kind: &Kind) -> &'static str {
    match kind {
        Kind::Call => "call",
        Kind::Open => "open",
        Kind::Child => "child",
        Kind::SelfReturn => "self",
        Kind::Direct { .. } => "direct",
        Kind::Property(Property::Live) => "property, live",
        Kind::Property(Property::Snapshot) => "property, snapshot",
        Kind::Setter { .. } => "setter",
        Kind::Parent => "parent",
        Kind::Rows(_) => "rows",
        Kind::Interrupt => "interrupt",
        Kind::Close => "close",
        Kind::Abandon => "abandon",
        Kind::Stream => "stream",
        Kind::Skip { .. } => "skip",
    }
}

/// Only what is queued by itself can be queued elsewhere; all else belongs to the object's main lane.
fn check_lane(member: &Member, report: &mut Report) {
    let (Some(lane), false) = (&member.lane, matches!(member.kind, Kind::Call | Kind::Interrupt)) else {
        return;
    };
    if super::is_unreadable(member) {
        return;
    }
    report.fault(
        &member.ident,
        format!(
            "`{}` is `{}`, which the main lane alone can do",
            member.ident,
            name_of(&member.kind)
        ),
        format!(
            "remove `lane = \"{}\"`: a call and an interrupt may have one",
            lane.name
        ),
    );
}

fn check_open(member: &Member, class: &Ident, report: &mut Report) {
    let opened = member
        .returns
        .ty
        .as_ref()
        .is_some_and(|ty| is_class(success_by_name(ty), class));
    if !opened {
        report.fault(
            place_of_return(member),
            format!("`open` makes a `{class}`, and this does not return one"),
            "return `Self` or `Result<Self, E>`",
        );
    }
}

fn check_child(member: &Member, report: &mut Report) {
    let child = member.returns.ty.as_ref().map(|ty| peel(success_by_name(ty)));
    let is_type = matches!(child, Some(Type::Path(_)));
    let wrapped = child.is_some_and(|ty| is_named(ty, "Option") || is_named(ty, "Vec"));
    if !is_type || wrapped {
        report.fault(
            place_of_return(member),
            "`child` hands out one object of a proxied type",
            "return the type, or a `Result` of it, as in `Result<Cursor, E>`",
        );
    }
}

fn check_property(member: &Member, property: Property, report: &mut Report) {
    refuse_arguments(member, "a property is read without any", report);
    if member.returns.ty.is_none() {
        report.fault(
            &member.ident,
            "a property has a value, and this method returns none",
            "return it",
        );
    }
    if property == Property::Snapshot && member.returns.fallible {
        report.fault(
            place_of_return(member),
            "a snapshot comes back with each call, and must not fail by itself",
            "return the value, or an `Option` of it",
        );
    }
    refuse_type_parameters(member, report);
}

fn check_setter(member: &Member, property: &Ident, report: &mut Report) {
    if member.arguments.len() != 1 {
        report.fault(
            &member.ident,
            format!(
                "a setter takes the new value and nothing else, and `{}` takes {} arguments",
                member.ident,
                member.arguments.len()
            ),
            format!("write `(&self, {property}: …)`"),
        );
    }
    // `Result` alone, or an alias that hides what is inside, gets the benefit of the doubt.
    let gives_nothing = member
        .returns
        .ty
        .as_ref()
        .is_none_or(|ty| match peel(success_by_name(ty)) {
            Type::Tuple(tuple) => tuple.elems.is_empty(),
            success => last_segment(success).is_some_and(|segment| segment.ident.to_string().ends_with("Result")),
        });
    if !gives_nothing {
        report.fault(
            place_of_return(member),
            "an assignment has no value",
            "return nothing, or `Result<(), E>`",
        );
    }
    if member.python.signature.is_some() {
        report.fault(
            &member.ident,
            "a setter is an assignment in Python, and has no signature",
            "remove `signature`",
        );
    }
}

fn check_parent(member: &Member, report: &mut Report) {
    refuse_arguments(member, "the async side answers by itself", report);
    if member.returns.ty.is_none() {
        report.fault(
            &member.ident,
            "`parent` gives the object that handed this one out, and this method returns nothing",
            "return it, as in `-> &Connection`",
        );
    }
}

fn refuse_arguments(member: &Member, why: &str, report: &mut Report) {
    if let Some(argument) = member.arguments.first() {
        report.fault(
            &argument.ident,
            format!(
                "`{}` is `{}` and takes no arguments: {why}",
                member.ident,
                name_of(&member.kind)
            ),
            "remove the argument, or write `#[proxy(skip = \"why\")]`",
        );
    }
}

fn refuse_type_parameters(member: &Member, report: &mut Report) {
    if let Some(parameter) = member.generics.type_params().next() {
        report.fault(
            parameter,
            format!("`{}` is `{}` and has one type", member.ident, name_of(&member.kind)),
            "remove the type parameter",
        );
    }
}

/// The return type, or the name where there is none.
fn place_of_return(member: &Member) -> proc_macro2::TokenStream {
    match &member.returns.ty {
        Some(ty) => ty.to_token_stream(),
        None => member.ident.to_token_stream(),
    }
}
