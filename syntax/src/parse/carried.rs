//! What is carried over to the async side as it stands: documentation, conditions, deprecation, `#[must_use]`.

use syn::{Attribute, Expr, ExprLit, Lit, Meta, MetaNameValue};

use crate::model::Carried;
use crate::strip;

/// Collects what is carried over.
pub(crate) fn parse_carried(attributes: &[Attribute]) -> Carried {
    let mut carried = Carried {
        docs: parse_docs(attributes),
        ..Carried::default()
    };
    for attribute in attributes {
        let path = attribute.path();
        if path.is_ident("cfg") {
            carried.cfgs.push(attribute.clone());
        } else if path.is_ident("deprecated") {
            carried.deprecated = Some(attribute.clone());
        } else if path.is_ident("must_use") {
            carried.must_use = Some(attribute.clone());
        } else if let Some(conditional) = carried_under_condition(attribute) {
            carried.cfgs.push(conditional);
        }
    }
    carried
}

/// A `cfg_attr` with what of it is carried over: an attribute that belongs to the method's body (`inline`, one that
/// instruments it) is not.
fn carried_under_condition(attribute: &Attribute) -> Option<Attribute> {
    let (condition, metas) = strip::split_cfg_attr(attribute)?;
    let is_carried = |meta: &Meta| {
        ["cfg", "deprecated", "doc", "must_use"]
            .iter()
            .any(|name| meta.path().is_ident(name))
    };
    let kept: Vec<Meta> = metas.into_iter().filter(is_carried).collect();
    if kept.is_empty() {
        return None;
    }
    let mut attribute = attribute.clone();
    if let Meta::List(list) = &mut attribute.meta {
        list.tokens = quote::quote!(#condition, #(#kept),*);
    }
    Some(attribute)
}

/// The lines of documentation, each without the space before it.
pub(crate) fn parse_docs(attributes: &[Attribute]) -> Vec<String> {
    let mut lines = Vec::new();
    for attribute in attributes {
        let Meta::NameValue(MetaNameValue {
            path,
            value: Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }),
            ..
        }) = &attribute.meta
        else {
            continue;
        };
        if path.is_ident("doc") {
            push_lines(&text.value(), &mut lines);
        }
    }
    lines
}

fn push_lines(text: &str, lines: &mut Vec<String>) {
    let without_space = |line: &str| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned();
    if !text.contains('\n') {
        lines.push(without_space(text));
        return;
    }
    // A block comment: its further lines may begin with a star.
    let rest: Vec<&str> = text
        .lines()
        .skip(1)
        .map(str::trim_start)
        .filter(|line| !line.is_empty())
        .collect();
    let starred = !rest.is_empty() && rest.iter().all(|line| line.starts_with('*'));
    let mut block: Vec<String> = text
        .lines()
        .map(|line| {
            let line = if starred { line.trim_start() } else { line };
            without_space(if starred {
                line.strip_prefix('*').unwrap_or(line)
            } else {
                line
            })
        })
        .collect();
    let blank_ends = |line: &String| line.trim().is_empty();
    if block.first().is_some_and(blank_ends) {
        block.remove(0);
    }
    if block.last().is_some_and(blank_ends) {
        block.pop();
    }
    lines.append(&mut block);
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn documentation_loses_one_leading_space_and_no_more() {
        let function: syn::ItemFn = parse_quote! {
            /// First.
            ///
            ///     code
            #[doc(hidden)]
            #[doc = "Last."]
            fn f() {}
        };
        assert_eq!(parse_docs(&function.attrs), ["First.", "", "    code", "Last."]);
    }

    #[test]
    fn a_block_comment_is_read_as_lines() {
        let function: syn::ItemFn = syn::parse_str("/**\n * One.\n *\n * Two.\n */ fn f() {}").unwrap();
        assert_eq!(parse_docs(&function.attrs), ["One.", "", "Two."]);
        let function: syn::ItemFn = syn::parse_str("/** One.\nTwo. */ fn f() {}").unwrap();
        assert_eq!(parse_docs(&function.attrs), ["One.", "Two."]);
    }

    #[test]
    fn of_a_cfg_attr_only_what_speaks_of_the_signature_is_carried() {
        let function: syn::ItemFn = parse_quote! {
            #[cfg(a)]
            #[cfg_attr(b, doc = "x", inline, proxy(py = "x"))]
            #[cfg_attr(c, instrument)]
            #[must_use = "why"]
            #[deprecated]
            fn f() {}
        };
        let carried = parse_carried(&function.attrs);
        let cfgs = &carried.cfgs;
        let expected = quote::quote!(#[cfg(a)] #[cfg_attr(b, doc = "x")]).to_string();
        assert_eq!(quote::quote!(#(#cfgs)*).to_string(), expected);
        assert!(carried.must_use.is_some() && carried.deprecated.is_some());
    }
}
