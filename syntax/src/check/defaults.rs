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
    if given.is_some_and(|given| given == wanted || (given, wanted) == (Builtin::Integer, Builtin::Float))
        && let Some(wrong) = out_of_range(default, peel(inner))
    {
        report.fault(
            place,
            format!("the default `{default}` of `{place}` {wrong}"),
            "give a default that the type has room for, or take another type",
        );
        return;
    }
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

/// What is wrong with a literal that is of the right kind; `None` if its type has room for it.
fn out_of_range(literal: &str, ty: &Type) -> Option<String> {
    let named = |name: &&&str| is_named(ty, name);
    if let Some(name) = ["f32", "f64"].iter().find(named) {
        let number: f64 = literal.parse().ok()?;
        let finite = if *name == "f32" {
            (number as f32).is_finite()
        } else {
            number.is_finite()
        };
        return (!finite).then(|| format!("is beyond what `{name}` holds"));
    }
    if is_named(ty, "char") {
        let text = &literal[1..literal.len() - 1];
        // An escape stands for one character, or for a text that the compiler's own words are good enough for.
        let one = text.starts_with('\\') || text.chars().count() == 1;
        return (!one).then(|| "is not one character".to_owned());
    }
    let unsigned = ["u8", "u16", "u32", "u64", "u128", "usize"];
    let signed = ["i8", "i16", "i32", "i64", "i128", "isize"];
    // As wide as on a machine of 64 bits: what fits only there is the compiler's to refuse elsewhere.
    let bits = |name: &str| name[1..].parse().unwrap_or(64_u32);
    let (negative, digits) = match literal.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, literal),
    };
    if let Some(name) = unsigned.iter().find(named) {
        let (most, number) = (u128::MAX >> (128 - bits(name)), digits.parse::<u128>());
        return match number {
            Ok(0) => None,
            Ok(_) if negative => Some(format!("is negative, and `{name}` is not")),
            Ok(number) if number <= most => None,
            _ => Some(format!("is beyond what `{name}` holds, at most {most}")),
        };
    }
    let name = signed.iter().find(named)?;
    let most = i128::MAX >> (128 - bits(name));
    match literal.parse::<i128>() {
        Ok(number) if (-most - 1..=most).contains(&number) => None,
        _ => Some(format!("is beyond what `{name}` holds, from {} to {most}", -most - 1)),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(ty: &str, default: &str) -> String {
        let mut report = Report::new();
        let place = proc_macro2::Ident::new("level", proc_macro2::Span::call_site());
        check_default(&place, default, &syn::parse_str(ty).unwrap(), &mut report);
        let faults = report.into_result().err().unwrap_or_default();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_default_that_its_type_has_no_room_for_is_refused() {
        for (ty, default, wrong) in [
            ("u8", "300", "is beyond what `u8` holds, at most 255"),
            ("u64", "-1", "is negative, and `u64` is not"),
            ("Option<i8>", "-129", "from -128 to 127"),
            ("i64", "9223372036854775808", "is beyond what `i64` holds"),
            (
                "i128",
                "170141183460469231731687303715884105728",
                "is beyond what `i128` holds",
            ),
            (
                "u128",
                "340282366920938463463374607431768211456",
                "is beyond what `u128` holds",
            ),
            ("f64", "1e400", "is beyond what `f64` holds"),
            ("f32", "-1e39", "is beyond what `f32` holds"),
            ("char", "\"ab\"", "is not one character"),
            ("char", "\"\"", "is not one character"),
        ] {
            let found = faults(ty, default);
            assert!(
                found.contains(wrong) && found.contains("\nhelp: "),
                "{ty} = {default}: {found}"
            );
        }
    }

    #[test]
    fn a_default_at_the_end_of_its_type_is_taken() {
        for (ty, default) in [
            ("u8", "255"),
            ("u64", "-0"),
            ("i8", "-128"),
            ("Option<u64>", "18446744073709551615"),
            ("i128", "-170141183460469231731687303715884105728"),
            ("u128", "340282366920938463463374607431768211455"),
            ("f64", "1e308"),
            ("f64", "3"),
            ("char", "\"é\""),
            ("char", "\"\\n\""),
            ("Option<u8>", "None"),
        ] {
            assert_eq!(faults(ty, default), "", "{ty} = {default}");
        }
    }
}
