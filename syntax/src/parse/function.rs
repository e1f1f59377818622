//! Annotated free functions.

use proc_macro2::TokenStream;
use syn::{ItemFn, Signature};

use super::argument::{check_qualifiers, parse_arguments};
use super::attribute::{Owner, parse_entries, parse_helper};
use super::block::{check_public, parse_error};
use super::carried::parse_carried;
use super::python::PythonEntries;
use super::returns::{check_returns, parse_returns};
use crate::model::{Colour, FreeFunction, Kind};
use crate::report::Report;

const FUNCTION: Owner = Owner {
    what: "`#[async_proxy]` on a function",
    keys: &["name", "error"],
    python_only: &[],
};

const ASYNC_FUNCTION: Owner = Owner {
    what: "`#[sync_proxy]` on a function",
    keys: &["name", "error"],
    python_only: &[],
};

const HELPER: Owner = Owner {
    what: "a free function",
    keys: &["signature", "name", "py", "rust_only"],
    python_only: &["signature", "name", "py", "rust_only"],
};

/// Reads an annotated free function.
pub(crate) fn parse_function(
    colour: Colour,
    attribute: TokenStream,
    item: &ItemFn,
    report: &mut Report,
) -> FreeFunction {
    let owner = match colour {
        Colour::Blocking => &FUNCTION,
        Colour::Async => &ASYNC_FUNCTION,
    };
    check_public(&item.vis, &item.sig.ident, report);
    check_qualifiers(colour, &item.sig, report);
    check_asynchronous(colour, &item.sig, report);
    let arguments = parse_arguments(colour, &item.sig, report);
    let returns = parse_returns(&item.sig.output);
    check_returns(colour, &returns, &Kind::Call, report);
    let mut python = PythonEntries::default();
    for entry in parse_helper(&item.attrs, &HELPER, report) {
        python.take(entry);
    }
    let mut function = FreeFunction {
        ident: item.sig.ident.clone(),
        colour,
        rust_name: None,
        error: None,
        generics: item.sig.generics.clone(),
        python: python.read(arguments.iter().map(|argument| &argument.ident), report),
        arguments,
        returns,
        carried: parse_carried(&item.attrs),
    };
    let mut entries = Vec::new();
    parse_entries(attribute, owner, &mut entries, report);
    for entry in &entries {
        if entry.key == "name" {
            function.rust_name = entry.rust_name(report);
        } else {
            function.error = parse_error(colour, entry, report);
        }
    }
    function
}

/// The twin of a function is made of its future.
fn check_asynchronous(colour: Colour, signature: &Signature, report: &mut Report) {
    if colour == Colour::Async && signature.asyncness.is_none() {
        report.fault(
            &signature.ident,
            format!("`{}` is no `async fn`, and needs no blocking twin", signature.ident),
            "write it as an `async fn`, or remove `#[sync_proxy]`",
        );
    }
}
