//! Submodules of the package: what `[python.submodules]` places in a module of its own, and what may not be apart.
//!
//! The modules of a submodule import from those of the package itself, and never the other way. So whatever the package itself
//! names is there too, and a submodule names what is in itself or in the package.

use proc_macro2::Span;

use super::annotation;
use super::lower::Lowering;
use super::model::{Kind, Package};
use crate::config::FILE_NAME;
use crate::diagnose::Diagnostics;

impl Lowering<'_> {
    /// The submodule in which something of that name is placed; `None` is the package itself.
    pub(super) fn place(&self, name: &str) -> Option<String> {
        let mut submodules = self.python.submodules.iter();
        let found = submodules.find(|(_, names)| names.iter().any(|placed| placed == name));
        found.map(|(submodule, _)| submodule.clone())
    }
}

/// Something that has its place, and what it names.
struct Placed {
    name: String,
    module: Option<String>,
    span: Option<Span>,
    names: Vec<String>,
}

/// Refuses names that nothing has, and things apart that belong together.
pub(super) fn check(package: &Package, submodules: &[(String, Vec<String>)], diagnostics: &mut Diagnostics) {
    let placed = placed(package);
    for (submodule, names) in submodules {
        for name in names {
            if !placed.iter().any(|thing| thing.name == *name) {
                let known: Vec<&str> = placed.iter().map(|thing| thing.name.as_str()).collect();
                let cure = match async_proxy_syntax::names::nearest(name, &known) {
                    Some(nearest) => format!("write `{nearest}`"),
                    None => "list classes, functions, values and aliases by their names in Python".to_owned(),
                };
                diagnostics.error_without_place(format!(
                    "{FILE_NAME}: `[python.submodules]` places `{name}` in `{submodule}`, and the API has nothing of that \
                     name\nhelp: {cure}"
                ));
            }
        }
    }
    for thing in &placed {
        for name in &thing.names {
            let Some(other) = placed.iter().find(|other| other.name == *name) else {
                continue;
            };
            if other.module.is_some() && other.module != thing.module {
                report_apart(thing, other, "names it", diagnostics);
            }
        }
    }
    check_workers(package, &placed, diagnostics);
}

/// An object lives on the worker of the one that hands it out, and a function makes the worker of what it opens: both are
/// written with names of the other.
fn check_workers(package: &Package, placed: &[Placed], diagnostics: &mut Diagnostics) {
    let find = |name: &str| placed.iter().find(|thing| thing.name == name);
    let mut pairs: Vec<(&str, &str, &str)> = Vec::new();
    for class in &package.classes {
        let parents = class.parents.iter().map(String::as_str);
        pairs.extend(parents.map(|parent| (class.name.as_str(), parent, "hands it out")));
    }
    for function in &package.functions {
        let opened = function.opens.iter().map(String::as_str);
        pairs.extend(opened.map(|class| (class, function.name.as_str(), "opens it")));
    }
    for (name, other, why) in pairs {
        if let (Some(thing), Some(other)) = (find(name), find(other))
            && thing.module != other.module
            // That one names what it hands out or opens, and was refused for it.
            && thing.module.is_none()
        {
            report_apart(other, thing, why, diagnostics);
        }
    }
}

fn report_apart(thing: &Placed, other: &Placed, why: &str, diagnostics: &mut Diagnostics) {
    let place = |module: &Option<String>| match module {
        Some(module) => format!("in the submodule `{module}`"),
        None => "in the package itself".to_owned(),
    };
    let (name, other_name) = (&thing.name, &other.name);
    let message = format!(
        "`{other_name}` is {}, and `{name}`, which {why}, {}\nhelp: list both in one submodule under `[python.submodules]` in \
         {FILE_NAME}, or `{other_name}` in none",
        place(&other.module),
        place(&thing.module),
    );
    match thing.span {
        Some(span) => diagnostics.error(span, message),
        None => diagnostics.error_without_place(message),
    }
}

/// Everything that can be placed.
fn placed(package: &Package) -> Vec<Placed> {
    let named = |annotations: &mut dyn Iterator<Item = &String>| {
        let names = annotations.flat_map(|annotation| annotation::names(annotation));
        names.map(str::to_owned).collect::<Vec<String>>()
    };
    let mut placed = Vec::new();
    for class in &package.classes {
        let mut names: Vec<String> = class.base.iter().cloned().collect();
        for member in &class.members {
            let parameters = member.parameters.iter().map(|parameter| &parameter.annotation);
            names.extend(named(&mut parameters.chain([&member.returns])));
            if let Kind::Child { class } = &member.kind {
                names.push(class.clone());
            }
        }
        placed.push(Placed {
            name: class.name.clone(),
            module: class.module.clone(),
            span: Some(class.source.options.span.unwrap_or_else(|| class.source.ident.span())),
            names,
        });
    }
    for function in &package.functions {
        let parameters = function.parameters.iter().map(|parameter| &parameter.annotation);
        placed.push(Placed {
            name: function.name.clone(),
            module: function.module.clone(),
            span: Some(function.source.ident.span()),
            names: named(&mut parameters.chain([&function.returns])),
        });
    }
    for value in &package.values {
        placed.push(Placed {
            name: value.name.clone(),
            module: value.module.clone(),
            span: Some(value.source.ident.span()),
            names: named(&mut value.fields.iter().map(|field| &field.annotation)),
        });
    }
    for alias in &package.aliases {
        placed.push(Placed {
            name: alias.name.clone(),
            module: alias.module.clone(),
            span: None,
            names: named(&mut [&alias.annotation].into_iter()),
        });
    }
    placed
}
