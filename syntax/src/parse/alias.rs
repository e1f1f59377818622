//! Type aliases of `Result`, which hide the type of success from the text of a method.

use syn::{GenericParam, ItemType};

use super::types::{as_ident, last_segment, type_arguments};
use crate::model::{AliasOk, ResultAlias};

/// Reads an alias whose target is called a result.
pub(crate) fn parse_alias(item: &ItemType) -> Option<ResultAlias> {
    let target = last_segment(&item.ty).filter(|segment| segment.ident.to_string().ends_with("Result"))?;
    let success = type_arguments(target).into_iter().next()?;
    let mut types = item.generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => Some(&parameter.ident),
        _ => None,
    });
    let position = as_ident(success).and_then(|success| types.position(|parameter| parameter == success));
    Some(ResultAlias {
        ident: item.ident.clone(),
        ok: position.map_or_else(|| AliasOk::Fixed(success.clone()), AliasOk::Parameter),
    })
}
