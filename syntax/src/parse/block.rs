//! Annotated `impl` blocks.

use proc_macro2::{Ident, TokenStream};
use syn::{GenericParam, ImplItem, ItemImpl, PathArguments, Type, Visibility};

use super::attribute::{Entry, Owner, parse_entries};
use super::carried::parse_carried;
use super::member::parse_member;
use super::types::{last_segment, peel};
use crate::model::{Block, ClassOptions, Colour};
use crate::report::Report;
use crate::strip;

const BLOCK: Owner = Owner {
    what: "`#[async_proxy]` on an `impl` block",
    keys: &["extend", "extends", "name", "python", "error"],
    python_only: &[],
};

const ASYNC_BLOCK: Owner = Owner {
    what: "`#[sync_proxy]` on an `impl` block",
    keys: &["extend", "name", "twins", "python", "error"],
    python_only: &[],
};

/// Reads an annotated `impl` block.
pub(crate) fn parse_block(
    colour: Colour,
    attribute: TokenStream,
    item: &ItemImpl,
    report: &mut Report,
) -> Option<Block> {
    if let Some((path, _)) = &item.trait_ {
        report.fault(
            path,
            match colour {
                Colour::Blocking => "the methods of a trait have no async side",
                Colour::Async => "the methods of a trait have no blocking twins",
            },
            "write them in an inherent `impl` block, as in `impl Connection { … }`, and annotate that",
        );
        return None;
    }
    let ident = parse_self_type(colour, &item.self_ty, report)?;
    check_generics(colour, item, report);
    let mut members = Vec::new();
    for content in &item.items {
        match content {
            ImplItem::Fn(method) => members.extend(parse_member(method, &ident, colour, report)),
            ImplItem::Macro(invocation) => report.fault(
                &invocation.mac.path,
                "a macro hides what methods the block has",
                "write them out, or move the macro to an `impl` block that is not annotated",
            ),
            ImplItem::Const(constant) => refuse_helper(&constant.attrs, report),
            ImplItem::Type(associated) => refuse_helper(&associated.attrs, report),
            other => report.fault(
                other,
                "this is not understood in an annotated `impl` block",
                "move it to an `impl` block that is not annotated",
            ),
        }
    }
    Some(Block {
        ident,
        colour,
        self_ty: (*item.self_ty).clone(),
        generics: item.generics.clone(),
        options: parse_options(colour, attribute, &item.self_ty, report),
        carried: parse_carried(&item.attrs),
        members,
    })
}

fn refuse_helper(attributes: &[syn::Attribute], report: &mut Report) {
    for attribute in attributes.iter().filter(|attribute| strip::is_proxy(&attribute.meta)) {
        report.fault(attribute, "only a method has a kind", "remove the attribute");
    }
}

fn parse_self_type(colour: Colour, ty: &Type, report: &mut Report) -> Option<Ident> {
    let segment = match peel(ty) {
        Type::Path(_) => last_segment(ty),
        _ => None,
    };
    if segment.is_none() {
        report.fault(
            ty,
            match colour {
                Colour::Blocking => "only a type that has a name of its own has an async side",
                Colour::Async => "only a type that has a name of its own has a blocking twin",
            },
            "annotate the `impl` block of a struct or enum, as in `impl Connection { … }`",
        );
    }
    segment.map(|segment| segment.ident.clone())
}

/// A proxied type is concrete and owns what it has: its proxy is one type, which lives on another thread.
fn check_generics(colour: Colour, item: &ItemImpl, report: &mut Report) {
    let borrows = match colour {
        Colour::Blocking => "a type that borrows cannot live on its worker",
        Colour::Async => "a type that borrows cannot be mirrored: its twin and its awaitables outlive the borrow",
    };
    for parameter in &item.generics.params {
        let (what, cure) = match parameter {
            GenericParam::Lifetime(_) => (borrows, "hold a value, or an `Arc` of it, in place of the borrow"),
            GenericParam::Type(_) => (
                "a generic type has no single other side",
                "wrap it in a concrete type, as in `struct Names(Store<String>)`, and annotate that",
            ),
            GenericParam::Const(_) => (
                "a type generic over a constant has no single other side",
                "wrap it in a concrete type, and annotate that",
            ),
        };
        report.fault(parameter, what, cure);
    }
    let lifetimes = last_segment(&item.self_ty).is_some_and(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments
            .args
            .iter()
            .any(|argument| matches!(argument, syn::GenericArgument::Lifetime(lifetime) if lifetime.ident == "_")),
        _ => false,
    });
    if lifetimes {
        report.fault(
            &item.self_ty,
            borrows,
            "hold a value, or an `Arc` of it, in place of the borrow",
        );
    }
}

fn parse_options(colour: Colour, attribute: TokenStream, self_ty: &Type, report: &mut Report) -> ClassOptions {
    let owner = match colour {
        Colour::Blocking => &BLOCK,
        Colour::Async => &ASYNC_BLOCK,
    };
    let mut entries = Vec::new();
    let span = attribute
        .clone()
        .into_iter()
        .next()
        .map_or_else(|| syn::spanned::Spanned::span(self_ty), |token| token.span());
    parse_entries(attribute, owner, &mut entries, report);
    let mut options = ClassOptions {
        span: Some(span),
        ..ClassOptions::default()
    };
    for entry in &entries {
        match entry.key.to_string().as_str() {
            "extend" => {
                entry.flag(report);
                options.extend = true;
            }
            "twins" => {
                entry.flag(report);
                options.twins = true;
            }
            "extends" => options.extends = parse_base(entry, report),
            "name" => options.rust_name = entry.rust_name(report),
            "python" => options.python_name = entry.python_name(report),
            _ => options.error = parse_error(colour, entry, report),
        }
    }
    if let (true, Some(name)) = (options.twins, &options.rust_name) {
        report.fault(
            name,
            "with `twins` there is no class of the twins that could have a name",
            "remove `name`, or remove `twins`",
        );
    }
    if options.extend {
        for entry in entries
            .iter()
            // The proxy's name is needed in each block: the macro sees no other.
            .filter(|entry| {
                entry.key != "extend" && entry.key != "error" && entry.key != "name" && entry.key != "twins"
            })
        {
            report.fault(
                entry,
                format!("`{}` is said where the type is first annotated", entry.key),
                "move it to the type's first block, the one without `extend`",
            );
        }
    }
    options
}

fn parse_base(entry: &Entry, report: &mut Report) -> Option<Ident> {
    let base = entry.value.clone().and_then(|value| syn::parse2::<Ident>(value).ok());
    if base.is_none() {
        report.fault(
            entry,
            "`extends` takes the name of a type",
            "write `extends = Base`, without a path",
        );
    }
    base
}

/// `error = Type`, on a block and on a function.
pub(crate) fn parse_error(colour: Colour, entry: &Entry, report: &mut Report) -> Option<Type> {
    let ty = entry.value.clone().and_then(|value| syn::parse2::<Type>(value).ok());
    if ty.is_none() {
        report.fault(
            entry,
            "`error` takes a type",
            match colour {
                Colour::Blocking => {
                    "write `error = MyError`, where `MyError` implements `From<async_proxy::CallError<E>>`"
                }
                Colour::Async => {
                    "write `error = MyError`, where `MyError` implements `From<async_proxy::twin::TwinError<E>>`"
                }
            },
        );
    }
    ty
}

/// Whether an item is public; if it is not, that is reported.
pub(crate) fn check_public(visibility: &Visibility, ident: &Ident, report: &mut Report) {
    if !matches!(visibility, Visibility::Public(_)) {
        report.fault(
            ident,
            format!("`{ident}` is not public, and neither would its async side be"),
            "make it `pub`",
        );
    }
}
