//! Types, paths and attributes as they are written in a proxy.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, GenericArgument, PathArguments, QSelf, Type, TypePath};

use super::at;
use crate::model::{Carried, Returns};
use crate::parse::types::{is_class, peel, type_of};

/// An item of the runtime, as seen at a place of the description.
pub(super) fn runtime(name: &str, place: Span) -> TokenStream {
    let name = format_ident!("{name}", span = at(place));
    quote_spanned!(at(place)=> ::async_proxy::#name)
}

/// The class in front of `::`: `Connection`, or `<Connection<File>>`.
pub(super) fn qualified(class: &Type) -> TokenStream {
    match class {
        Type::Path(TypePath { qself: None, path, .. }) if path.segments.iter().all(|part| part.arguments.is_none()) => {
            quote!(#path)
        }
        _ => quote!(<#class>),
    }
}

/// A trait's projection for a class: `<Connection as ::async_proxy::Proxied>::Proxy`.
pub(super) fn of_class(class: impl ToTokens, name: &str, place: Span) -> TokenStream {
    let name = format_ident!("{name}");
    let proxied = runtime("Proxied", place);
    quote_spanned!(at(place)=> <#class as #proxied>::#name)
}

/// Documentation and the other attributes that a proxy's member takes over.
pub(super) fn carried(carried: &Carried) -> TokenStream {
    let docs = docs(&carried.docs);
    let Carried {
        cfgs,
        deprecated,
        must_use,
        ..
    } = carried;
    // The body calls what is deprecated.
    let allowed = deprecated.as_ref().map(|_| quote!(#[allow(deprecated)]));
    quote!(#docs #(#cfgs)* #deprecated #allowed #must_use)
}

/// Lines of documentation.
pub(super) fn docs<T: AsRef<str>>(lines: &[T]) -> TokenStream {
    let lines = lines.iter().map(|line| match line.as_ref() {
        "" => String::new(),
        line => format!(" {line}"),
    });
    quote!(#(#[doc = #lines])*)
}

/// The `cfg` attributes.
pub(super) fn conditions(carried: &Carried) -> Vec<&Attribute> {
    carried
        .cfgs
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .collect()
}

/// What a method returns, `()` where it says nothing; `Self` becomes the class.
pub(super) fn outcome(returns: &Returns, class: Option<&Type>) -> TokenStream {
    match &returns.ty {
        None => quote!(()),
        Some(ty) => named(ty, class).into_token_stream(),
    }
}

/// The type with the class's name in place of `Self`, which means something else in the proxy.
pub(super) fn named(ty: &Type, class: Option<&Type>) -> Type {
    let mut ty = ty.clone();
    if let Some(class) = class {
        NameClass(class).visit_type_mut(&mut ty);
    }
    ty
}

struct NameClass<'a>(&'a Type);

impl VisitMut for NameClass<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        visit_mut::visit_type_mut(self, ty);
        let Type::Path(TypePath { qself: None, path, .. }) = ty else {
            return;
        };
        if path.is_ident("Self") {
            *ty = self.0.clone();
        } else if path.leading_colon.is_none() && path.segments.len() > 1 && path.segments[0].ident == "Self" {
            // `Self::Row` is `<Connection>::Row`.
            let mut rest = path.clone();
            rest.segments = rest.segments.into_iter().skip(1).collect();
            rest.leading_colon = Some(Default::default());
            let qself = QSelf {
                lt_token: Default::default(),
                ty: Box::new(self.0.clone()),
                position: 0,
                as_token: None,
                gt_token: Default::default(),
            };
            *ty = Type::Path(TypePath {
                qself: Some(qself),
                path: rest,
                attrs: Vec::new(),
            });
        }
    }
}

/// The type of a method that returns its own object, with the proxy in place of `&mut Self`.
pub(super) fn chained(ty: &Type, class: &Ident, proxy: &Ident) -> Type {
    let mut ty = ty.clone();
    NameProxy { class, proxy }.visit_type_mut(&mut ty);
    ty
}

struct NameProxy<'a> {
    class: &'a Ident,
    proxy: &'a Ident,
}

impl VisitMut for NameProxy<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        match ty {
            Type::Reference(reference) if is_class(&reference.elem, self.class) => {
                let proxy = self.proxy;
                *ty = type_of(quote_spanned!(ty.span()=> #proxy));
            }
            _ => visit_mut::visit_type_mut(self, ty),
        }
    }
}

/// The class that a `parent` member gives: `Connection` of `&Connection`, `Result<&Connection>` and `Arc<Connection>`.
pub(super) fn parent(ty: &Type) -> &Type {
    match peel(ty) {
        Type::Reference(reference) => parent(&reference.elem),
        Type::Path(TypePath { qself: None, path, .. }) => match path.segments.last().map(|last| &last.arguments) {
            Some(PathArguments::AngleBracketed(arguments)) => {
                let inner = arguments.args.iter().find_map(|argument| match argument {
                    GenericArgument::Type(ty) => Some(ty),
                    _ => None,
                });
                inner.map_or(ty, parent)
            }
            _ => ty,
        },
        _ => ty,
    }
}

/// A future of the runtime: `::async_proxy::Call<Result<()>>`, with the error type of the block where it names one.
pub(super) fn future(name: &str, outcome: &TokenStream, error: Option<&Type>, place: Span) -> TokenStream {
    let name = runtime(name, place);
    match error {
        None => quote_spanned!(at(place)=> #name<#outcome>),
        Some(error) => quote_spanned!(at(place)=> #name<#outcome, #error>),
    }
}
