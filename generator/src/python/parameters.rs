//! The parameters of a function in Python, and how its Rust arguments are made of them.

use async_proxy_syntax::model::{self as source, Passing, SignatureParameter};
use syn::Type;

use super::annotation::{self, Position};
use super::lower::{Callable, Lowering, mentioned_parameter};
use super::model::{Argument, Docs, Made, Parameter, ParameterPassing};
use super::names;
use crate::text;

/// The parameters and arguments of a function; `None` after a fault.
pub(super) fn lower(lowering: &mut Lowering<'_>, callable: &Callable<'_>) -> Option<(Vec<Parameter>, Vec<Argument>)> {
    let faults_before = lowering.diagnostics.len();
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut made: Vec<(usize, Made)> = Vec::new();
    let mut keyword_only = false;
    for slot in slots(lowering, callable) {
        let argument = &callable.arguments[slot.argument];
        keyword_only |= slot.keyword_only;
        if argument.spread {
            let fields = spread(lowering, argument, &mut keyword_only, &mut parameters);
            made.push((slot.argument, fields));
            continue;
        }
        let passing = match (keyword_only, slot.positional_only) {
            (true, _) => ParameterPassing::KeywordOnly,
            (false, true) => ParameterPassing::PositionalOnly,
            (false, false) => ParameterPassing::Standard,
        };
        let annotation = annotate(lowering, callable, argument);
        made.push((slot.argument, Made::Parameter(parameters.len())));
        parameters.push(Parameter {
            name: python_name(&argument.python_name, &argument.ident),
            span: argument.ident.span(),
            rust_type: text::of_type(&argument.owned),
            annotation: annotation.unwrap_or_default(),
            default: slot.default,
            passing,
            docs: lowering.docs(&argument.docs),
        });
    }
    check(lowering, &parameters);
    made.sort_by_key(|(argument, _)| *argument);
    let arguments = made
        .into_iter()
        .map(|(index, made)| Argument {
            ident: callable.arguments[index].ident.to_string(),
            made,
            source: callable.arguments[index].clone(),
        })
        .collect();
    (lowering.diagnostics.len() == faults_before).then_some((parameters, arguments))
}

fn python_name(written: &Option<String>, ident: &proc_macro2::Ident) -> String {
    written.clone().unwrap_or_else(|| names::plain(ident))
}

/// An argument in the place that it has in Python.
struct Slot {
    argument: usize,
    default: Option<String>,
    keyword_only: bool,
    positional_only: bool,
}

/// The arguments in the order of the signature, or as they stand if there is none.
fn slots(lowering: &mut Lowering<'_>, callable: &Callable<'_>) -> Vec<Slot> {
    let plain = |argument| Slot {
        argument,
        default: None,
        keyword_only: false,
        positional_only: false,
    };
    let Some(signature) = &callable.python.signature else {
        return (0..callable.arguments.len()).map(plain).collect();
    };
    let mut slots = Vec::new();
    for SignatureParameter {
        name,
        default,
        keyword_only,
        positional_only,
    } in &signature.parameters
    {
        let found = callable
            .arguments
            .iter()
            .position(|argument| names::plain(&argument.ident) == *name);
        match found {
            Some(argument) => slots.push(Slot {
                argument,
                default: default.clone(),
                keyword_only: *keyword_only,
                positional_only: *positional_only,
            }),
            None => lowering.diagnostics.error(
                callable.span,
                format!(
                    "the signature names `{name}`, which is no argument\nhelp: name each argument once, as in Rust"
                ),
            ),
        }
    }
    for (index, argument) in callable.arguments.iter().enumerate() {
        if !slots.iter().any(|slot| slot.argument == index) {
            lowering.diagnostics.error(
                argument.ident.span(),
                format!(
                    "the signature leaves out `{}`\nhelp: add it to `#[proxy(signature = (…))]`",
                    argument.ident
                ),
            );
        }
    }
    slots
}

/// The fields of a struct of options, as parameters of their own.
fn spread(
    lowering: &mut Lowering<'_>,
    argument: &source::Argument,
    keyword_only: &mut bool,
    parameters: &mut Vec<Parameter>,
) -> Made {
    let ident = match &argument.owned {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.clone()),
        _ => None,
    };
    let options = ident
        .as_ref()
        .and_then(|ident| lowering.api.options.iter().find(|options| options.ident == *ident));
    let Some(options) = options else {
        lowering.diagnostics.error(
            argument.ident.span(),
            "`spread` needs a struct of options\nhelp: put `#[async_proxy]` on the struct and `#[proxy(default = …)]` on its fields",
        );
        return Made::Options {
            path: String::new(),
            fields: Vec::new(),
        };
    };
    let mut fields = Vec::new();
    for field in &options.fields {
        *keyword_only |= field.keyword_only;
        let annotation = match &field.python {
            Some(annotation) => lowering.written(annotation, field.ident.span()),
            None => of_type(lowering, &field.ty),
        };
        fields.push((field.ident.to_string(), parameters.len()));
        parameters.push(Parameter {
            name: python_name(&field.python_name, &field.ident),
            span: field.ident.span(),
            rust_type: text::of_type(&field.ty),
            annotation: annotation.unwrap_or_default(),
            default: field.default.clone(),
            passing: if *keyword_only {
                ParameterPassing::KeywordOnly
            } else {
                ParameterPassing::Standard
            },
            docs: lowering.docs(&field.carried.docs),
        });
    }
    Made::Options {
        path: format!("{}::{}", lowering.crate_path, options.ident),
        fields,
    }
}

fn annotate(lowering: &mut Lowering<'_>, callable: &Callable<'_>, argument: &source::Argument) -> Option<String> {
    if let Some(annotation) = &argument.python {
        return lowering.written(annotation, argument.ident.span());
    }
    match argument.passing {
        Passing::Generic => {
            lowering.report_generic(argument.ident.span(), &text::of_type(&argument.ty));
            return None;
        }
        Passing::Callback => {
            lowering.diagnostics.error(
                argument.ident.span(),
                "a function that Python passes has to be described\nhelp: write `#[proxy(py = \"Callable[[…], …]\")]` here, or keep \
                 the member out of Python with `#[proxy(rust_only = \"why\")]`",
            );
            return None;
        }
        _ => {}
    }
    if let Some(parameter) = mentioned_parameter(&argument.owned, callable.generics) {
        lowering.report_generic(argument.ident.span(), &parameter);
        return None;
    }
    let annotation = of_type(lowering, &argument.owned)?;
    if annotation::is_path(&argument.owned) && annotation == annotation::PATH {
        // Bytes are taken for a path, but not for one inside of another type.
        return Some("str | bytes | os.PathLike[str] | os.PathLike[bytes]".to_owned());
    }
    Some(annotation)
}

fn of_type(lowering: &mut Lowering<'_>, ty: &Type) -> Option<String> {
    match lowering.table.annotate(ty, Position::Argument) {
        Ok(annotation) => Some(annotation),
        Err(unknown) => {
            lowering.diagnostics.error(unknown.span, unknown.message);
            None
        }
    }
}

/// Checks what Python wants of the parameters together.
fn check(lowering: &mut Lowering<'_>, parameters: &[Parameter]) {
    let mut with_default = false;
    for (index, parameter) in parameters.iter().enumerate() {
        let name = &parameter.name;
        if let Some(fault) = names::fault(name) {
            lowering.diagnostics.error(
                parameter.span,
                format!("the parameter `{name}` {fault}\nhelp: give it another name there with `#[proxy(name = \"…\")]` in front of it"),
            );
        }
        if matches!(name.as_str(), "Self" | "cls" | "crate" | "super") {
            lowering.diagnostics.error(
                parameter.span,
                format!(
                    "the parameter `{name}` would be in the way of the generated code's own\nhelp: give it another name there with \
                     `#[proxy(name = \"…\")]` in front of it"
                ),
            );
        }
        if name == "self" || parameters[..index].iter().any(|earlier| earlier.name == *name) {
            lowering.diagnostics.error(
                parameter.span,
                format!("two parameters are called `{name}` in Python\nhelp: give one another name there with `#[proxy(name = \"…\")]` in front of it"),
            );
        }
        let positional = parameter.passing != ParameterPassing::KeywordOnly;
        if positional && with_default && parameter.default.is_none() {
            lowering.diagnostics.error(
                parameter.span,
                format!("`{name}` is required and stands behind a parameter with a default\nhelp: give it a default or put it in front"),
            );
        }
        with_default |= parameter.default.is_some();
    }
}

/// What stands above the documentation of parameters.
pub(super) const PARAMETERS: &str = "Parameters:";

/// The documentation of a function or method with that of its parameters behind it: fields of a struct of options bring
/// theirs, and in Python they have no other place.
pub(super) fn with_documented_parameters(mut docs: Docs, parameters: &[Parameter]) -> Docs {
    let mut documented = parameters
        .iter()
        .filter(|parameter| !parameter.docs.is_empty())
        .peekable();
    if documented.peek().is_some() {
        if !docs.is_empty() {
            docs.lines.push(String::new());
        }
        docs.lines.push(PARAMETERS.to_owned());
    }
    for parameter in documented {
        docs.lines
            .push(format!("`{}`: {}", parameter.name, parameter.docs.lines[0]));
        let rest = parameter.docs.lines[1..].iter().filter(|line| !line.is_empty());
        docs.lines.extend(rest.map(|line| format!("    {line}")));
    }
    docs
}
