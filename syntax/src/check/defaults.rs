//! Defaults against the types of the arguments that they are for.

use syn::Type;

use crate::model::{Argument, PythonOptions};
use crate::names;
use crate::parse::types::{is_named, peel};
use crate::report::Report;

/// Refuses a default that the argument's type has no room for, as far as its text shows.
pub(super) fn check_defaults(python: &PythonOptions, arguments: &[Argument], report: &mut Report) {
    for argument in arguments {
        let name = names::plain(&argument.ident);
        let parameters = python.signature.iter().flat_map(|signature| &signature.parameters);
        let Some(default) = parameters
            .filter(|parameter| parameter.name == name)
            .find_map(|parameter| parameter.default.as_deref())
        else {
            continue;
        };
        if argument.spread {
            report.fault(
                &argument.ident,
                format!("`{name}` is spread over parameters, each with a default of its own"),
                format!("write `{name}` without a default in the signature"),
            );
        } else if argument.python.is_none() {
            check_default(&argument.ident, default, &argument.owned, report);
        }
    }
}

/// Refuses one default.
pub(super) fn check_default(place: &proc_macro2::Ident, default: &str, ty: &Type, report: &mut Report) {
    let (inner, optional) = match crate::parse::types::inside(ty, "Option") {
        Some(inner) => (inner, true),
        None => (ty, false),
    };
    let Some(wanted) = Builtin::of(inner) else { return };
    let given = Builtin::of_literal(default);
    let fits = match (given, wanted) {
        (None, _) => optional && default == "None",
        (Some(Builtin::Integer), Builtin::Float) => true,
        (Some(given), wanted) => given == wanted,
    };
    if !fits {
        let cure = match (default, wanted) {
            ("None", _) => "take an `Option`, or give another default".to_owned(),
            (_, wanted) => format!("write {}, as in `{place} = {}`", wanted.described(), wanted.example()),
        };
        report.fault(
            place,
            format!("the default `{default}` of `{place}` does not fit its type"),
            cure,
        );
    }
}

/// The types that Python has a literal for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Builtin {
    Bool,
    Integer,
    Float,
    Text,
}

impl Builtin {
    fn of(ty: &Type) -> Option<Self> {
        let ty = peel(ty);
        let is_one_of = |names: &[&str]| names.iter().any(|name| is_named(ty, name));
        if is_named(ty, "bool") {
            Some(Self::Bool)
        } else if is_one_of(&["f32", "f64"]) {
            Some(Self::Float)
        } else if is_one_of(&["String", "str", "char"]) {
            Some(Self::Text)
        } else if is_one_of(&[
            "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
        ]) {
            Some(Self::Integer)
        } else {
            None
        }
    }

    /// What a literal of Python is; `None` for any that fits none of these types.
    fn of_literal(literal: &str) -> Option<Self> {
        let unsigned = literal.trim_start_matches('-');
        match literal {
            "True" | "False" => Some(Self::Bool),
            _ if literal.starts_with(['"', '\'']) => Some(Self::Text),
            _ if unsigned.starts_with(|first: char| first.is_ascii_digit()) => Some(if unsigned.contains(['.', 'e']) {
                Self::Float
            } else {
                Self::Integer
            }),
            _ => None,
        }
    }

    fn described(self) -> &'static str {
        match self {
            Self::Bool => "a bool",
            Self::Integer => "an integer",
            Self::Float => "a number",
            Self::Text => "a string",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Bool => "True",
            Self::Integer => "1",
            Self::Float => "1.0",
            Self::Text => "\"…\"",
        }
    }
}
