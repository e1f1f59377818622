//! Error enums by themselves: each exception has one base, and the bases lead to one that exists.

use crate::model::{ErrorEnum, ErrorVariant};
use crate::names::{self, dbapi_exception_base, is_python_exception};
use crate::report::Report;

/// Checks an annotated error enum.
pub fn check_errors(errors: &ErrorEnum, report: &mut Report) {
    if errors.variants.is_empty() {
        report.fault(
            &errors.ident,
            format!("`{}` has no variants, so nothing could be raised", errors.ident),
            "add one, as in `#[proxy(exception = \"OperationalError\")] Operational(String)`",
        );
    }
    for (index, variant) in errors.variants.iter().enumerate() {
        if let Some(base) = &variant.base {
            check_base(errors, variant, base, report);
            check_agreement(&errors.variants[..index], variant, base, report);
        }
    }
}

fn check_base(errors: &ErrorEnum, variant: &ErrorVariant, base: &str, report: &mut Report) {
    let exception = &variant.exception;
    if is_python_exception(exception) && dbapi_exception_base(exception).is_none() {
        report.fault(
            &variant.ident,
            format!("`{exception}` comes with Python, and has its base already"),
            "remove `base`, or give the exception a name of its own",
        );
    } else if !is_known(errors, base) {
        let mut known: Vec<&str> = errors
            .variants
            .iter()
            .map(|variant| variant.exception.as_str())
            .collect();
        known.extend([
            "Exception",
            "ValueError",
            "RuntimeError",
            "OSError",
            "TimeoutError",
            "LookupError",
        ]);
        let cure = match names::nearest(base, &known) {
            Some(nearest) => format!("write `base = \"{nearest}\"`"),
            None => "name an exception of this enum, or one that comes with Python".to_owned(),
        };
        report.fault(
            &variant.ident,
            format!("there is no exception `{base}` to derive from"),
            cure,
        );
    } else if leads_back(errors, exception, base) {
        report.fault(
            &variant.ident,
            format!("`{exception}` derives from itself, by way of `{base}`"),
            "remove one `base` of the circle",
        );
    }
}

fn is_known(errors: &ErrorEnum, base: &str) -> bool {
    is_python_exception(base)
        || dbapi_exception_base(base).is_some()
        || errors.variants.iter().any(|variant| variant.exception == base)
}

/// Whether the bases lead from `base` to the exception.
fn leads_back(errors: &ErrorEnum, exception: &str, base: &str) -> bool {
    let mut current = base;
    // No chain is longer than there are variants.
    for _ in 0..=errors.variants.len() {
        if current == exception {
            return true;
        }
        let next = errors
            .variants
            .iter()
            .find(|variant| variant.exception == current && variant.base.is_some());
        match next.and_then(|variant| variant.base.as_deref()) {
            Some(base) => current = base,
            None => return false,
        }
    }
    false
}

fn check_agreement(earlier: &[ErrorVariant], variant: &ErrorVariant, base: &str, report: &mut Report) {
    let other = earlier
        .iter()
        .find(|other| other.exception == variant.exception && other.base.as_deref().is_some_and(|other| other != base));
    if let Some(other) = other {
        let first = other.base.as_deref().unwrap_or_default();
        report.fault(
            &variant.ident,
            format!(
                "`{}` derives from `{first}` at `{}`, and from `{base}` here",
                variant.exception, other.ident
            ),
            format!("write `base = \"{first}\"`, or give the exception another name"),
        );
    }
}
