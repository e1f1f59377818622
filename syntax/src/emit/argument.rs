//! Arguments: taken as the blocking method takes them, owned at once, lent again on the worker.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;

use super::at;
use crate::model::{Argument, Passing};
use crate::parse::types::{inside, last_segment, peel};

/// The parameters of the proxy's method.
pub(super) fn parameters(arguments: &[Argument]) -> Vec<TokenStream> {
    arguments
        .iter()
        .map(|Argument { ident, ty, .. }| quote!(#ident: #ty))
        .collect()
}

/// As many parameters as the blocking method has are not too many.
pub(super) fn allow_many(parameters: usize) -> Option<TokenStream> {
    (parameters > 7).then(|| quote!(#[allow(clippy::too_many_arguments)]))
}

/// The statements that own what is borrowed or generic, in the caller's thread.
pub(super) fn own(arguments: &[Argument]) -> Vec<TokenStream> {
    arguments.iter().filter_map(own_one).collect()
}

fn own_one(argument: &Argument) -> Option<TokenStream> {
    let Argument {
        ident, owned, passing, ..
    } = argument;
    let value = match passing {
        Passing::Value | Passing::Callback | Passing::Generic => return None,
        Passing::Borrowed => quote!(#ident.to_owned()),
        Passing::OptionBorrowed => quote!(#ident.map(::std::borrow::ToOwned::to_owned)),
        Passing::Cow => quote!(#ident.into_owned()),
        Passing::Into => quote!(#ident.into()),
        Passing::AsRef => quote!(#ident.as_ref().to_owned()),
        Passing::Iterator => quote!(#ident.into_iter().collect()),
    };
    Some(quote_spanned!(at(ident.span())=> let #ident: #owned = #value;))
}

/// The arguments of the blocking call, on the worker.
pub(super) fn lend(arguments: &[Argument]) -> Vec<TokenStream> {
    arguments
        .iter()
        .map(|Argument { ident, ty, passing, .. }| match passing {
            Passing::Borrowed => quote!(&#ident),
            Passing::OptionBorrowed if is_unsized(ty) => quote!(#ident.as_deref()),
            Passing::OptionBorrowed => quote!(#ident.as_ref()),
            Passing::Cow => quote!(::std::borrow::Cow::Owned(#ident)),
            Passing::Value
            | Passing::Callback
            | Passing::Generic
            | Passing::Into
            | Passing::AsRef
            | Passing::Iterator => quote!(#ident),
        })
        .collect()
}

/// Whether it is an `Option` of a reference to what its owner derefs to: `Option<&str>`, `Option<&[T]>`.
fn is_unsized(ty: &Type) -> bool {
    let Some(Type::Reference(reference)) = inside(ty, "Option").map(peel) else {
        return false;
    };
    match peel(&reference.elem) {
        Type::Slice(_) => true,
        elem => last_segment(elem).is_some_and(|segment| {
            ["str", "Path", "OsStr", "CStr"]
                .iter()
                .any(|name| segment.ident == name)
        }),
    }
}
