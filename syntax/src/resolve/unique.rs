//! Names that must be unique, on each side.

use proc_macro2::Ident;

use crate::check::are_alternatives;
use crate::model::{Api, Carried, Class, Kind};
use crate::names;
use crate::report::Report;

/// Something that has a name on some side.
struct Named<'a> {
    ident: &'a Ident,
    name: String,
    carried: &'a Carried,
}

/// Checks the names of classes and functions, and of the members of each class.
pub(super) fn check_unique(api: &Api, report: &mut Report) {
    let functions = || api.functions.iter();
    let rust = api
        .classes
        .iter()
        .filter(|class| !class.options.twins)
        .map(|class| Named {
            ident: &class.ident,
            name: names::proxy_ident(class.colour, &class.ident, &class.options).to_string(),
            carried: &class.carried,
        })
        .chain(functions().map(|function| Named {
            ident: &function.ident,
            name: names::function_ident(function).to_string(),
            carried: &function.carried,
        }));
    check_group(
        rust.collect(),
        "on the generated side of Rust",
        "write `#[async_proxy(name = \"…\")]` on one of the two",
        report,
    );

    let python_classes = api.classes.iter().map(|class| Named {
        ident: &class.ident,
        name: names::python_class_name(&class.ident, &class.options),
        carried: &class.carried,
    });
    let python_functions = functions()
        .filter(|function| function.python.rust_only.is_none())
        .map(|function| Named {
            ident: &function.ident,
            name: names::python_function_name(function),
            carried: &function.carried,
        });
    let values = api.options.iter().filter(|options| options.is_value);
    let python_values = values.map(|value| Named {
        ident: &value.ident,
        name: names::plain(&value.ident),
        carried: &value.carried,
    });
    let mut python: Vec<Named<'_>> = python_classes.chain(python_functions).chain(python_values).collect();
    for errors in &api.errors {
        for variant in &errors.variants {
            // Several variants may become one exception.
            let exception = Named {
                ident: &variant.ident,
                name: variant.exception.clone(),
                carried: &variant.carried,
            };
            let is_known = python
                .iter()
                .any(|named| named.name == exception.name && is_variant(api, named.ident));
            if !is_known && !names::is_python_exception(&exception.name) {
                python.push(exception);
            }
        }
    }
    let cure = "write `python = \"…\"` on a class, `#[proxy(name = \"…\")]` on a function, or another `exception`";
    check_group(python, "in Python", cure, report);
    for class in &api.classes {
        check_members(class, report);
    }
}

fn is_variant(api: &Api, ident: &Ident) -> bool {
    api.errors
        .iter()
        .flat_map(|errors| &errors.variants)
        .any(|variant| std::ptr::eq(&variant.ident, ident))
}

/// A setter is an assignment in Python, and has no name of its own there.
fn check_members(class: &Class, report: &mut Report) {
    let named = class
        .members
        .iter()
        .filter(|member| member.python.rust_only.is_none() && !matches!(member.kind, Kind::Setter { .. }))
        .map(|member| Named {
            ident: &member.ident,
            name: names::python_member_name(member),
            carried: &member.carried,
        });
    // Two of one Rust name were reported for that.
    let mut unique: Vec<Named<'_>> = Vec::new();
    for member in named {
        if !unique.iter().any(|other| other.ident == member.ident) {
            unique.push(member);
        }
    }
    let place = format!("of `{}` in Python", class.ident);
    check_group(
        unique,
        &place,
        "write `#[proxy(name = \"…\")]` with another name",
        report,
    );
}

fn check_group(named: Vec<Named<'_>>, place: &str, cure: &str, report: &mut Report) {
    for (index, one) in named.iter().enumerate() {
        let rival = named[..index]
            .iter()
            .find(|other| other.name == one.name && !are_alternatives(other.carried, one.carried));
        if let Some(rival) = rival {
            let wrong = format!(
                "`{}` and `{}` are both called `{}` {place}",
                rival.ident, one.ident, one.name
            );
            report.fault(one.ident, wrong, cure);
        }
    }
}
