//! Reads annotated items: syntax only, what one item shows by itself. Rules over what was read are [`crate::check`]'s.

mod alias;
mod argument;
mod attribute;
mod block;
mod carried;
mod errors;
mod function;
mod generics;
mod kind;
mod literal;
mod member;
mod options;
mod ownership;
mod python;
mod returns;
mod signature;
pub(crate) mod types;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, Meta};

use crate::model::{Block, Colour, Description, ErrorEnum, FreeFunction, OptionStruct};
use crate::report::Report;

/// One annotated item.
#[expect(
    clippy::large_enum_variant,
    reason = "one is made at a time, and taken apart at once"
)]
pub enum ParsedItem {
    /// An inherent `impl` block.
    Block(Block),
    /// A free function.
    Function(FreeFunction),
    /// An enum of errors.
    Errors(ErrorEnum),
    /// A struct of options.
    Options(OptionStruct),
}

/// Reads the annotated items of a file, at its top level and in its inline modules, and its aliases of `Result`.
///
/// The caller has evaluated conditions before: items whose `cfg` does not hold are gone, and a `cfg_attr` that holds is
/// replaced by what it stands for.
pub fn parse_file(file: &syn::File, report: &mut Report) -> Description {
    let mut description = Description::default();
    parse_items(&file.items, &mut description, report);
    description
}

fn parse_items(items: &[Item], description: &mut Description, report: &mut Report) {
    for item in items {
        match item {
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    parse_items(items, description, report);
                }
            }
            Item::Type(alias) => description.aliases.extend(alias::parse_alias(alias)),
            _ => {}
        }
        if let Some((colour, arguments)) = annotation(item, report) {
            match parse_item(colour, arguments, item, report) {
                Some(ParsedItem::Block(block)) => description.blocks.push(block),
                Some(ParsedItem::Function(function)) => description.functions.push(function),
                Some(ParsedItem::Errors(errors)) => description.errors.push(errors),
                Some(ParsedItem::Options(options)) => description.options.push(options),
                None => {}
            }
        }
    }
}

/// Reads one annotated item; `attribute` is what stands in the parentheses of `#[async_proxy(…)]` or `#[sync_proxy(…)]`.
///
/// An item with faults is given too, as far as it could be read, so that what else is wrong with it can be said.
pub fn parse_item(colour: Colour, attribute: TokenStream, item: &Item, report: &mut Report) -> Option<ParsedItem> {
    match item {
        Item::Impl(block) => block::parse_block(colour, attribute, block, report).map(ParsedItem::Block),
        Item::Fn(item) => Some(ParsedItem::Function(function::parse_function(
            colour, attribute, item, report,
        ))),
        Item::Enum(item) => Some(ParsedItem::Errors(errors::parse_errors(attribute, item, report))),
        Item::Struct(item) => Some(ParsedItem::Options(options::parse_options(attribute, item, report))),
        other => {
            report.fault(
                beginning(other),
                match colour {
                    Colour::Blocking => "this item has no async side",
                    Colour::Async => "this item has no blocking twin",
                },
                format!(
                    "put `{}` on an inherent `impl` block, a free function, an enum of errors or a struct of options",
                    colour.attribute()
                ),
            );
            None
        }
    }
}

/// The colour of an item's `#[async_proxy(…)]` or `#[sync_proxy(…)]`, under whatever path, and what stands in its
/// parentheses; `None` without one.
fn annotation(item: &Item, report: &mut Report) -> Option<(Colour, TokenStream)> {
    let mut annotations = attributes(item)
        .iter()
        .filter_map(|attribute| Some((colour_of(attribute)?, attribute)));
    let (colour, first) = annotations.next()?;
    annotations.for_each(|(_, second)| refuse_second(second, report));
    match &first.meta {
        Meta::Path(_) => Some((colour, TokenStream::new())),
        Meta::List(list) => Some((colour, list.tokens.clone())),
        Meta::NameValue(value) => {
            let name = colour.attribute_name();
            report.fault(
                value,
                format!("`#[{name}]` takes no value"),
                format!("write `#[{name}]` or `#[{name}(…)]`"),
            );
            None
        }
    }
}

/// Refuses an annotation on an item whose own one is gone already, since the macro that it calls is running.
pub(crate) fn check_annotated_once(item: &Item, report: &mut Report) {
    attributes(item)
        .iter()
        .filter(|attribute| colour_of(attribute).is_some())
        .for_each(|second| refuse_second(second, report));
}

fn refuse_second(second: &Attribute, report: &mut Report) {
    report.fault(
        second,
        "the item is annotated twice",
        "write one `#[async_proxy(…)]`, or one `#[sync_proxy(…)]`, with all that is to be said",
    );
}

/// The colour that an attribute declares, under whatever path; `None` for another attribute.
fn colour_of(attribute: &Attribute) -> Option<Colour> {
    let segment = attribute.path().segments.last()?;
    [Colour::Blocking, Colour::Async]
        .into_iter()
        .find(|colour| segment.ident == colour.attribute_name())
}

/// Takes off a second annotation, which was refused: its macro would only say so again.
pub(crate) fn strip_annotations(item: &mut Item) {
    if let Some(attributes) = attributes_mut(item) {
        attributes.retain(|attribute| colour_of(attribute).is_none());
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn attributes_mut(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Enum(item) => Some(&mut item.attrs),
        Item::Fn(item) => Some(&mut item.attrs),
        Item::Impl(item) => Some(&mut item.attrs),
        Item::Struct(item) => Some(&mut item.attrs),
        _ => None,
    }
}

/// Where an item begins, behind its attributes: its whole text would fill a screen.
fn beginning(item: &Item) -> TokenStream {
    let mut tokens = item.to_token_stream().into_iter().peekable();
    while tokens
        .next_if(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '#'))
        .is_some()
    {
        tokens.next();
    }
    tokens.take(2).collect()
}
