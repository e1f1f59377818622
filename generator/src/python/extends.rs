//! What a class that extends another must have in common with it, so that the members of both work on it in Python.

use super::model::Class;
use crate::diagnose::Diagnostics;

/// Refuses classes that extend one which they do not go with.
pub(super) fn check(classes: &[Class], diagnostics: &mut Diagnostics) {
    for class in classes {
        let span = class.source.options.span.unwrap_or_else(|| class.source.ident.span());
        for base in above(classes, class) {
            let (name, base_name) = (&class.name, &base.name);
            if class.opened != base.opened {
                let (one, other) = if class.opened {
                    (name, base_name)
                } else {
                    (base_name, name)
                };
                diagnostics.error(
                    span,
                    format!(
                        "`{name}` extends `{base_name}`, and in Python both are opened or neither is: `{one}` has a thread of its \
                         own, `{other}` lives on that of the object that hands it out\nhelp: open both, or leave `extends` out"
                    ),
                );
            }
            for (what, both) in [
                (
                    "properties that are snapshots",
                    has_snapshots(class) && has_snapshots(base),
                ),
                ("readers of rows", class.has_rows() && base.has_rows()),
            ] {
                if both {
                    diagnostics.error(
                        span,
                        format!(
                            "both `{name}` and `{base_name}`, which it extends, have {what}\nhelp: keep those of `{base_name}`, \
                             and keep the others out of Python with `#[proxy(rust_only = \"why\")]`"
                        ),
                    );
                }
            }
        }
    }
}

/// The classes that a class extends, the nearest first.
fn above<'a>(classes: &'a [Class], class: &'a Class) -> Vec<&'a Class> {
    let mut found: Vec<&Class> = Vec::new();
    let mut next = class.base.as_ref();
    while let Some(base) = next.and_then(|base| classes.iter().find(|class| class.name == *base)) {
        if base.name == class.name || found.iter().any(|earlier| earlier.name == base.name) {
            break;
        }
        found.push(base);
        next = base.base.as_ref();
    }
    found
}

fn has_snapshots(class: &Class) -> bool {
    class.snapshots().next().is_some()
}
