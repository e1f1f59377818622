//! The type parameters of a method: what bounds them, and where they stand.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{FnArg, GenericParam, Generics, ReturnType, Signature, Type, TypeParamBound, WherePredicate};

use super::types::{as_ident, count_name, has_static, has_trait};
use crate::report::Report;

/// The type and constant parameters of one method.
pub(crate) struct TypeParameters<'a> {
    generics: &'a Generics,
    arguments: Vec<&'a Type>,
    output: &'a ReturnType,
}

impl<'a> TypeParameters<'a> {
    pub(crate) fn of(signature: &'a Signature) -> Self {
        let arguments = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(argument) => Some(&*argument.ty),
            FnArg::Receiver(_) => None,
        });
        TypeParameters {
            generics: &signature.generics,
            arguments: arguments.collect(),
            output: &signature.output,
        }
    }

    pub(crate) fn contains(&self, name: &Ident) -> bool {
        self.names().any(|parameter| parameter == name)
    }

    /// The first parameter that stands anywhere in the type.
    pub(crate) fn first_in(&self, ty: &Type) -> Option<&'a Ident> {
        self.names().find(|name| count_name(ty, name) > 0)
    }

    /// All bounds of a type parameter, from its declaration and from the where clause; `None` for a constant, or where
    /// there is a bound that is not understood.
    pub(crate) fn bounds(&self, name: &Ident) -> Option<Vec<&'a TypeParamBound>> {
        let declared = self.generics.type_params().find(|parameter| parameter.ident == *name)?;
        let mut bounds: Vec<&TypeParamBound> = declared.bounds.iter().collect();
        for predicate in self.generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
            if let WherePredicate::Type(predicate) = predicate {
                if as_ident(&predicate.bounded_ty) == Some(name) {
                    bounds.extend(&predicate.bounds);
                } else if count_name(&predicate.bounded_ty, name) > 0 {
                    return None;
                }
            }
        }
        Some(bounds)
    }

    /// Whether the parameter is nothing but the whole type of arguments, so that another type can stand in for it.
    pub(crate) fn stands_only_as_an_argument(&self, name: &Ident) -> bool {
        let whole = self
            .arguments
            .iter()
            .filter(|argument| as_ident(argument) == Some(name))
            .count();
        let mut everywhere = TokenStream::new();
        self.arguments
            .iter()
            .for_each(|argument| argument.to_tokens(&mut everywhere));
        self.output.to_tokens(&mut everywhere);
        whole == count_name(everywhere, name) && !self.bounds_others(name)
    }

    /// Whether a bound of another parameter speaks of it.
    fn bounds_others(&self, name: &Ident) -> bool {
        let declared = self.generics.params.iter().any(|parameter| match parameter {
            GenericParam::Type(parameter) => {
                parameter.ident != *name && parameter.bounds.iter().any(|bound| count_name(bound, name) > 0)
            }
            _ => false,
        });
        let predicates = self.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let mut types = predicates.filter_map(|predicate| match predicate {
            WherePredicate::Type(predicate) => Some(predicate),
            _ => None,
        });
        declared || types.any(|predicate| predicate.bounds.iter().any(|bound| count_name(bound, name) > 0))
    }

    /// Refuses a type parameter that crosses to the worker as it is, and whose bounds do not say that it can.
    pub(crate) fn check_sendable(&self, crosses: impl Fn(&Ident) -> bool, report: &mut Report) {
        for parameter in self
            .generics
            .type_params()
            .filter(|parameter| crosses(&parameter.ident))
        {
            let Some(bounds) = self.bounds(&parameter.ident) else {
                continue;
            };
            let sent = has_trait(bounds.iter().copied(), "Send");
            let lasting = has_static(bounds.iter().copied());
            let lacks = match (sent, lasting) {
                (true, true) => continue,
                (true, false) => "'static",
                (false, true) => "Send",
                (false, false) => "Send + 'static",
            };
            report.fault(
                parameter,
                format!(
                    "`{}` crosses to the worker's thread, and its bounds do not say that it can",
                    parameter.ident
                ),
                format!("add `{lacks}` to them"),
            );
        }
    }

    fn names(&self) -> impl Iterator<Item = &'a Ident> {
        self.generics.params.iter().filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(&parameter.ident),
            GenericParam::Const(parameter) => Some(&parameter.ident),
            GenericParam::Lifetime(_) => None,
        })
    }
}
