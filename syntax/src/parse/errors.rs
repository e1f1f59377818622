//! Annotated error enums.

use proc_macro2::TokenStream;
use syn::{Attribute, Fields, ItemEnum, Variant};

use super::attribute::{Owner, parse_entries, parse_helper};
use super::carried::parse_carried;
use crate::model::{ErrorEnum, ErrorVariant, VariantShape};
use crate::report::Report;

const ENUM: Owner = Owner {
    what: "`#[async_proxy]` on an enum",
    keys: &[],
    python_only: &[],
};

const VARIANT: Owner = Owner {
    what: "a variant",
    keys: &["exception", "base"],
    python_only: &["exception", "base"],
};

/// Reads an annotated error enum.
pub(crate) fn parse_errors(attribute: TokenStream, item: &ItemEnum, report: &mut Report) -> ErrorEnum {
    parse_entries(attribute, &ENUM, &mut Vec::new(), report);
    if !item.generics.params.is_empty() {
        report.fault(
            &item.generics,
            "a generic error has no single exception for each variant",
            "write a concrete enum",
        );
    }
    ErrorEnum {
        ident: item.ident.clone(),
        variants: item
            .variants
            .iter()
            .map(|variant| parse_variant(variant, report))
            .collect(),
        non_exhaustive: is_non_exhaustive(&item.attrs),
        carried: parse_carried(&item.attrs),
    }
}

fn parse_variant(variant: &Variant, report: &mut Report) -> ErrorVariant {
    let mut exception = None;
    let mut base = None;
    let faults_before = report.len();
    for entry in parse_helper(&variant.attrs, &VARIANT, report) {
        let name = entry.python_name(report);
        if entry.key == "exception" {
            exception = name;
        } else {
            base = name;
        }
    }
    if exception.is_none() && report.len() == faults_before {
        report.fault(
            &variant.ident,
            format!("nothing says which Python exception `{}` becomes", variant.ident),
            format!("write `#[proxy(exception = \"{}Error\")]`", variant.ident),
        );
    }
    ErrorVariant {
        ident: variant.ident.clone(),
        shape: match &variant.fields {
            // Another crate may name none of its fields, not even by their number; this form goes for every shape.
            _ if is_non_exhaustive(&variant.attrs) => VariantShape::Struct,
            Fields::Unit => VariantShape::Unit,
            Fields::Unnamed(_) => VariantShape::Tuple,
            Fields::Named(_) => VariantShape::Struct,
        },
        exception: exception.unwrap_or_default(),
        base,
        carried: parse_carried(&variant.attrs),
    }
}

fn is_non_exhaustive(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("non_exhaustive"))
}
