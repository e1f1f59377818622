//! Annotated structs: options and values.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Field, Fields, ItemStruct, Visibility};

use super::attribute::{Owner, parse_entries, parse_helper, placeholder};
use super::carried::parse_carried;
use super::literal::python_literal;
use super::ownership::refuse_unsendable;
use super::types::{find_borrow, find_impl};
use crate::model::{OptionField, OptionStruct};
use crate::report::Report;

const STRUCT: Owner = Owner {
    what: "`#[async_proxy]` on a struct",
    keys: &["value"],
    python_only: &[],
};

const FIELD: Owner = Owner {
    what: "a field",
    keys: &["default", "keyword_only", "name", "py"],
    python_only: &["default", "keyword_only", "name", "py"],
};

/// Reads an annotated struct of options.
pub(crate) fn parse_options(attribute: TokenStream, item: &ItemStruct, report: &mut Report) -> OptionStruct {
    let mut entries = Vec::new();
    parse_entries(attribute, &STRUCT, &mut entries, report);
    entries.iter().for_each(|entry| entry.flag(report));
    let is_value = !entries.is_empty();
    if !item.generics.params.is_empty() {
        report.fault(
            &item.generics,
            "generic options cannot be spread over parameters",
            "write a concrete struct",
        );
    }
    let mut fields = Vec::new();
    if let Fields::Named(named) = &item.fields {
        let mut keyword_only = false;
        for field in &named.named {
            let mut field = parse_field(field, report);
            if is_value && field.keyword_only {
                report.fault(
                    &field.ident,
                    "the fields of a value are given by their places too",
                    "remove `keyword_only`",
                );
            }
            // One that is keyword-only makes those behind it so.
            keyword_only |= field.keyword_only;
            field.keyword_only = keyword_only;
            fields.push(field);
        }
    } else {
        report.fault(
            &item.ident,
            "options need names: each field is a parameter in Python",
            "write a struct with named public fields; a proxied class is annotated on its `impl` block",
        );
    }
    OptionStruct {
        ident: item.ident.clone(),
        is_value,
        fields,
        carried: parse_carried(&item.attrs),
    }
}

fn parse_field(field: &Field, report: &mut Report) -> OptionField {
    let ident = field.ident.clone().unwrap_or_else(placeholder);
    if !matches!(field.vis, Visibility::Public(_)) {
        report.fault(
            &ident,
            format!("`{ident}` is not public, so that no caller could fill it in"),
            "make it `pub`, or move it out of the options",
        );
    }
    if let Some(lent) = find_borrow(&field.ty) {
        report.fault(
            lent,
            "options are owned at the boundary, and cannot borrow",
            "write `String` for `&str`",
        );
    } else if let Some(anonymous) = find_impl(&field.ty) {
        report.fault(anonymous, "a field has a type with a name", "name the type");
    } else if let Err(fault) = refuse_unsendable(&field.ty) {
        report.add(fault);
    }
    let mut parsed = OptionField {
        ident,
        python_name: None,
        ty: field.ty.clone(),
        default: None,
        keyword_only: false,
        python: None,
        carried: parse_carried(&field.attrs),
    };
    for entry in parse_helper(&field.attrs, &FIELD, report) {
        match entry.key.to_string().as_str() {
            "default" => match python_literal(entry.value.to_token_stream()) {
                Ok(default) => parsed.default = Some(default),
                Err(fault) => report.add(fault.or_at(&entry)),
            },
            "name" => parsed.python_name = entry.python_name(report),
            "py" => parsed.python = entry.annotation(report),
            _ => {
                entry.flag(report);
                parsed.keyword_only = true;
            }
        }
    }
    parsed
}
