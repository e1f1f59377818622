//! Who hands out whom: openers, children, parents. A proxied object never leaves its worker unwrapped.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::Type;
use syn::visit::{self, Visit};

use crate::model::{Api, Class, Colour, FreeFunction, Kind, Member, Opener, Returns};
use crate::parse::types::{find_borrow, last_segment, peel};
use crate::report::Report;

/// Finds the openers and parents of each class, and refuses what hands out an object in any other way.
pub(super) fn link(api: &mut Api, report: &mut Report) {
    let names: Vec<Ident> = api.classes.iter().map(|class| class.ident.clone()).collect();
    let mut handed_out = Vec::new();
    for class in &api.classes {
        for member in &class.members {
            match &member.kind {
                Kind::Child => match class_of(&member.returns, &names) {
                    Some(child) => {
                        check_colour(class.colour, child, &member.returns, api, report);
                        handed_out.push((child.clone(), class.ident.clone()));
                    }
                    None => refuse_child(member, report),
                },
                Kind::Open | Kind::Skip { .. } | Kind::Parent | Kind::SelfReturn => {}
                _ => refuse_raw(&member.returns, &member.ident, &names, report),
            }
        }
    }
    for function in &api.functions {
        match class_of(&function.returns, &names) {
            Some(class) => check_colour(function.colour, class, &function.returns, api, report),
            None => refuse_function(function, &names, report),
        }
    }
    let functions = &api.functions;
    for class in &mut api.classes {
        for (child, parent) in &handed_out {
            if *child == class.ident && !class.parents.contains(parent) {
                class.parents.push(parent.clone());
            }
        }
        let member = class.members.iter().find(|member| member.kind == Kind::Open);
        let function = functions
            .iter()
            .find(|function| class_of(&function.returns, &names).is_some_and(|name| *name == class.ident));
        class.opened_by = match (member, function) {
            (Some(member), _) => Some(Opener::Member(member.ident.clone())),
            (None, Some(function)) => Some(Opener::Function(function.ident.clone())),
            (None, None) => None,
        };
    }
    for class in &api.classes {
        check_obtainable(class, report);
        check_parent(class, &names, report);
    }
}

/// The class that a return type is, if it is one.
fn class_of<'a>(returns: &Returns, names: &'a [Ident]) -> Option<&'a Ident> {
    let name = &last_segment(returns.ok.as_ref()?)?.ident;
    names.iter().find(|class| *class == name)
}

/// What hands out an object and the object's class are of one colour: the other side of the one is made with the other side
/// of the other.
fn check_colour(colour: Colour, class: &Ident, returns: &Returns, api: &Api, report: &mut Report) {
    let described = api.classes.iter().find(|described| described.ident == *class);
    let Some(described) = described.filter(|described| described.colour != colour) else {
        return;
    };
    report.fault(
        &returns.ty,
        format!(
            "`{class}` is described with `{}`, and this hands it out under `{}`",
            described.colour.attribute(),
            colour.attribute()
        ),
        "describe both with one of the two, or wrap the object in a type of the right colour",
    );
}

fn refuse_child(member: &Member, report: &mut Report) {
    let (place, name) = match (&member.returns.ok, &member.returns.ty) {
        (Some(ok), _) => (
            ok.to_token_stream(),
            last_segment(ok).map(|segment| segment.ident.to_string()),
        ),
        (None, Some(ty)) => (ty.to_token_stream(), None),
        (None, None) => (member.ident.to_token_stream(), None),
    };
    match name {
        Some(name) => report.fault(
            place,
            format!(
                "`{name}` is not a proxied class, so `{}` cannot hand one out",
                member.ident
            ),
            format!("write `#[async_proxy]` on an `impl {name}` block, or remove `child`"),
        ),
        None => report.fault(
            place,
            format!(
                "which class `{}` hands out cannot be told from its return type",
                member.ident
            ),
            "return the type, or `Result<Type, E>`, or write the alias of `Result` in one of the sources",
        ),
    }
}

fn refuse_raw(returns: &Returns, ident: &Ident, names: &[Ident], report: &mut Report) {
    if let Some(class) = class_of(returns, names) {
        report.fault(
            &returns.ty,
            format!("`{ident}` would hand out the blocking `{class}` itself, away from its worker"),
            "write `#[proxy(child)]`, so that the async side wraps it, or `#[proxy(skip = \"why\")]`",
        );
    } else if let Some(class) = mentioned_class(returns, names) {
        report.fault(
            &returns.ty,
            format!("`{ident}` would hand out the blocking `{class}` inside of another type, away from its worker"),
            format!("return one `{class}` with `#[proxy(child)]`, or write `#[proxy(skip = \"why\")]`"),
        );
    }
}

/// A free function has no object, so there is no worker that its call could be queued to, unless it makes one.
fn refuse_function(function: &FreeFunction, names: &[Ident], report: &mut Report) {
    match mentioned_class(&function.returns, names) {
        Some(class) => report.fault(
            &function.returns.ty,
            format!("an opening function gives one `{class}`, and this gives it inside of another type"),
            format!("return `{class}`, or a `Result` of it"),
        ),
        None => report.fault(
            &function.ident,
            format!("`{}` opens no object of a proxied class", function.ident),
            "return a type whose `impl` block carries `#[async_proxy]`, or a `Result` of it, or remove the attribute here",
        ),
    }
}

fn mentioned_class<'a>(returns: &Returns, names: &'a [Ident]) -> Option<&'a Ident> {
    struct Mention<'a> {
        names: &'a [Ident],
        found: Option<&'a Ident>,
    }
    impl<'ast> Visit<'ast> for Mention<'_> {
        fn visit_path(&mut self, path: &'ast syn::Path) {
            if let Some(segment) = path.segments.last() {
                self.found = self
                    .found
                    .or_else(|| self.names.iter().find(|name| segment.ident == **name));
            }
            visit::visit_path(self, path);
        }
    }
    let ok = returns.ok.as_ref()?;
    let mut mention = Mention { names, found: None };
    // A borrow is refused for itself.
    if find_borrow(ok).is_none() {
        mention.visit_type(ok);
    }
    mention.found
}

fn check_obtainable(class: &Class, report: &mut Report) {
    if class.opened_by.is_none() && class.parents.is_empty() {
        report.fault(
            &class.ident,
            format!("nothing hands out a `{}`", class.ident),
            "write `#[proxy(open)]` on the associated function that makes one, `#[async_proxy]` on the free function that \
             does, or `#[proxy(child)]` on the method of another class",
        );
    }
}

fn check_parent(class: &Class, names: &[Ident], report: &mut Report) {
    for member in class.members.iter().filter(|member| member.kind == Kind::Parent) {
        let (Some(ty), Some(_)) = (&member.returns.ok, &member.returns.ty) else {
            continue;
        };
        let parent = match peel(ty) {
            Type::Reference(reference) => &reference.elem,
            other => other,
        };
        let Some(name) = last_segment(parent).map(|segment| &segment.ident) else {
            report.fault(
                ty,
                "`parent` gives an object of a proxied class",
                "return it, as in `-> &Connection`",
            );
            continue;
        };
        if let (Some(opener), true) = (&class.opened_by, names.contains(name)) {
            let (Opener::Member(opener) | Opener::Function(opener)) = opener;
            report.fault(
                &member.ident,
                format!(
                    "an object that `{opener}` opens has no parent that `{}` could give",
                    member.ident
                ),
                format!("hand it out by a `child` of `{name}` alone, or write `#[proxy(skip = \"why\")]` here"),
            );
        }
        if class.parents.contains(name) {
            if let Some(other) = class.parents.iter().find(|parent| *parent != name) {
                report.fault(
                    &member.ident,
                    format!(
                        "`{other}` hands out a `{}` too, and `{}` gives a `{name}`",
                        class.ident, member.ident
                    ),
                    format!("let `{name}` alone hand it out, or write `#[proxy(skip = \"why\")]` here"),
                );
            }
            continue;
        }
        let (wrong, cure) = if names.contains(name) {
            (
                format!(
                    "no `child` of `{name}` hands out a `{}`, so it cannot be its parent",
                    class.ident
                ),
                format!("write `#[proxy(child)]` on the method of `{name}` that does"),
            )
        } else {
            (
                format!("`{name}` is not a proxied class"),
                format!("write `#[async_proxy]` on an `impl {name}` block, or `#[proxy(skip = \"why\")]` here"),
            )
        };
        report.fault(ty, wrong, cure);
    }
}
