//! Type aliases of `Result`, which hide the types of success and error from the text of a method.

use proc_macro2::Ident;
use syn::{GenericParam, ItemType, Type, TypeParam};

use super::types::{as_ident, last_segment, type_arguments};
use crate::model::{AliasOk, ResultAlias};

/// Reads an alias whose target is called a result.
pub(crate) fn parse_alias(item: &ItemType) -> Option<ResultAlias> {
    let target = last_segment(&item.ty).filter(|segment| segment.ident.to_string().ends_with("Result"))?;
    let mut arguments = type_arguments(target).into_iter();
    let success = arguments.next()?;
    let parameters: Vec<&TypeParam> = item
        .generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(parameter),
            _ => None,
        })
        .collect();
    let position = |name: &Ident| parameters.iter().position(|parameter| parameter.ident == *name);
    let ok = match as_ident(success).and_then(position) {
        Some(position) => AliasOk::Parameter(position),
        None => AliasOk::Fixed(success.clone()),
    };
    let error = arguments
        .next()
        .and_then(|error| match as_ident(error).and_then(position) {
            Some(position) => parameters[position]
                .default
                .as_ref()
                .map(|(_, default)| default.clone()),
            None => Some(Type::clone(error)),
        });
    Some(ResultAlias {
        ident: item.ident.clone(),
        ok,
        error,
    })
}
