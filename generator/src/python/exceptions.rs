//! The exceptions of a package: those that its error enums name and, with the profile `dbapi`, those of PEP 249.

use async_proxy_syntax::model::{Api, ErrorEnum as SourceEnum};

use super::model::{Docs, ErrorEnum, ErrorVariant, Exception};
use super::names::{self, is_builtin_exception};
use crate::diagnose::Diagnostics;

/// The classes of PEP 249, bases first, with its words.
const PEP_249: [(&str, &str, &str); 10] = [
    (
        "Warning",
        "Exception",
        "An important warning, such as data that was truncated while it was inserted.",
    ),
    (
        "Error",
        "Exception",
        "The base of all other errors of this module: one `except` catches them all.",
    ),
    (
        "InterfaceError",
        "Error",
        "An error of the database interface rather than of the database.",
    ),
    ("DatabaseError", "Error", "An error of the database."),
    (
        "DataError",
        "DatabaseError",
        "An error in the processed data, such as a value that is out of range.",
    ),
    (
        "OperationalError",
        "DatabaseError",
        "An error of the database's operation that need not be the programmer's fault.",
    ),
    (
        "IntegrityError",
        "DatabaseError",
        "The relational integrity of the database would be broken.",
    ),
    (
        "InternalError",
        "DatabaseError",
        "The database ran into an internal error.",
    ),
    (
        "ProgrammingError",
        "DatabaseError",
        "A mistake of the program, such as a wrong number of parameters.",
    ),
    (
        "NotSupportedError",
        "DatabaseError",
        "Something was used that the database does not have.",
    ),
];

/// The exceptions of the package, bases before what is derived from them.
pub(super) fn lower(api: &Api, dbapi: bool, diagnostics: &mut Diagnostics) -> Vec<Exception> {
    let mut exceptions: Vec<Exception> = Vec::new();
    if dbapi {
        exceptions.extend(PEP_249.iter().map(|(name, base, docs)| Exception {
            name: (*name).to_owned(),
            base: (*base).to_owned(),
            builtin: false,
            docs: Docs {
                lines: vec![(*docs).to_owned()],
            },
        }));
    }
    let mut described: Vec<Exception> = Vec::new();
    for variant in api.errors.iter().flat_map(|error| &error.variants) {
        let name = &variant.exception;
        if let Some(fault) = names::fault(name) {
            diagnostics.error(
                variant.ident.span(),
                format!("the exception `{name}` {fault}\nhelp: give it another name"),
            );
            continue;
        }
        let is_pep_249 = exceptions.iter().any(|exception| exception.name == *name);
        if is_pep_249 || is_builtin_exception(name) {
            if variant.base.is_some() {
                diagnostics.error(
                    variant.ident.span(),
                    format!("`{name}` has its base already\nhelp: leave `base` out, or choose another name"),
                );
            }
            if !is_pep_249 && !described.iter().any(|exception| exception.name == *name) {
                described.push(Exception {
                    name: name.clone(),
                    base: String::new(),
                    builtin: true,
                    docs: Docs::default(),
                });
            }
            continue;
        }
        let base = variant.base.clone();
        match described.iter_mut().find(|exception| exception.name == *name) {
            Some(earlier) => {
                if base.is_some_and(|base| base != earlier.base) {
                    diagnostics.error(
                        variant.ident.span(),
                        format!(
                            "`{name}` was given the base `{}` above\nhelp: say `base` once",
                            earlier.base
                        ),
                    );
                }
            }
            None => described.push(Exception {
                name: name.clone(),
                base: base.unwrap_or_else(|| "Exception".to_owned()),
                builtin: false,
                docs: super::docs::convert(&variant.carried.docs, &|_| None),
            }),
        }
    }
    add_bases_first(described, &mut exceptions, api, diagnostics);
    exceptions
}

/// Moves exceptions over in an order in which each base stands before what is derived from it.
fn add_bases_first(
    mut waiting: Vec<Exception>,
    exceptions: &mut Vec<Exception>,
    api: &Api,
    diagnostics: &mut Diagnostics,
) {
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|exception| {
            exception.builtin
                || is_builtin_exception(&exception.base)
                || exceptions
                    .iter()
                    .any(|base| base.name == exception.base && !base.builtin)
        });
        let Some(ready) = ready else { break };
        exceptions.push(waiting.remove(ready));
    }
    for exception in waiting {
        let variant = api
            .errors
            .iter()
            .flat_map(|error| &error.variants)
            .find(|variant| variant.exception == exception.name);
        if let Some(variant) = variant {
            diagnostics.error(
                variant.ident.span(),
                format!(
                    "the base `{}` of `{}` is no exception that is known\nhelp: name one of Python's, or one that another \
                     variant becomes, and no circle of them",
                    exception.base, exception.name
                ),
            );
        }
    }
}

/// The enums, with the exception of each variant.
pub(super) fn lower_enum(error: &SourceEnum, crate_path: &str) -> ErrorEnum {
    ErrorEnum {
        path: format!("{crate_path}::{}", error.ident),
        variants: error
            .variants
            .iter()
            .map(|variant| ErrorVariant {
                ident: variant.ident.to_string(),
                shape: variant.shape,
                exception: variant.exception.clone(),
            })
            .collect(),
        source: error.clone(),
    }
}
