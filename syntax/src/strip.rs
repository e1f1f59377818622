//! Takes the helper attributes off again: rustc knows no `#[proxy]`, and must not see one on a method, on a parameter, on
//! a variant or a field, or inside of a `cfg_attr`, whether the description was right or wrong.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut;
use syn::{Attribute, FnArg, Item, Meta, Token};

/// Removes every `#[proxy(…)]` from an item, at any depth, also inside of `#[cfg_attr(…)]`, and the documentation of its
/// arguments.
pub fn strip_item(item: &mut Item) {
    Stripper.visit_item_mut(item);
}

struct Stripper;

impl VisitMut for Stripper {
    fn visit_fn_arg_mut(&mut self, argument: &mut FnArg) {
        syn::visit_mut::visit_fn_arg_mut(self, argument);
        // Documentation of an argument is part of a description; rustc has no place for it.
        if let FnArg::Typed(argument) = argument {
            argument.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
        }
    }

    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        attributes.retain_mut(|attribute| !is_proxy(&attribute.meta) && keeps_something(attribute));
    }
}

/// Whether it is the helper attribute.
pub(crate) fn is_proxy(meta: &Meta) -> bool {
    meta.path().is_ident("proxy")
}

/// Takes the helper attribute out of a `cfg_attr`; false if nothing else was in it.
fn keeps_something(attribute: &mut Attribute) -> bool {
    let Some((condition, metas)) = split_cfg_attr(attribute) else {
        return true;
    };
    if !metas.iter().any(contains_proxy) {
        return true;
    }
    let kept: Vec<Meta> = metas.into_iter().filter_map(without_proxy).collect();
    if kept.is_empty() {
        return false;
    }
    if let Meta::List(list) = &mut attribute.meta {
        list.tokens = quote::quote!(#condition, #(#kept),*);
    }
    true
}

fn contains_proxy(meta: &Meta) -> bool {
    is_proxy(meta) || split_cfg_attr_meta(meta).is_some_and(|(_, metas)| metas.iter().any(contains_proxy))
}

fn without_proxy(meta: Meta) -> Option<Meta> {
    if is_proxy(&meta) {
        return None;
    }
    let Some((condition, metas)) = split_cfg_attr_meta(&meta) else {
        return Some(meta);
    };
    let kept: Vec<Meta> = metas.into_iter().filter_map(without_proxy).collect();
    if kept.is_empty() {
        None
    } else {
        syn::parse2(quote::quote!(cfg_attr(#condition, #(#kept),*))).ok()
    }
}

/// The condition of a `#[cfg_attr(condition, …)]` and the attributes that it guards.
pub(crate) fn split_cfg_attr(attribute: &Attribute) -> Option<(Meta, Vec<Meta>)> {
    split_cfg_attr_meta(&attribute.meta)
}

fn split_cfg_attr_meta(meta: &Meta) -> Option<(Meta, Vec<Meta>)> {
    let Meta::List(list) = meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated
        .parse2(list.tokens.clone())
        .ok()?;
    let mut metas = metas.into_iter();
    let condition = metas.next()?;
    Some((condition, metas.collect()))
}

/// As [`strip_item`], on tokens that could not be parsed: `#[proxy …]` is dropped wherever it stands.
pub fn strip_tokens(tokens: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let is_pound = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        let before_proxy = is_pound && matches!(rest.peek(), Some(TokenTree::Group(group)) if is_proxy_group(group));
        if before_proxy {
            rest.next();
            continue;
        }
        kept.push(match token {
            TokenTree::Group(group) => {
                let mut stripped = Group::new(group.delimiter(), strip_tokens(group.stream()));
                stripped.set_span(group.span());
                TokenTree::Group(stripped)
            }
            other => other,
        });
    }
    kept.into_iter().collect()
}

fn is_proxy_group(group: &Group) -> bool {
    group.delimiter() == Delimiter::Bracket
        && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(ident)) if ident == "proxy")
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens, quote};
    use syn::parse_quote;

    use super::*;

    fn stripped(mut item: Item) -> String {
        strip_item(&mut item);
        item.into_token_stream().to_string()
    }

    #[test]
    fn methods_parameters_variants_and_fields_are_stripped() {
        let block = stripped(parse_quote! {
            impl Cursor {
                #[proxy(rows)]
                #[inline]
                pub fn fetch(&self, /** how many */ #[proxy(py = "int")] size: usize) {}
            }
        });
        assert_eq!(
            block,
            quote!(impl Cursor { #[inline] pub fn fetch(&self, size: usize) {} }).to_string()
        );
        let errors = stripped(parse_quote!(
            enum Error {
                #[proxy(exception = "A")]
                A(#[proxy(x)] u8),
            }
        ));
        assert_eq!(
            errors,
            quote!(
                enum Error {
                    A(u8),
                }
            )
            .to_string()
        );
        let options = stripped(parse_quote!(
            struct Options {
                #[proxy(default = 1)]
                #[doc = "x"]
                a: u8,
            }
        ));
        assert_eq!(
            options,
            quote!(
                struct Options {
                    #[doc = "x"]
                    a: u8,
                }
            )
            .to_string()
        );
    }

    #[test]
    fn inside_of_cfg_attr_only_the_helper_attribute_is_stripped() {
        let function = stripped(parse_quote! {
            #[cfg_attr(a, proxy(py = "x"), inline)]
            #[cfg_attr(b, proxy(py = "x"))]
            #[cfg_attr(c, cfg_attr(d, proxy(py = "x")), cfg_attr(e, cold, proxy(skip = "x")))]
            #[cfg_attr(f, must_use)]
            fn f() {}
        });
        let expected = quote! {
            #[cfg_attr(a, inline)]
            #[cfg_attr(c, cfg_attr(e, cold))]
            #[cfg_attr(f, must_use)]
            fn f() {}
        };
        assert_eq!(function, expected.to_string());
    }

    #[test]
    fn tokens_that_no_parser_understands_are_stripped_too() {
        let tokens = strip_tokens(quote!(impl A { #[proxy(open)] pub fn ??? (#[proxy(py = "x")] a: u8) # [other] }));
        assert_eq!(
            tokens.to_string(),
            quote!(impl A { pub fn ??? (a: u8) # [other] }).to_string()
        );
    }
}
