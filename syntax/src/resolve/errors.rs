//! Error enums that nothing returns.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::Type;

use super::success::Aliases;
use crate::model::{Api, Description, ResultAlias, Returns};
use crate::parse::types::{count_name, last_segment, type_arguments};
use crate::report::Report;

/// The types of error that the API's functions return.
pub(super) struct ReturnedErrors {
    types: Vec<Type>,
    /// One of them hides behind something that the sources do not show.
    incomplete: bool,
}

impl ReturnedErrors {
    /// Collects them.
    pub(super) fn of(descriptions: &[Description]) -> Self {
        let everywhere: Vec<ResultAlias> = descriptions
            .iter()
            .flat_map(|description| description.aliases.clone())
            .collect();
        let mut returned = ReturnedErrors {
            types: Vec::new(),
            incomplete: false,
        };
        for description in descriptions {
            let aliases = Aliases {
                near: &description.aliases,
                everywhere: &everywhere,
            };
            let members = description
                .blocks
                .iter()
                .flat_map(|block| &block.members)
                .map(|member| &member.returns);
            for returns in members.chain(description.functions.iter().map(|function| &function.returns)) {
                returned.add(returns, &aliases);
            }
            returned.types.extend(
                description
                    .blocks
                    .iter()
                    .filter_map(|block| block.options.error.clone()),
            );
            returned.types.extend(
                description
                    .functions
                    .iter()
                    .filter_map(|function| function.error.clone()),
            );
        }
        returned
    }

    fn add(&mut self, returns: &Returns, aliases: &Aliases<'_>) {
        let Some(ty) = returns
            .ty
            .as_ref()
            .filter(|_| returns.fallible || looks_fallible(returns))
        else {
            return;
        };
        let written = last_segment(ty)
            .map(type_arguments)
            .unwrap_or_default()
            .into_iter()
            .nth(1);
        let error = written.cloned().or_else(|| aliases.find(ty)?.error.clone());
        match error {
            Some(error) => self.types.push(error),
            None => self.incomplete = true,
        }
    }
}

fn looks_fallible(returns: &Returns) -> bool {
    let segment = returns.ty.as_ref().and_then(last_segment);
    segment.is_some_and(|segment| segment.ident.to_string().ends_with("Result"))
}

/// Refuses an annotated enum whose exceptions could never be raised.
pub(super) fn check_reached(api: &Api, returned: &ReturnedErrors, report: &mut Report) {
    if returned.incomplete {
        return;
    }
    for errors in &api.errors {
        let is_returned = returned.types.iter().any(|ty| mentions(ty, &errors.ident));
        if !is_returned {
            report.fault(
                &errors.ident,
                format!(
                    "no annotated function returns `{}`, so none of its exceptions is ever raised",
                    errors.ident
                ),
                format!("return `Result<…, {}>`, or remove `#[async_proxy]`", errors.ident),
            );
        }
    }
}

fn mentions(ty: &Type, name: &Ident) -> bool {
    count_name(ty.to_token_stream(), name) > 0
}
