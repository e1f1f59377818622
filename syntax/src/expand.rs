//! What the attribute macro does with one item.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Item;

use crate::depth::find_too_deep;
use crate::model::Colour;
use crate::parse::{ParsedItem, check_annotated_once, parse_item, strip_annotations};
use crate::report::Report;
use crate::{check, emit, strip};

/// What is said of tokens that are nested too deep.
pub const TOO_DEEP: &str =
    "this is nested too deep to be read\nhelp: give the inner part a name or a function of its own";

/// Expands `#[async_proxy(attribute)] item`, or `#[sync_proxy(attribute)] item` for the async colour.
///
/// A right description gives the item, without the helper attributes, and its proxies. A wrong one gives all of its faults
/// and, so that the rest of the program does not drown in follow-up errors, the item.
pub fn expand(colour: Colour, attribute: TokenStream, item: TokenStream) -> TokenStream {
    if let Some(span) = find_too_deep(&item).or_else(|| find_too_deep(&attribute)) {
        let fault = syn::Error::new(span, TOO_DEEP).into_compile_error();
        return quote!(#fault #item);
    }
    let mut item: Item = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(fault) => {
            let fault = fault.to_compile_error();
            let original = strip::strip_tokens(item);
            return quote!(#fault #original);
        }
    };
    let mut report = Report::new();
    check_annotated_once(&item, &mut report);
    let parsed = parse_item(colour, attribute, &item, &mut report);
    if let Some(parsed) = &parsed {
        check_item(parsed, &mut report);
    }
    strip::strip_item(&mut item);
    strip_annotations(&mut item);
    let original = item.into_token_stream();
    match report.into_result() {
        Ok(()) => {
            let proxies = parsed.as_ref().map(emit_item);
            quote!(#original #proxies)
        }
        Err(faults) => {
            let faults: TokenStream = faults.iter().map(syn::Error::to_compile_error).collect();
            quote!(#faults #original)
        }
    }
}

fn check_item(parsed: &ParsedItem, report: &mut Report) {
    match parsed {
        ParsedItem::Block(block) => check::check_block(block, report),
        ParsedItem::Function(function) => check::check_function(function, report),
        ParsedItem::Errors(errors) => check::check_errors(errors, report),
        ParsedItem::Options(options) => check::check_options(options, report),
    }
}

fn emit_item(parsed: &ParsedItem) -> TokenStream {
    match parsed {
        ParsedItem::Block(block) => emit::emit_block(block),
        ParsedItem::Function(function) => emit::emit_function(function),
        ParsedItem::Errors(errors) => emit::emit_errors(errors),
        ParsedItem::Options(options) => emit::emit_options(options),
    }
}
