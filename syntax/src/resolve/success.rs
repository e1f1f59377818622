//! The type of success of each return type, looked for through the aliases of `Result`, with the class in place of `Self`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Type, TypePath};

use crate::model::{AliasOk, Description, ResultAlias, Returns};
use crate::parse::types::{as_ident, last_segment, peel, type_arguments, type_of};

/// Rewrites the success types of all descriptions.
pub(super) fn resolve_success_types(descriptions: &mut [Description]) {
    let everywhere: Vec<ResultAlias> = descriptions
        .iter()
        .flat_map(|description| description.aliases.clone())
        .collect();
    for description in descriptions {
        let aliases = Aliases {
            near: &description.aliases.clone(),
            everywhere: &everywhere,
        };
        for block in &mut description.blocks {
            for member in &mut block.members {
                aliases.resolve(&mut member.returns);
                if let Some(ok) = &mut member.returns.ok {
                    *ok = without_self(ok, &block.self_ty);
                }
            }
        }
        for function in &mut description.functions {
            aliases.resolve(&mut function.returns);
        }
    }
}

/// The aliases that a file can mean: its own before those of other files, which it may have imported.
pub(super) struct Aliases<'a> {
    pub(super) near: &'a [ResultAlias],
    pub(super) everywhere: &'a [ResultAlias],
}

impl Aliases<'_> {
    fn resolve(&self, returns: &mut Returns) {
        let Some(ty) = returns.item.as_ref().or(returns.ty.as_ref()) else {
            return;
        };
        let Some(alias) = self.find(ty) else { return };
        let arguments = last_segment(ty).map(type_arguments).unwrap_or_default();
        let ok = match &alias.ok {
            AliasOk::Parameter(position) => arguments.get(*position).map(|ty| Type::clone(ty)),
            AliasOk::Fixed(ty) => Some(ty.clone()),
        };
        returns.ok = ok;
        returns.fallible = true;
    }

    /// The alias that a type is written with.
    pub(super) fn find(&self, ty: &Type) -> Option<&ResultAlias> {
        let Type::Path(TypePath { qself: None, path, .. }) = peel(ty) else {
            return None;
        };
        let segment = path.segments.last()?;
        // `io::Result<T>` is not the crate's own.
        let first = path.segments.first()?;
        let is_local = path.segments.len() == 1 || ["crate", "self", "super"].iter().any(|word| first.ident == word);
        let has_arguments = !type_arguments(segment).is_empty();
        let fits = |alias: &&ResultAlias| {
            alias.ident == segment.ident
                && (has_arguments || matches!(alias.ok, AliasOk::Fixed(_)))
                && !(has_arguments && segment.ident == "Result" && matches!(alias.ok, AliasOk::Fixed(_)))
        };
        if !is_local && segment.ident == "Result" {
            return None;
        }
        self.near
            .iter()
            .find(fits)
            .or_else(|| self.everywhere.iter().find(fits))
    }
}

/// A type with the class in place of `Self`.
fn without_self(ty: &Type, class: &Type) -> Type {
    if as_ident(ty).is_some_and(|ident| ident == "Self") {
        return class.clone();
    }
    fn replace(tokens: TokenStream, class: &TokenStream) -> TokenStream {
        tokens
            .into_iter()
            .flat_map(|token| match token {
                TokenTree::Ident(ident) if ident == "Self" => class.clone(),
                TokenTree::Group(group) => {
                    let mut replaced = proc_macro2::Group::new(group.delimiter(), replace(group.stream(), class));
                    replaced.set_span(group.span());
                    TokenTree::Group(replaced).into()
                }
                other => other.into(),
            })
            .collect()
    }
    let own: Ident = Ident::new("Self", proc_macro2::Span::call_site());
    if crate::parse::types::count_name(ty, &own) == 0 {
        return ty.clone();
    }
    type_of(replace(ty.to_token_stream(), &class.to_token_stream()))
}
