//! Runs one input through all that reads descriptions.

use std::str::FromStr;

use async_proxy_syntax::depth::find_too_deep;
use async_proxy_syntax::model::{Colour, Description};
use async_proxy_syntax::report::Report;
use async_proxy_syntax::{check, expand, parse, resolve};
use proc_macro2::TokenStream;
use syn::{File, Item};

/// How far an input gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reached {
    /// It is not Rust.
    Text,
    /// It is Rust, with nothing annotated in it.
    Rust,
    /// It holds descriptions, without a fault in any item.
    Right,
    /// It holds a description that is refused.
    Wrong,
}

/// Reads an input as the generator does and, item by item, as the macro does.
pub(crate) fn exercise(input: &str) -> Reached {
    let Ok(tokens) = TokenStream::from_str(input) else {
        return Reached::Text;
    };
    // The macro sees items that `syn` cannot parse, too.
    for colour in [Colour::Blocking, Colour::Async] {
        let _ = expand::expand(colour, TokenStream::new(), tokens.clone());
        let _ = expand::expand(
            colour,
            tokens.clone(),
            TokenStream::from_str("impl Store {}").unwrap_or_default(),
        );
    }
    // Both stop here before they parse.
    let is_too_deep = find_too_deep(&tokens).is_some();
    let parsed = (!is_too_deep).then(|| syn::parse2::<File>(tokens));
    let reached = match parsed {
        None => Reached::Text,
        Some(Ok(file)) => {
            file.items.iter().for_each(expand_item);
            read(&file)
        }
        Some(Err(_)) => Reached::Text,
    };
    // Each input leaves its text in a map of sources, which would grow without bound.
    proc_macro2::extra::invalidate_current_thread_spans();
    reached
}

fn read(file: &File) -> Reached {
    let mut report = Report::new();
    let description = parse::parse_file(file, &mut report);
    description
        .blocks
        .iter()
        .for_each(|block| check::check_block(block, &mut report));
    description
        .functions
        .iter()
        .for_each(|function| check::check_function(function, &mut report));
    description
        .errors
        .iter()
        .for_each(|errors| check::check_errors(errors, &mut report));
    description
        .options
        .iter()
        .for_each(|options| check::check_options(options, &mut report));
    let found = !is_empty(&description);
    let right = report.is_empty();
    resolve::resolve(vec![description], &mut report);
    for fault in report.into_result().err().unwrap_or_default() {
        let text = fault.to_string();
        assert!(text.contains("\nhelp: "), "a fault without a cure: {text}");
    }
    match (found, right) {
        (true, true) => Reached::Right,
        (_, false) => Reached::Wrong,
        (false, true) => Reached::Rust,
    }
}

fn is_empty(description: &Description) -> bool {
    description.blocks.is_empty()
        && description.functions.is_empty()
        && description.errors.is_empty()
        && description.options.is_empty()
}

/// What the macro gives for an item is Rust, whether the description was right or wrong.
fn expand_item(item: &Item) {
    let attributes = match item {
        Item::Impl(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        _ => return,
    };
    let colour_of = |attribute: &syn::Attribute| {
        [Colour::Blocking, Colour::Async]
            .into_iter()
            .find(|colour| attribute.path().is_ident(colour.attribute_name()))
    };
    let annotation = attributes
        .iter()
        .enumerate()
        .find_map(|(position, attribute)| Some((position, colour_of(attribute)?)));
    let Some((position, colour)) = annotation else {
        return;
    };
    let arguments = attributes[position]
        .meta
        .require_list()
        .map(|list| list.tokens.clone())
        .unwrap_or_default();
    let mut item = item.clone();
    let attributes = match &mut item {
        Item::Impl(item) => &mut item.attrs,
        Item::Fn(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        _ => return,
    };
    attributes.remove(position);
    let tokens = quote::ToTokens::into_token_stream(item);
    let expanded = expand::expand(colour, arguments, tokens);
    if let Err(fault) = syn::parse2::<File>(expanded.clone()) {
        panic!("the expansion is not Rust: {fault}\n{expanded}");
    }
}
