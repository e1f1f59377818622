//! Names on each side.

use proc_macro2::Ident;
use quote::format_ident;
use syn::ext::IdentExt;

use crate::model::{ClassOptions, FreeFunction, Member};

/// The Rust proxy's name of a class: what `name = "…"` says, or `Async` and the type's name.
pub fn proxy_ident(class: &Ident, options: &ClassOptions) -> Ident {
    options.rust_name.clone().unwrap_or_else(|| format_ident!("Async{}", class.unraw(), span = class.span()))
}

/// A free function's name on the async side of Rust: what `name = "…"` says, or its name and `_async`.
pub fn function_ident(function: &FreeFunction) -> Ident {
    function
        .rust_name
        .clone()
        .unwrap_or_else(|| format_ident!("{}_async", function.ident.unraw(), span = function.ident.span()))
}

/// A class's name in Python.
pub fn python_class_name(class: &Ident, options: &ClassOptions) -> String {
    options.python_name.clone().unwrap_or_else(|| plain(class))
}

/// A member's name in Python.
pub fn python_member_name(member: &Member) -> String {
    member.python.name.clone().unwrap_or_else(|| plain(&member.ident))
}

/// A free function's name in Python.
pub fn python_function_name(function: &FreeFunction) -> String {
    function.python.name.clone().unwrap_or_else(|| plain(&function.ident))
}

/// An identifier's text without `r#`.
pub fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}
