//! Structs of options by themselves.

use super::defaults::check_default;
use crate::model::OptionStruct;
use crate::report::Report;

/// Checks an annotated struct of options.
pub fn check_options(options: &OptionStruct, report: &mut Report) {
    let mut defaulted = None;
    for field in &options.fields {
        match (&field.default, defaulted) {
            (Some(default), _) => {
                if field.python.is_none() {
                    check_default(&field.ident, default, &field.ty, report);
                }
                if !field.keyword_only {
                    defaulted = Some(&field.ident);
                }
            }
            (None, Some(earlier)) if !field.keyword_only => report.fault(
                &field.ident,
                format!(
                    "`{}` has no default, and stands behind `{earlier}`, which has one",
                    field.ident
                ),
                "give it one, `#[proxy(default = …)]`, move it before, or write `#[proxy(keyword_only)]`",
            ),
            (None, _) => {}
        }
    }
}
