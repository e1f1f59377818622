//! Structs of options, spread over the parameters of the functions that take them.

use proc_macro2::Ident;

use crate::model::{Api, Argument, OptionStruct, PythonOptions};
use crate::names::{nearest, plain};
use crate::parse::types::last_segment;
use crate::report::Report;

/// Every spread argument has its struct, every struct its function, and the parameters make a signature that Python takes.
pub(super) fn check_spreads(api: &Api, report: &mut Report) {
    let members = api.classes.iter().flat_map(|class| &class.members);
    let functions = members.map(|member| (&member.arguments, &member.python)).chain(
        api.functions
            .iter()
            .map(|function| (&function.arguments, &function.python)),
    );
    let mut used: Vec<&Ident> = Vec::new();
    for (arguments, python) in functions {
        let mut complete = true;
        for argument in arguments.iter().filter(|argument| argument.spread) {
            match find(api, argument) {
                Some(value) if value.is_value => {
                    complete = false;
                    report.fault(
                        &argument.ident,
                        format!("`{}` is a value, which is not spread over parameters", value.ident),
                        "remove `#[proxy(spread)]`, or remove `value` at the struct",
                    );
                }
                Some(options) => used.push(&options.ident),
                None => {
                    complete = false;
                    refuse_unknown(api, argument, report);
                }
            }
        }
        if complete && arguments.iter().any(|argument| argument.spread) {
            check_parameters(&spread(api, arguments, python), report);
        }
    }
    for options in &api.options {
        if !options.is_value && !used.contains(&&options.ident) {
            report.fault(
                &options.ident,
                format!(
                    "no function takes `{}` with its fields spread over parameters",
                    options.ident
                ),
                "write `#[proxy(spread)]` on the parameter that takes it, `#[async_proxy(value)]` for a class of its own in Python, or \
                 remove `#[async_proxy]`",
            );
        }
    }
}

fn find<'a>(api: &'a Api, argument: &Argument) -> Option<&'a OptionStruct> {
    let name = &last_segment(&argument.ty)?.ident;
    api.options.iter().find(|options| options.ident == *name)
}

fn refuse_unknown(api: &Api, argument: &Argument, report: &mut Report) {
    let name = last_segment(&argument.ty)
        .map(|segment| segment.ident.to_string())
        .unwrap_or_default();
    let names: Vec<String> = api.options.iter().map(|options| options.ident.to_string()).collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let cure = match nearest(&name, &known) {
        Some(nearest) => format!("take `{nearest}`, or write `#[async_proxy]` on `struct {name}`"),
        None => format!("write `#[async_proxy]` on `pub struct {name}`, with the default of each field"),
    };
    report.fault(
        &argument.ty,
        format!("there is no annotated struct `{name}` to spread"),
        cure,
    );
}

/// A parameter in Python, and where it comes from.
struct Parameter<'a> {
    place: &'a Ident,
    name: String,
    required: bool,
    keyword_only: bool,
}

fn spread<'a>(api: &'a Api, arguments: &'a [Argument], python: &PythonOptions) -> Vec<Parameter<'a>> {
    let mut parameters = Vec::new();
    for argument in arguments {
        let name = plain(&argument.ident);
        let written = python
            .signature
            .as_ref()
            .and_then(|signature| signature.parameters.iter().find(|parameter| parameter.name == name));
        let behind_star = written.is_some_and(|parameter| parameter.keyword_only);
        match find(api, argument).filter(|_| argument.spread) {
            Some(options) => parameters.extend(options.fields.iter().map(|field| Parameter {
                place: &field.ident,
                name: plain(&field.ident),
                required: field.default.is_none(),
                keyword_only: behind_star || field.keyword_only,
            })),
            None => parameters.push(Parameter {
                place: &argument.ident,
                name,
                required: written.is_none_or(|parameter| parameter.default.is_none()),
                keyword_only: behind_star,
            }),
        }
    }
    parameters
}

fn check_parameters(parameters: &[Parameter<'_>], report: &mut Report) {
    for (index, parameter) in parameters.iter().enumerate() {
        let earlier = &parameters[..index];
        if earlier.iter().any(|other| other.name == parameter.name) {
            report.fault(
                parameter.place,
                format!(
                    "two parameters are called `{}` once the options are spread",
                    parameter.name
                ),
                "give one of the two another name",
            );
        }
        if parameter.keyword_only {
            continue;
        }
        if let Some(before) = earlier.iter().find(|other| other.keyword_only) {
            report.fault(
                parameter.place,
                format!(
                    "`{}` stands behind `{}`, which is keyword-only",
                    parameter.name, before.name
                ),
                "move it before the options, or put a `*` before it in the signature",
            );
        } else if let Some(before) = earlier.iter().find(|other| !other.required && parameter.required) {
            report.fault(
                parameter.place,
                format!(
                    "`{}` has no default, and stands behind `{}`, which has one",
                    parameter.name, before.name
                ),
                "give it one, or move it before",
            );
        }
    }
}
