//! What of a source file is there under the features of the config: items, methods, variants and fields whose `cfg` does
//! not hold are taken out before the description is read.

use syn::punctuated::Punctuated;
use syn::{Attribute, Field, Fields, FnArg, ImplItem, Item, Signature, Visibility};

use crate::cfg::{self, Truth};
use crate::diagnose::Diagnostics;

/// Takes out of an annotated item what is not there, and resolves the `cfg_attr`s that hide part of the description.
pub fn select_inside(item: &mut Item, features: &[String], diagnostics: &mut Diagnostics) {
    match item {
        Item::Impl(block) => block.items.retain_mut(|member| match member {
            ImplItem::Fn(method) => {
                let public = matches!(method.vis, Visibility::Public(_));
                let kept = keep(&mut method.attrs, public, features, diagnostics);
                if kept && public {
                    select_arguments(&mut method.sig, features, diagnostics);
                }
                kept
            }
            _ => true,
        }),
        Item::Fn(function) => select_arguments(&mut function.sig, features, diagnostics),
        Item::Enum(errors) => {
            let variants = std::mem::take(&mut errors.variants).into_pairs();
            errors.variants = variants
                .filter_map(|mut pair| keep(&mut pair.value_mut().attrs, true, features, diagnostics).then_some(pair))
                .collect();
        }
        Item::Struct(options) => {
            if let Fields::Named(fields) = &mut options.fields {
                let pairs: Punctuated<Field, _> = std::mem::take(&mut fields.named);
                fields.named = pairs
                    .into_pairs()
                    .filter_map(|mut pair| {
                        let field = pair.value_mut();
                        let public = matches!(field.vis, Visibility::Public(_));
                        keep(&mut field.attrs, public, features, diagnostics).then_some(pair)
                    })
                    .collect();
            }
        }
        _ => {}
    }
}

fn select_arguments(signature: &mut Signature, features: &[String], diagnostics: &mut Diagnostics) {
    for argument in &mut signature.inputs {
        if let FnArg::Typed(argument) = argument {
            cfg::expand(&mut argument.attrs, features, diagnostics);
        }
    }
}

/// Whether a part of an annotated item is there. A `cfg` without an answer is a fault only where the part `matters`.
fn keep(attributes: &mut Vec<Attribute>, matters: bool, features: &[String], diagnostics: &mut Diagnostics) -> bool {
    if !matters {
        return !matches!(cfg::evaluate(attributes, features), Truth::False);
    }
    cfg::expand(attributes, features, diagnostics);
    match cfg::evaluate(attributes, features) {
        Truth::True => true,
        Truth::False => false,
        unknown => {
            cfg::refuse_unknown(unknown, diagnostics);
            true
        }
    }
}

/// Whether an item carries `#[async_proxy]`, in the open or behind a `cfg_attr`.
pub fn is_annotated(item: &Item) -> bool {
    attributes(item).is_some_and(|attributes| {
        attributes.iter().any(|attribute| {
            cfg::is_annotation(&attribute.meta)
                || (attribute.path().is_ident("cfg_attr") && cfg::hides_annotation(attribute))
        })
    })
}

/// The attributes of an item that the generator looks at.
pub fn attributes(item: &Item) -> Option<&Vec<Attribute>> {
    Some(match item {
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        _ => return None,
    })
}

/// The same, to change.
pub fn attributes_mut(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    Some(match item {
        Item::Enum(item) => &mut item.attrs,
        Item::Fn(item) => &mut item.attrs,
        Item::Impl(item) => &mut item.attrs,
        Item::Mod(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        Item::Trait(item) => &mut item.attrs,
        Item::Type(item) => &mut item.attrs,
        Item::Union(item) => &mut item.attrs,
        _ => return None,
    })
}
